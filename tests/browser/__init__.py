"""The page a visitor meets, in a browser."""
