"""THE DOOR: who is let in, by what they show, and how much each may ask."""
