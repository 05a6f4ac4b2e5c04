"""What stands beside the code: the map, the decisions, the pins; and nothing of one machine."""

import re
from pathlib import Path

from tests.house.sources import ROOT, STOREYS, all_files, name_of

DECISIONS = ROOT / "docs" / "decisions"
HEADINGS = ("## Context", "## Decision", "## Consequences", "## The check that holds it")
DECISION_LINES_MAX = 60

# An address of a package registry, or a path of one machine; built so as not to find themselves.
REGISTRIES = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "yarnpkg" + ".com")
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:root|work)/")


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def decisions() -> list[Path]:
    return sorted(DECISIONS.glob("*.md"))


def test_the_readme_has_a_map_of_folders_that_exist() -> None:
    named = re.findall(r"^(\w+)/\s", text_of(ROOT / "README.md"), flags=re.MULTILINE)
    missing = sorted({*STOREYS, "tests", "docs"} - set(named))
    gone = [name for name in named if not (ROOT / name).is_dir()]

    assert not missing, f"README.md's map must have a line `name/  what it is` for each: {missing}"
    assert not gone, f"README.md's map names folders that do not exist: {gone}"


def test_every_decision_is_a_record_of_one_screen() -> None:
    amiss = {
        name_of(path): lacking
        for path in decisions()
        if (lacking := [line for line in HEADINGS if line not in text_of(path).splitlines()])
        or len(text_of(path).splitlines()) > DECISION_LINES_MAX
    }

    assert not amiss, f"at most {DECISION_LINES_MAX} lines under the headings {HEADINGS}: {amiss}"


def test_every_decision_has_a_number_of_its_own() -> None:
    names = [path.name for path in decisions()]
    numbers = [name[:4] for name in names]
    misnamed = [name for name in names if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", name)]

    assert not misnamed, f"call each NNNN-what-was-decided.md: {misnamed}"
    assert len(set(numbers)) == len(numbers), f"give each the next free number: {names}"


def test_no_file_names_a_registry() -> None:
    named = [
        f"{name_of(path)}: {host}"
        for path in all_files()
        for host in REGISTRIES
        if host in text_of(path)
    ]

    assert not named, (
        f"a machine's own settings say where packages come from; leave it out: {named}"
    )


def test_no_file_names_a_path_of_one_machine() -> None:
    named = [name_of(path) for path in all_files() if MACHINE_PATH.search(text_of(path))]

    assert not named, f"say the path from the repository's root: {named}"


def test_every_requirement_is_pinned_with_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.split(r"\n(?=\S)", text_of(path).strip())
        loose = [pin.split()[0] for pin in pins if "==" not in pin or "--hash=sha256:" not in pin]

        assert not loose, f"{path.name}: run `make lock`: {loose}"


def test_every_rule_that_is_off_has_its_reason() -> None:
    ignored = re.findall(r'^    "[A-Z]+[0-9]*",.*$', text_of(ROOT / "pyproject.toml"), re.MULTILINE)
    bare = [line.strip() for line in ignored if "#" not in line]

    assert not bare, f"pyproject.toml: say after each why it is off: {bare}"
