"""THE PLAN: who hears or gets what, and when."""
