"""Fetches other people's clients, by the hashes of package-lock.json. `make test` runs it."""

import sys
from pathlib import Path

from graph.page.prepare import install

if __name__ == "__main__":
    sys.exit(install(Path(__file__).resolve().parent))
