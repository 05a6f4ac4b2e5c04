"""docs/operating.md says what can be set, and every command."""

import re
from pathlib import Path

from server.cli import app
from server.settings import Listed, Settings, listing

OPERATING = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text("utf-8")


def row(entry: Listed) -> str:
    default = f"`{entry.default}`" if entry.default else ""
    return f"| `{entry.variable}` | {default} | {entry.meaning} |"


def test_every_setting_is_documented_as_the_code_has_it() -> None:
    documented = re.findall(r"^\| `TUPPENCE_.*$", OPERATING, flags=re.MULTILINE)

    assert documented == [row(entry) for entry in listing(Settings())], (
        "docs/operating.md: make its table these lines"
    )


def test_every_command_that_keeps_an_installation_is_documented() -> None:
    commands = {
        command.callback.__name__ for command in app.registered_commands if command.callback
    }
    missing = {name for name in commands - {"schema"} if f"`tuppence {name}" not in OPERATING}

    assert not missing, f"docs/operating.md: say what each is for: {missing}"
