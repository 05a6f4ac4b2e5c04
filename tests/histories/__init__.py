"""Histories: what callers and followers of many instances saw, and whether it can have been so."""
