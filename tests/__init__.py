"""The specification: what the service promises, shown through its own sockets."""
