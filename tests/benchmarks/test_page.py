"""docs/benchmarks.md and its book: what was measured, what is asked of it, and where we lose."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from benchmarks.book import BOOK, read_book
from benchmarks.estimate import ON_PAPER, estimate
from benchmarks.figures import Bar, Line, MeasurementError, Picture, Row, Section, Verdict
from benchmarks.growth import bend_of, top_of
from benchmarks.report import PAGE, write_page
from benchmarks.rounds import Plan

PLAN = Plan(Path("nowhere"), 3, 2.0, print)


def credits_of(ours: float) -> Section:
    return Section(
        "credits",
        "credits to many.",
        ("per second", "range"),
        [
            Row("tuppence", (f"{ours:,.0f}", ""), {"per_second": [ours], "cpu_us": [200.0]}),
            Row("ours ÷ mercurius", ("", ""), {"ratio": [ours / 900, ours / 1_000, ours / 1_100]}),
            Row("p99, ours ÷ mercurius", ("", ""), {"ratio": [0.2]}),
        ],
        [Verdict("credits: ours ÷ mercurius", ours / 1_000, 2.5, "×", at_least=True)],
        [Bar("tuppence", ours, f"{ours:,.0f}/s")],
    )


def grown(title: str, each: float) -> Section:
    lines = [Line("credit", [(1_000, 10.0), (1_000_000, 8.5)])]
    return Section(
        title,
        "by how many there are.",
        ("per second",),
        [Row(f"bytes a {title}", (f"{each}",), {"bytes_each": [each]})],
        pictures=[Picture(f"{title}-rate", f"{title} < many", title, "/s", lines)],
        notes=["*No knee*: flat."],
    )


def page_of(root: Path) -> str:
    return (root / PAGE).read_text(encoding="utf-8")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs").mkdir()
    return tmp_path


def test_the_page_tells_what_is_met_what_is_missed_and_where_a_peer_is_ahead(root: Path) -> None:
    write_page([credits_of(900.0)], PLAN, root)

    told = page_of(root)

    assert "| credits: ours ÷ mercurius | 0.90 × | ≥ 2.5 × | **missed** |" in told
    losing = told.partition("## Where we lose")[2].partition("##")[0].strip().splitlines()
    assert losing == [
        "- credits: ours ÷ mercurius is 0.90.",
        "- credits: ours ÷ mercurius: 0.90 × where ≥ 2.5 × is asked.",
    ]


def test_who_is_ahead_everywhere_is_said_to_lose_nowhere(root: Path) -> None:
    write_page([credits_of(4_000.0)], PLAN, root)

    told = page_of(root)

    assert "| credits: ours ÷ mercurius | 4.00 × | ≥ 2.5 × | met |" in told
    assert "Nowhere in these figures." in told


def test_the_book_has_every_figure_and_what_is_not_measured_anew_stays(root: Path) -> None:
    write_page([credits_of(900.0), grown("wallets", 562.0)], PLAN, root)

    write_page([credits_of(4_000.0)], PLAN, root)

    book = json.loads((root / BOOK).read_text(encoding="utf-8"))
    assert [section["title"] for section in book["sections"]] == ["credits", "wallets"]
    assert book["sections"][0]["rows"][0]["figures"] == {"per_second": [4_000.0], "cpu_us": [200.0]}
    assert book["sections"][0]["verdicts"][0]["is_met"] is True
    assert book["sections"][0]["measured"].endswith(", 3 rounds of 2 s")
    assert {"Python", "SQLite", "PostgreSQL", "Node.js", "mercurius"} <= book["versions"].keys()
    assert read_book(root)[1].pictures == grown("wallets", 562.0).pictures
    assert "![wallets < many](images/benchmark-wallets-rate.svg)" in page_of(root)


def test_a_book_that_cannot_be_read_is_told_of(root: Path) -> None:
    (root / BOOK).write_text('{"sections": [{}]}', encoding="utf-8")

    with pytest.raises(MeasurementError, match=r"docs/benchmarks\.json can't be read"):
        write_page([credits_of(900.0)], PLAN, root)


def test_pictures_are_well_formed(root: Path) -> None:
    write_page([credits_of(900.0), grown("wallets", 562.0)], PLAN, root)

    pictures = sorted((root / "docs/images").iterdir())

    assert [path.name for path in pictures] == ["benchmark-wallets-rate.svg", "benchmark.svg"]
    for path in pictures:
        ET.parse(path)  # noqa: S314 - we have just written it


def test_the_estimate_follows_from_the_figures() -> None:
    parts = [credits_of(4_000.0), grown("wallets", 600.0), grown("history", 2_000.0)]
    parts[1].rows[0] = Row("bytes a wallet", ("600",), {"bytes_each": [600.0]})
    parts[2].rows[0] = Row("bytes a transaction", ("2,000",), {"bytes_each": [2_000.0]})

    paper = estimate(parts)

    assert estimate(parts[:2]) is None
    assert paper is not None
    assert paper.title == ON_PAPER
    assert [(row.name, row.cells[1]) for row in paper.rows] == [
        ("SQLite: processors for credits", "2.0"),
        ("SQLite: databases, each with its service", "3"),
        ("disk: members and wallets", "6.0 GB"),
        ("disk: transactions of a day", "432 GB"),
        ("disk: written a second at the busiest", "40 MB/s"),
    ]


def test_a_knee_is_where_a_rate_stops_rising_or_a_cost_begins_to() -> None:
    assert top_of([(1, 200.0), (4, 400.0), (16, 950.0), (64, 1_000.0), (256, 990.0)]) == (16, 950.0)
    assert bend_of([(1, 500.0), (10, 600.0), (100, 900.0), (1_000, 950.0)]) == 10
    assert bend_of([(1, 500.0), (10, 900.0), (100, 610.0)]) == 100
