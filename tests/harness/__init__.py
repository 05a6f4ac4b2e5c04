"""What the specification stands on: servers, databases, a client, a clock that stands still."""
