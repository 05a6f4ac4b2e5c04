"""What the model's wallets are made of: rows, lots, holds, and the ways to say no."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta


class Refused(Exception):
    """The model says no; `names` are the refusals that are as good as each other."""

    def __init__(self, name: str, **details: int) -> None:
        super().__init__(name)
        self.names = {name}
        self.details = details


@dataclass(frozen=True)
class Program:
    name: str
    rule: str = "NEVER"
    count: int = 0
    unit: str = "DAY"
    delay: timedelta = timedelta()
    by_issuance: bool = False
    zone: str = "UTC"
    limit: int | None = None
    decimals: int = 3


@dataclass
class Lot:
    """Points of one issuance: `remaining` counts the `held` too."""

    number: int
    issued: int
    issued_at: datetime
    active_at: datetime
    expires_at: datetime | None  # of its own; None is never, or by inactivity
    remaining: int
    held: int = 0
    active: bool = False
    over: bool = False  # its expiry has passed
    expired: int = 0
    reversed: int = 0

    @property
    def free(self) -> int:
        return self.remaining - self.held


Takes = list[tuple[int, int]]  # lot's number, points; in the order of taking


@dataclass
class Row:
    """One transaction. `owed` is what a refund of it may still give back."""

    kind: str
    points: int
    at: datetime
    active: int = 0
    promised: int = 0
    held: int = 0
    flow: str | None = None
    flow_change: int = 0
    lot: int | None = None
    owed: Takes = field(default_factory=list[tuple[int, int]])


@dataclass
class Hold:
    number: int
    points: int
    expires_at: datetime
    parts: Takes
    captured: int = 0
    released: int = 0
    status: str = "OPEN"

    @property
    def left(self) -> int:
        return self.points - self.captured - self.released


def split(takes: Takes, points: int) -> tuple[Takes, Takes]:
    """Split off the first so many points."""
    first: Takes = []
    rest: Takes = []
    for number, part in takes:
        now = min(points, part)
        points -= now
        if now:
            first.append((number, now))
        if part > now:
            rest.append((number, part - now))
    assert points == 0
    return first, rest
