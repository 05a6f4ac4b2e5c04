"""On paper: what ten million members and ten thousand credits a second take, from the figures."""

from benchmarks.figures import Row, Section, median_of

MEMBERS = 10_000_000
CREDITS = 10_000
"""A second, at the busiest time."""
LISTENING = 100
"""One member of so many is connected at a time."""
DAY_PART = 4
"""A day's mean is so many times less than its busiest time."""
DAY_SECONDS = 86_400
MICROSECONDS = 1e6
ON_PAPER = "on paper"
COLUMNS = ("measured", ON_PAPER)
NEEDED = ("credits", "wallets", "history")


def estimate(sections: list[Section]) -> Section | None:
    """Return the estimate; None unless all that it stands on was measured."""
    found = {section.title: section for section in sections}
    if any(name not in found for name in NEEDED):
        return None
    section = Section(
        ON_PAPER,
        f"what {MEMBERS:,} members and {CREDITS:,} credits a second take, if each grows as the"
        " figures above: on processors like this machine's, without those of clients, with a day's"
        f" mean at a {DAY_PART}th of its busiest time, and one member of {LISTENING} connected."
        " An estimate: nobody has run it.",
        COLUMNS,
    )
    tell_credits(section, found)
    tell_disk(section, found)
    if "fan-out" in found:
        tell_subscribers(section, found["fan-out"])
    return section


def figure(section: Section, name: str, which: str) -> float | None:
    """Return the median of one figure of a line; None if there is none."""
    row = section.row(name)
    values = row.figures.get(which, []) if row else []
    return median_of(values) if values else None


def tell_credits(section: Section, found: dict[str, Section]) -> None:
    """Add how many processors credits take, and how many services."""
    rate = figure(found["credits"], "tuppence", "per_second") or 1.0
    cpu = figure(found["credits"], "tuppence", "cpu_us") or 0.0
    wallets = found["wallets"].row("credit, 1,000,000 wallets")
    if wallets:
        cpu = max(cpu, median_of(wallets.figures["cpu_us"]))
    processors = cpu * CREDITS / MICROSECONDS
    services = -(-CREDITS // int(rate))
    section.rows += [
        Row(
            "SQLite: processors for credits",
            (f"{cpu:,.0f} µs a credit", f"{processors:,.1f}"),
            {"processors": [processors]},
        ),
        Row(
            "SQLite: databases, each with its service",
            (f"{rate:,.0f} credits/s each", f"{services:,}"),
            {"services": [services]},
        ),
    ]
    section.notes.append(
        f"SQLite has one writer, and one service writes {rate:,.0f} credits a second here:"
        f" {CREDITS:,} want {services} databases, each with a part of the members, or PostgreSQL."
        " A transfer between members of two parts has no unit of work that holds both."
    )
    if "PostgreSQL" in found:
        tell_postgres(section, found["PostgreSQL"])


def tell_postgres(section: Section, measured: Section) -> None:
    """Add the same for one PostgreSQL with many services."""
    service = figure(measured, "tuppence", "service_cpu_us") or 0.0
    cluster = figure(measured, "tuppence", "postgres_cpu_us") or 0.0
    section.rows += [
        Row(
            f"PostgreSQL: processors for {who}",
            (f"{each:,.0f} µs a credit", f"{each * CREDITS / MICROSECONDS:,.1f}"),
            {"processors": [each * CREDITS / MICROSECONDS]},
        )
        for who, each in (("services", service), ("the database", cluster))
    ]
    section.notes.append(
        "On PostgreSQL the services share one log, whose head each commit locks: their commits take"
        " turns, so that more services share out its rate rather than raise it. What that comes to"
        " is measured above under *two instances*; beyond it, members want several databases, too."
    )


def tell_disk(section: Section, found: dict[str, Section]) -> None:
    """Add what lies on the disk, and how fast it grows."""
    wallet = figure(found["wallets"], "bytes a wallet", "bytes_each") or 0.0
    transaction = figure(found["history"], "bytes a transaction", "bytes_each") or 0.0
    day = transaction * CREDITS * DAY_SECONDS / DAY_PART
    section.rows += [
        Row(
            "disk: members and wallets",
            (f"{wallet:,.0f} bytes each", f"{wallet * MEMBERS / 1e9:,.1f} GB"),
            {"bytes": [wallet * MEMBERS]},
        ),
        Row(
            "disk: transactions of a day",
            (f"{transaction:,.0f} bytes each", f"{day / 1e9:,.0f} GB"),
            {"bytes": [day]},
        ),
        Row(
            "disk: written a second at the busiest",
            ("twice each: log, then table", f"{2 * transaction * CREDITS / 1e6:,.0f} MB/s"),
            {"bytes": [2 * transaction * CREDITS]},
        ),
    ]
    section.notes.append(
        "Disks are the first to be full: nothing is ever deleted from the book, and a lot, an"
        " event, a key, an audit entry and their indexes stand beside each transaction."
    )


def tell_subscribers(section: Section, fanout: Section) -> None:
    """Add what those who listen hold and take."""
    rows = [row for row in fanout.rows if row.name.endswith(": tuppence")]
    if not rows:
        return
    each, cpu = (median_of(rows[-1].figures[name]) for name in ("kb_a_subscriber", "cpu_us"))
    count = MEMBERS // LISTENING
    deliveries = CREDITS // LISTENING
    section.rows += [
        Row(
            f"memory of {count:,} subscribers",
            (f"{each:,.1f} KB each", f"{each * count / 1e6:,.1f} GB"),
            {"kb": [each * count]},
        ),
        Row(
            f"processors for {deliveries:,} deliveries a second",
            (f"{cpu:,.0f} µs each", f"{cpu * deliveries / MICROSECONDS:,.3f}"),
            {"processors": [cpu * deliveries / MICROSECONDS]},
        ),
    ]
