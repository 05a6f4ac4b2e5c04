"""WHAT RUNS: the application, its settings, its workers, and the command line."""
