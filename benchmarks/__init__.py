"""THE STOPWATCH: what each operation costs, beside a naive service."""
