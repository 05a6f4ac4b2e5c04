"""Examples of the documentation, run as they stand there."""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUN_S_MAX = 120


def examples(page: str, heading: str, language: str = "sh") -> list[str]:
    """The examples under a heading of a page, in their order."""
    text = (DOCS / page).read_text("utf-8")
    section = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)


def run(script: str, folder: Path, *programs: Path, **environment: str) -> None:
    """Run a script in a folder; what `programs` has comes before what the machine has."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("TUPPENCE_")}
    folders = [*programs, Path(sys.executable).parent, os.environ["PATH"]]
    path = os.pathsep.join(map(str, folders))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=mine | {"PATH": path} | environment,
        timeout=RUN_S_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
