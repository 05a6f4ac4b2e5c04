"""Letters: what a webhook says of a message, and how it is shown in a terminal.

What is shown was written by others: no character of theirs does anything to the terminal, and no
text is longer than a screen.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

TEXT_MAX: Final = 2_000
NAME_MAX: Final = 80


class Unreadable(Exception):
    """It is no message. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as its receiver sees it."""

    campaign: str
    name: str
    subject: str
    body: str
    event: str
    points: int | float | None
    reward: int | float | None
    is_test: bool


def read(body: bytes, wanted: str) -> Letter:
    """The message in a webhook's body, which is of the `wanted` type. Raises Unreadable."""
    try:
        said: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("The body must be JSON.") from None
    if _at(said, "type") != wanted:
        raise Unreadable(f"The body must be a message of a campaign: its type is {wanted}.")
    data = _at(said, "data")
    identity = _text(_at(data, "member", "identity"), NAME_MAX)
    return Letter(
        campaign=_text(_at(data, "campaign", "name"), NAME_MAX),
        name=_text(_at(data, "member", "name"), NAME_MAX) or identity,
        subject=_text(_at(data, "subject"), NAME_MAX),
        body=_text(_at(data, "body"), TEXT_MAX),
        event=_text(_at(data, "event", "name"), NAME_MAX),
        points=_number(_at(data, "event", "properties", "points")),
        reward=_number(_at(data, "reward", "points")),
        is_test=_at(data, "test") is True,
    )


def show(letter: Letter, console: Console, *, is_verified: bool, is_repeated: bool) -> None:
    """Print a message as a card."""
    lines = [Text(letter.subject, "bold")] if letter.subject else []
    lines += [Text(letter.body)] if letter.body else []
    if letter.reward is not None:
        lines.append(Text(f"with a reward of {letter.reward:,} points", "green"))
    of = f" of {letter.points:,} points" if letter.points is not None else ""
    marks = [f"on {letter.event}{of}"]
    marks += ["a test"] if letter.is_test else []
    marks += ["it came before: shown once more, to be acted on once"] if is_repeated else []
    marks += [] if is_verified else ["signature not checked"]
    lines.append(Text(", ".join(marks), "dim"))
    card = Panel(
        Text("\n").join(lines),
        title=Text(f"{letter.campaign} → {letter.name}"),
        title_align="left",
        border_style="yellow" if is_repeated else "cyan",
    )
    console.print(card)


def tell(console: Console, sentence: str) -> None:
    """Print a sentence beside the cards."""
    console.print(Text(printable(sentence), "dim"), soft_wrap=True)


def printable(text: str) -> str:
    """The same, with a blank for whatever isn't a letter on a screen, but line breaks."""
    return "".join(each if each.isprintable() or each == "\n" else " " for each in text)


def _at(said: object, *names: str) -> Any:
    """What stands under these names, one within the other; None where there is nothing."""
    for name in names:
        if not isinstance(said, dict):
            return None
        said = cast("dict[str, object]", said).get(name)
    return said


def _text(said: object, longest: int) -> str:
    if not isinstance(said, str):
        return ""
    return printable(said if len(said) <= longest else f"{said[:longest]}…")


def _number(said: object) -> int | float | None:
    return said if isinstance(said, int | float) and not isinstance(said, bool) else None
