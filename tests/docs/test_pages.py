"""All pages: what they lead to is there, and the settings and metrics that they name are ours."""

import re
from pathlib import Path

import pytest

from server.settings import Settings, listing
from tests.docs.scripts import DOCS, examples, run
from tests.docs.test_containers import FILLED

ROOT = DOCS.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """The headings of a page, as addresses name them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@every_page
def test_what_it_leads_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text("utf-8"))
    gone = [
        (name, anchor)
        for name, anchor in links
        if not (target := (page.parent / name) if name else page).exists()
        or (anchor and anchor not in anchors(target))
    ]

    assert not gone


@every_page
def test_the_settings_that_it_names_are_ours(page: Path) -> None:
    ours = {entry.variable for entry in listing(Settings())} | set(FILLED)
    named = set(re.findall(r"\b(TUPPENCE_[A-Z_]+)(\*?)", page.read_text("utf-8")))

    unknown = {
        name
        for name, more in named
        if name not in ours and not (more and any(each.startswith(name) for each in ours))
    }
    assert not unknown


@every_page
def test_the_metrics_that_it_names_are_ours(page: Path) -> None:
    table = (DOCS / "operating.md").read_text("utf-8")
    ours = set(re.findall(r"^\| `(tuppence_\w+)`", table, flags=re.MULTILINE))

    assert set(re.findall(r"\b(tuppence_[a-z_]+)\b", page.read_text("utf-8"))) <= ours


def test_many_machines_begin_with_what_is_to_be_filled_in(tmp_path: Path) -> None:
    (prepare,) = examples("many-machines.md", "All of it on one machine, to begin with")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "example.env").write_bytes((ROOT / "deploy/example.env").read_bytes())

    run(prepare, tmp_path)

    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o777 == 0o600
    assert ".env" in {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
