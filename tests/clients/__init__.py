"""Other people's clients, in JavaScript, which npm fetches: `prepare.py`."""
