"""THE POST: how a message leaves the house, and what came of it."""
