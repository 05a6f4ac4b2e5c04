"""THE DIARY: what happened, in order, and who hears of it live."""
