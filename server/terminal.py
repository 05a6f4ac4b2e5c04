"""The terminal: what `tuppence serve` says to whoever started it.

All of it goes to stdout. On stderr is the log, which programs read.
"""

from pathlib import Path

import typer


def greet(address: str) -> None:
    """Say where it is, now that it answers there."""
    typer.echo(f"Tuppence is at {address}/graphql. Stop it with Ctrl-C.")


def show_first_key(token: str | None, file: Path) -> None:
    """Say where the first admin key is and, once, the key that was made just now.

    Whoever keeps what stdout says, and lets others read it, puts a key of their own into the file
    beforehand: one that is taken from there is never shown.
    """
    if token:
        typer.echo(f"Admin key (shown once, kept in {file}): {token}")
    elif file.is_file():
        typer.echo(f"The first admin key is in {file}.")


def tell_of_dev() -> None:
    """Say who is let in by `--dev`."""
    typer.echo("GraphiQL in your browser is signed in as an administrator; programs show a key.")


def note(sentence: str) -> None:
    """Say what is good to know, and keeps nothing from going on."""
    typer.echo(f"Note: {sentence}")
