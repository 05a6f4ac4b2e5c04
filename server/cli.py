"""The command line: `tuppence serve`, and what the keeper of an installation needs besides.

A user's mistake is told in one sentence, with exit code 2. Each command imports what it runs on:
the others start without it.
"""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from server import clock, keys
from server import settings as setting
from server.settings import CannotRun, Settings

MISTAKE: Final = 2
UNSOUND: Final = 1
INTERRUPTED: Final = 130
RECEIVER_PORT: Final = 8_025

app = typer.Typer(
    name="tuppence",
    help="A loyalty-wallet service: a ledger of points, its GraphQL API and its live stream.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(keys.app)


def main() -> None:
    """Run what the command line asks for."""
    try:
        app()
    except CannotRun as error:
        typer.echo(str(error), err=True)
        sys.exit(MISTAKE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@app.command()
def serve(
    host: Annotated[
        str | None, typer.Option(help="Listen here, rather than at TUPPENCE_HOST.")
    ] = None,
    port: Annotated[
        str | None, typer.Option(help="Listen on this port, rather than on TUPPENCE_PORT.")
    ] = None,
    *,
    behind_proxy: Annotated[
        bool,
        typer.Option(
            "--behind-proxy", help="All requests come through a proxy of yours, which has TLS."
        ),
    ] = False,
    dev: Annotated[
        bool,
        typer.Option("--dev", help="Sign GraphiQL in as an administrator. On this machine only."),
    ] = False,
) -> None:
    """Serve the API and GraphiQL; an embedded database is made and brought up to date."""
    proxied = "on" if behind_proxy else None
    chosen = Settings.from_environment().but(host=host, port=port, behind_proxy=proxied)
    from server.serving import serve as serve_until_stopped  # noqa: PLC0415

    serve_until_stopped(chosen, dev=dev)


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    chosen = Settings.from_environment()
    from server import upkeep  # noqa: PLC0415

    upkeep.migrate(chosen)
    typer.echo("The database is up to date.")


@app.command()
def check() -> None:
    """Verify every invariant of the ledger over its raw rows; exit code 1 if any is broken.

    Tells also what is unsafe about NATS, which costs no points: the exit code is the ledger's.
    """
    chosen = Settings.from_environment()
    from server import upkeep  # noqa: PLC0415

    health = asyncio.run(upkeep.check(chosen, clock.now))
    for violation in health.violations:
        typer.echo(violation)
    found = f"{len(health.violations):,} violations" if health.violations else "all is sound"
    typer.echo(f"{health.wallets:,} wallets, {health.transactions:,} transactions: {found}.")
    if chosen.nats_url:
        from server.nats_safety import find_dangers  # noqa: PLC0415

        for danger in asyncio.run(find_dangers(chosen)):
            typer.echo(danger)
    if health.violations:
        raise typer.Exit(UNSOUND)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy is to be. It must not exist yet.")],
) -> None:
    """Copy an embedded database to FILE, also while it is being served."""
    chosen = Settings.from_environment()
    from server import upkeep  # noqa: PLC0415

    upkeep.back_up(chosen, file)
    typer.echo(f"Copied to {file}.")


@app.command()
def demo(
    program: Annotated[str, typer.Option(help="The name of the program to create.")] = "Beans",
    members: Annotated[
        int | None,
        typer.Option(min=2, max=5_000, help="How many members it has: 300, with --fast-clock 40."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed tells the same story.")] = 1,
    receiver_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where its campaigns' messages are received.")
    ] = RECEIVER_PORT,
    *,
    fast_clock: Annotated[
        bool,
        typer.Option(
            "--fast-clock",
            help="Serve a demo of its own in which days pass in seconds, and show the messages.",
        ),
    ] = False,
    day_seconds: Annotated[
        int, typer.Option(min=1, max=3_600, help="How long a day takes with --fast-clock.")
    ] = 10,
) -> None:
    """Fill a new program with members, a year of believable transactions, and three campaigns."""
    chosen = Settings.from_environment()
    from server import demo as story  # noqa: PLC0415
    from server.logs import log_to_stderr  # noqa: PLC0415

    if fast_clock:
        from server import fast_demo  # noqa: PLC0415

        plot = story.Plot(program, members or fast_demo.MEMBERS, seed, fast_demo.DAYS, 1)
        fast_demo.run(chosen, plot, day_seconds, receiver_port)
        return
    log_to_stderr(chosen.log_level, chosen.log_format)
    plot = story.Plot(program, members or story.MEMBERS, seed)
    asyncio.run(story.tell(chosen, plot, clock.now(), receiver_port))


@app.command()
def receive(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Listen on this port of 127.0.0.1.")
    ] = RECEIVER_PORT,
    secret: Annotated[
        list[str] | None,
        typer.Option(help="A signing secret that messages may have, besides the demo's."),
    ] = None,
) -> None:
    """Show the messages of campaigns that arrive at a webhook on this machine."""
    chosen = Settings.from_environment()
    from server import receiver  # noqa: PLC0415
    from server.logs import log_to_stderr  # noqa: PLC0415

    log_to_stderr(chosen.log_level, chosen.log_format)
    receiver.receive(chosen, clock.now, port, secret or [])


@app.command()
def schema() -> None:
    """Print the API's schema."""
    from graph.schema import schema as api  # noqa: PLC0415

    typer.echo(api.as_str())


@app.command()
def settings() -> None:
    """List the settings: the variable, its value now, and what it means."""
    for entry in setting.listing(Settings.from_environment()):
        typer.echo(f"{entry.variable}={entry.value}\n    {entry.meaning}")
