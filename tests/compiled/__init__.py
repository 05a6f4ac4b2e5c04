"""Compiled operations beside the executor: whatever is asked, both give the same."""
