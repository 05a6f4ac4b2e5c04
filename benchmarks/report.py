"""What is told: tables on the terminal, and docs/benchmarks.md with its pictures."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.book import date_sections, find_machine, find_versions, merge, write_book
from benchmarks.estimate import ON_PAPER, estimate
from benchmarks.figures import Section, Verdict, median_of
from benchmarks.plot import draw, draw_curves
from benchmarks.rounds import Plan

PAGE = Path("docs/benchmarks.md")
IMAGES = Path("docs/images")
PICTURE = IMAGES / "benchmark.svg"
OURS = ("ours ÷ ", "tuppence ÷ ")
LIMIT = "÷ bare sqlite3"
"""What no service can reach is no peer."""
WORSE_BELOW = 1.0
GROWING = ("history", "wallets", "lots", "connections", "batches")

WRITTEN = (
    "Written by `make bench ARGS=--write-docs`, with every figure of every round in"
    " [benchmarks.json](benchmarks.json)."
)
HOW = (
    "All services of a race are alive, each on a new database of its own, and take turns within"
    " each round, after half a second that doesn't count. A ratio is the median of the rounds' own,"
    " beside the lowest and the highest of them. Client and services share the machine: only the"
    " ratios carry over to another."
)
FAIR = (
    "Everyone does the same work: one schema, the same operations and answers, the same rows, as"
    " durable (WAL with `synchronous=FULL`; PostgreSQL with `fsync` and `synchronous_commit`)."
    " `tests/benchmarks/` compares answers and rows; after each race the rows are counted, and each"
    " acknowledged credit is one. Ours runs as it ships, with keys, rights, rates, limits, audit"
    " trail, metrics and logs; the peers have none of these."
)
BUSY = (
    "*Range* is the lowest and the highest round; *CPU* is the service's process time an operation;"
    " *peak* the most memory it held; *client busy* is the load client's share of one processor:"
    " well below 100 %, it was not the limit. What the client reaches against a server that does"
    " nothing is the row *client and stub*."
)
REPEAT = """\
```sh
make bench                                  # everything; some forty minutes, 16 GB in TMPDIR
make bench ARGS=--quick                     # everything, small and short: some ten minutes
make bench ARGS='--only credits,reads'      # some of it
make bench ARGS=--write-docs                # and this page, its pictures and benchmarks.json anew
```

`make bench` fetches the peers by their lock files (Node.js comes with `make setup`) and needs
nothing else. With `--write-docs`, sections that weren't measured stay as they were; each says when
it was measured."""


def print_section(console: Console, section: Section) -> None:
    """Show a section's table, its figures beside what is asked, and what they mean."""
    table = Table(title=section.title, title_justify="left", title_style="bold")
    table.add_column("", no_wrap=True)
    for column in section.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in section.rows:
        table.add_row(row.name, *row.cells)
    console.print(table)
    for verdict in section.verdicts:
        colour = "green" if verdict.is_met else "red"
        console.print(f"  {verdict.name}: [{colour}]{verdict.told}[/] (asked: {verdict.asked})")
    for note in section.notes:
        console.print(f"  {note.replace('*', '')}", markup=False)
    console.print()


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def table_lines(section: Section) -> list[str]:
    """Return a section's table in Markdown."""
    width = len(section.columns)
    head = "| | " + " | ".join(section.columns) + " |"
    rule = "|---|" + "---:|" * width
    rows = [
        f"| {row.name} | " + " | ".join((*row.cells, *[""] * (width - len(row.cells)))) + " |"
        for row in section.rows
    ]
    return [head, rule, *rows]


def verdict_lines(verdicts: list[Verdict]) -> list[str]:
    """Return the figures beside what is asked of them, in Markdown."""
    lines = ["| | measured | asked | |", "|---|---:|---:|---|"]
    for verdict in verdicts:
        met = "met" if verdict.is_met else "**missed**"
        lines.append(f"| {verdict.name} | {verdict.told} | {verdict.asked} | {met} |")
    return lines


def losing_lines(sections: list[Section]) -> list[str]:
    """Return where a peer is ahead of us, and what isn't as good as asked."""
    lines = [
        f"- {section.title}: {row.name} is {median_of(row.figures['ratio']):.2f}."
        for section in sections
        for row in section.rows
        if is_behind(row.name, row.figures.get("ratio", []))
    ]
    lines += [
        f"- {verdict.name}: {verdict.told} where {verdict.asked} is asked."
        for section in sections
        for verdict in section.verdicts
        if not verdict.is_met
    ]
    return lines or ["Nowhere in these figures."]


def is_behind(name: str, each: list[float]) -> bool:
    """Return whether a line compares ours with a peer, and the peer is better."""
    if not any(ours in name for ours in OURS) or LIMIT in name:
        return False
    value = median_of(each)
    return value > WORSE_BELOW if "p99" in name else value < WORSE_BELOW


def section_lines(section: Section) -> list[str]:
    """Return a section in Markdown: what it is, its table, its curves, and what they mean."""
    explanation = section.explanation
    title = f"How cost grows: {section.title}" if section.title in GROWING else section.title
    lines = ["", f"## {title}", "", explanation[:1].upper() + explanation[1:]]
    lines += [
        "",
        f"Measured {section.measured}." if section.title != ON_PAPER else "Not measured.",
        "",
        *table_lines(section),
    ]
    for picture in section.pictures:
        at = Path("images") / f"benchmark-{picture.name}.svg"
        lines += ["", f"![{picture.title}]({at})"]
    for note in section.notes:
        lines += ["", note]
    return lines


def page_lines(sections: list[Section]) -> list[str]:
    """Return the page."""
    versions = ", ".join(f"{name} {number}" for name, number in find_versions().items())
    verdicts = [verdict for section in sections for verdict in section.verdicts]
    return [
        "# Benchmarks",
        "",
        WRITTEN,
        "",
        f"![The figures as bars](images/{PICTURE.name})",
        "",
        *verdict_lines(verdicts),
        "",
        f"- Measured on {find_machine()}.",
        f"- {versions}.",
        f"- {HOW}",
        f"- {FAIR}",
        f"- {BUSY}",
        "",
        "## Where we lose",
        "",
        *losing_lines(sections),
        "",
        "## How to repeat it",
        "",
        REPEAT,
        *[line for section in sections for line in section_lines(section)],
    ]


def write_page(fresh: list[Section], plan: Plan, root: Path) -> None:
    """Write the page, its pictures and the book."""
    date_sections(fresh, plan)
    sections = [section for section in merge(fresh, root) if section.title != ON_PAPER]
    if paper := estimate(sections):
        sections.append(paper)
    (root / IMAGES).mkdir(parents=True, exist_ok=True)
    (root / PICTURE).write_text(draw(sections), encoding="utf-8")
    for section in sections:
        for picture in section.pictures:
            path = root / IMAGES / f"benchmark-{picture.name}.svg"
            path.write_text(draw_curves(picture), encoding="utf-8")
    (root / PAGE).write_text("\n".join(page_lines(sections)) + "\n", encoding="utf-8")
    write_book(sections, root)
