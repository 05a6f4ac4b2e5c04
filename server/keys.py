"""`tuppence keys`: API keys, created, listed and revoked by whoever has the command line.

They go to the database directly, also while it is served. What a program may want of their output
is on stdout, what is said to people on stderr.
"""

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server import clock
from server.settings import CannotRun, Settings

if TYPE_CHECKING:
    from access.keys import ApiKey

PAGE: Final = 100
GAP: Final = "  "
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([dhm])")
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}

app = typer.Typer(name="keys", help="The API keys: who is let in.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for; 1 to 100 characters.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it may do; once for each: wallets:read, points:credit, …, admin."),
    ],
    expires: Annotated[
        str | None,
        typer.Option(help="When it stops to work: 90d, 12h, 30m, 2027-01-31. Never if left out."),
    ] = None,
) -> None:
    """Create an API key, and print its token, which is shown only now."""
    from access import keys  # noqa: PLC0415
    from events.audit import TERMINAL  # noqa: PLC0415

    now = clock.now()
    wanted = keys.NewKey(name, scope, None if expires is None else _instant(expires, now))
    made = _run(keys.create, now, wanted, TERMINAL, writing=True)
    if isinstance(made, keys.Refusal):
        raise CannotRun(made.message)
    key, token = made
    typer.echo(f"Created {key.id}. Its token is shown only now:", err=True)
    typer.echo(token)


@app.command(name="list")
def list_() -> None:
    """List all API keys, newest first."""
    from access import keys  # noqa: PLC0415
    from models.windows import Window  # noqa: PLC0415

    now = clock.now()
    found: list[ApiKey] = []
    window: Window | None = Window(first=PAGE)
    while window:
        page = _run(keys.page, window)
        found += [key for _, key in page.items]
        window = Window(first=PAGE, after=page.items[-1][0]) if page.has_next else None
    _print_table(found, now)


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The key's id, key_….")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also the last admin key that works.")
    ] = False,
) -> None:
    """Have an API key let nobody in any more; whoever serves knows of it within 10 seconds."""
    from access import keys  # noqa: PLC0415
    from events.audit import TERMINAL  # noqa: PLC0415

    done = _run(keys.revoke, clock.now(), id, TERMINAL, even_the_last=force, writing=True)
    if isinstance(done, keys.Refusal):
        raise CannotRun(done.message)
    typer.echo(f"Revoked {done.id}.", err=True)


def _run(work: Callable[..., Any], *arguments: Any, writing: bool = False, **more: Any) -> Any:
    """Do it in the database as the settings name it, which must be there and up to date."""
    from models.migrations import is_current  # noqa: PLC0415
    from server.upkeep import NOT_CURRENT, opened, require_file  # noqa: PLC0415

    async def run() -> Any:
        # Perhaps a server has the file, too: it alone does the checkpoints.
        async with opened(settings, checkpoints=False) as database:
            if not await database.read(is_current):
                raise CannotRun(NOT_CURRENT)
            hop = database.write if writing else database.read
            return await hop(work, *arguments, **more)

    settings = Settings.from_environment()
    require_file(settings)
    return asyncio.run(run())


def _instant(text: str, now: int) -> int:
    """An instant, from how long it is until then, or from a date or an instant in UTC."""
    span = _SPAN.fullmatch(text)
    if span:
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])}) // timedelta(microseconds=1)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CannotRun(
            f"--expires must be like 90d, 12h, 30m, 2027-01-31 or 2027-01-31T12:00Z, not {text!r}."
        ) from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1)


def _print_table(found: Iterable["ApiKey"], now: int) -> None:
    heads = ("ID", "STATE", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED")
    lines = [heads, *(_line(key, now) for key in found)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo(GAP.join(cells).rstrip())


def _line(key: "ApiKey", now: int) -> tuple[str, ...]:
    revoked, expired = key.revoked_at is not None, key.expires_at <= now
    return (
        key.id,
        "revoked" if revoked else "expired" if expired else "works",
        key.name,
        key.scopes,
        _told(key.created_at),
        _told(key.expires_at),
        _told(key.last_used_at),
    )


def _told(at: int | None) -> str:
    from models.columns import NEVER  # noqa: PLC0415

    if at is None or at == NEVER:
        return "never"
    return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M}"
