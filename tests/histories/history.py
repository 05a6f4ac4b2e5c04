"""A history: all that was asked of any instance, all that followers heard, and the rows at the end.

Steps stand in the order in which they happened, seen from the one process that all callers run in:
a step's place is its time. Points are in 1/1000, as in the rows.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

CREDIT, DEBIT, TRANSFER = "CREDIT", "DEBIT", "TRANSFER"
HOLD, CAPTURE, RELEASE, READ = "HOLD", "CAPTURE", "RELEASE", "READ"


class Balance(NamedTuple):
    active: int = 0
    promised: int = 0
    held: int = 0

    def plus(self, change: "Balance") -> "Balance":
        return Balance(*(mine + its for mine, its in zip(self, change, strict=True)))


@dataclass(frozen=True, slots=True)
class Deed:
    """What a caller wants, under one key; it may be asked for any number of times.

    `points` is None where a capture takes, or a release gives back, all that a hold has left.
    """

    key: str
    kind: str
    who: str
    points: int | None = None
    to: str | None = None
    hold: str | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of the ledger, as it was answered or as it stands in the table."""

    id: str
    wallet: str
    sequence: int
    kind: str
    points: int
    change: Balance
    after: Balance
    related: str | None = None
    hold: str | None = None


# ── what came of asking ──────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Done:
    """It is done: a transfer has two postings, the rest one."""

    postings: tuple[Posting, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """An expected no, which sticks to the key. `available` goes with InsufficientPoints."""

    reason: str
    available: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a read told."""

    balance: Balance


@dataclass(frozen=True, slots=True)
class Nothing:
    """It was answered that nothing was done."""

    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer, or one that says that it isn't known."""

    why: str


@dataclass(frozen=True, slots=True)
class Broken:
    """An answer that nobody may ever get: an internal fault, or none of those above."""

    what: str


Outcome = Done | Refused | Seen | Nothing | Unknown | Broken


@dataclass(frozen=True, slots=True)
class Invoked:
    """A caller asks an instance."""

    attempt: int
    deed: Deed
    instance: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """It hears what came of it. An attempt without this is an unknown outcome."""

    attempt: int
    deed: Deed
    outcome: Outcome


Step = Invoked | Answered


# ── the rows ─────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, and the one effect that it stands for."""

    key: str
    transaction: str | None
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One event of the log."""

    position: int
    name: str
    wallet: str
    transaction: str | None
    points: int


# ── what followers heard ─────────────────────────────────────────────────────────────────────────


class Heard(NamedTuple):
    position: int
    transaction: str
    wallet: str
    points: int


@dataclass(slots=True)
class Subscription:
    """One subscription, from the cursor it gave to the last event it heard."""

    after: int
    heard: list[Heard] = field(default_factory=list[Heard])


@dataclass(slots=True)
class Follower:
    """One who follows everything, or a member, over any number of subscriptions.

    `drained`: it was waited for until it had heard the last that there was to hear.
    """

    name: str
    who: str | None
    subscriptions: list[Subscription] = field(default_factory=list[Subscription])
    drained: bool = False

    @property
    def last(self) -> int:
        """The last position that it has heard of, or begun after."""
        return max(
            (sub.heard[-1].position if sub.heard else sub.after) for sub in self.subscriptions
        )


@dataclass(slots=True)
class History:
    """`owners` are the wallets' members by wallet; `postings` are by wallet and sequence."""

    steps: list[Step] = field(default_factory=list[Step])
    followers: list[Follower] = field(default_factory=list[Follower])
    owners: dict[str, str] = field(default_factory=dict[str, str])
    postings: list[Posting] = field(default_factory=list[Posting])
    keys: list[Key] = field(default_factory=list[Key])
    events: list[LogEvent] = field(default_factory=list[LogEvent])


@dataclass(frozen=True, slots=True)
class Finding:
    """What can't have been, by name, and where."""

    name: str
    where: str

    def __str__(self) -> str:
        return f"{self.name}: {self.where}"
