"""Whether what callers were answered can have been so, by the rows at the end. One pass each.

acknowledged and lost      what was answered to be done is there
answered otherwise         and is what was answered
not what was asked         and what was asked for
effect without a key       each effect has its key, each key was asked for: none is done twice
two answers to one key     all answers for a key are equal, and one at most is not a replay
refused and done           what was refused, or answered not to be done, is not there
against real time          what was answered before another was asked stands before it: in its
                           wallet, and in the log
refused without a reason   InsufficientPoints was so at a moment between question and answer;
                           HoldClosed is said of a hold that has nothing left
read of no moment          a balance that was read was so at such a moment
broken answer              an internal fault, or a refusal that nothing asked for can meet
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from tests.histories.books import EMPTY, by_wallet
from tests.histories.history import (
    CAPTURE,
    CREDIT,
    DEBIT,
    HOLD,
    READ,
    RELEASE,
    TRANSFER,
    Answered,
    Balance,
    Broken,
    Deed,
    Done,
    Finding,
    History,
    Invoked,
    Key,
    Nothing,
    Outcome,
    Posting,
    Refused,
    Seen,
)

KINDS = {
    CREDIT: ("CREDIT",),
    DEBIT: ("DEBIT",),
    HOLD: ("HOLD",),
    CAPTURE: ("DEBIT",),
    RELEASE: ("RELEASE",),
    TRANSFER: ("TRANSFER_OUT", "TRANSFER_IN"),
}
BY_CLOCK = frozenset({"ACTIVATION", "EXPIRY"})
SHORT, CLOSED = "InsufficientPoints", "HoldClosed"
FOREVER = 1 << 62

Value = int | Balance


@dataclass(slots=True)
class Known:
    """What is found out of one deed by going through the steps once.

    `floor` is the last sequence, of each of its wallets, that had been answered when it was first
    asked for; `floor_position` the same of the log. `ceiling` is the first sequence of its wallet
    that was asked for after it was first answered for good.
    """

    deed: Deed
    floor: dict[str, int]
    floor_position: int
    ceiling: int = FOREVER
    open: int = 0
    answers: list[Outcome] = field(default_factory=list[Outcome])

    @property
    def final(self) -> Iterator[Done | Refused]:
        return (each for each in self.answers if isinstance(each, Done | Refused))

    @property
    def nothing_was_done(self) -> bool:
        """Each attempt was answered so."""
        return not self.open and all(isinstance(each, Nothing) for each in self.answers)


Moments = dict[int, list[tuple[Known, Value]]]
"""What was told of a wallet, by the sequence that had been answered before it was asked."""


class Rows:
    """The rows at the end, by what they are looked up by.

    `closed` is the sequence of the row after which a hold had nothing left.
    """

    def __init__(self, history: History) -> None:
        self.owners = history.owners
        self.by_id = {row.id: row for row in history.postings}
        self.by_key = {key.key: key for key in history.keys}
        self.wallets = {
            history.owners.get(wallet, wallet): rows
            for wallet, rows in by_wallet(history.postings).items()
        }
        self.positions = {
            event.transaction: event.position for event in history.events if event.transaction
        }
        self.closed: dict[str, int] = {}
        left: dict[str, int] = {}
        for row in history.postings:
            if row.hold is not None:
                placed = row.points if row.kind == "HOLD" else -row.points
                left[row.hold] = left.get(row.hold, 0) + placed
                if not left[row.hold]:
                    self.closed[row.hold] = row.sequence

    def owner(self, row: Posting) -> str:
        return self.owners.get(row.wallet, row.wallet)

    def legs(self, transaction: str | None) -> tuple[Posting, ...]:
        """The rows of a key's transaction: two of a transfer."""
        row = self.by_id.get(transaction or "")
        if row is None:
            return ()
        other = self.by_id.get(row.related or "") if row.kind == "TRANSFER_OUT" else None
        return (row, other) if other else (row,)

    def legs_of(self, key: str) -> tuple[Posting, ...]:
        known = self.by_key.get(key)
        return self.legs(known.transaction) if known else ()


def check_deeds(history: History) -> Iterator[Finding]:
    """All of the above."""
    rows = Rows(history)
    known = _learn(history, rows)
    _learn_ceilings(history, rows, known)
    for each in known.values():
        yield from _check_answers(each)
        yield from _check_effect(each, rows)
        yield from _check_real_time(each, rows)
    yield from _check_keys(history, rows, known)
    yield from _check_moments(rows, known)


# ── going through the steps ──────────────────────────────────────────────────────────────────────


def _people(deed: Deed) -> tuple[str, ...]:
    return (deed.who,) if deed.to is None else (deed.who, deed.to)


def _learn(history: History, rows: Rows) -> dict[str, Known]:
    """Forward: what had been answered when each was first asked for."""
    known: dict[str, Known] = {}
    reached: dict[str, int] = {}
    position = 0
    for step in history.steps:
        deed = step.deed
        if isinstance(step, Invoked):
            if deed.key not in known:
                floor = {who: reached.get(who, 0) for who in _people(deed)}
                known[deed.key] = Known(deed, floor, position)
            known[deed.key].open += 1
            continue
        known[deed.key].open -= 1
        known[deed.key].answers.append(step.outcome)
        if isinstance(step.outcome, Done):
            for posting in step.outcome.postings:
                who = rows.owner(posting)
                reached[who] = max(reached.get(who, 0), posting.sequence)
                position = max(position, rows.positions.get(posting.id, 0))
    return known


def _learn_ceilings(history: History, rows: Rows, known: dict[str, Known]) -> None:
    """Backward: what was asked for only after each was answered.

    Of a deed's first question all rows are later than what was answered before: by going backward
    the first question is met last, and only lowers what its later ones have said.
    """
    first = _first_attempts(history)
    later: dict[str, int] = {}
    for step in reversed(history.steps):
        if isinstance(step, Answered):
            if isinstance(step.outcome, Refused | Seen):
                known[step.deed.key].ceiling = later.get(step.deed.who, FOREVER)
        elif step.attempt in first:
            for row in rows.legs_of(step.deed.key):
                who = rows.owner(row)
                later[who] = min(later.get(who, FOREVER), row.sequence)


def _first_attempts(history: History) -> set[int]:
    first: dict[str, int] = {}
    for step in history.steps:
        if isinstance(step, Invoked):
            first.setdefault(step.deed.key, step.attempt)
    return set(first.values())


# ── one deed ─────────────────────────────────────────────────────────────────────────────────────


def _check_answers(known: Known) -> Iterator[Finding]:
    deed = known.deed
    for broken in (each for each in known.answers if isinstance(each, Broken)):
        yield Finding("broken answer", f"{deed}: {broken.what}")
    final = list(known.final)
    told = {each.postings if isinstance(each, Done) else each for each in final}
    fresh = [each for each in final if isinstance(each, Done) and not each.replayed]
    if len(told) > 1 or len(fresh) > 1:
        yield Finding("two answers to one key", f"{deed}: {final}")


def _check_effect(known: Known, rows: Rows) -> Iterator[Finding]:
    deed, key = known.deed, rows.by_key.get(known.deed.key)
    legs = rows.legs_of(deed.key)
    if legs and not _is_asked(deed, legs, rows):
        yield Finding("not what was asked", f"{deed}: {legs}")
    if key and known.nothing_was_done:
        yield Finding("refused and done", f"{deed}: {known.answers}, but {key}")
    for answer in known.final:
        if isinstance(answer, Done):
            yield from _check_done(deed, answer, legs)
        elif key is None or key.transaction is not None:
            yield Finding("refused and done", f"{deed}: {answer}, but {key}")
        elif key.refused != answer:
            yield Finding("answered otherwise", f"{deed}: {answer}, but {key}")


def _check_done(deed: Deed, answer: Done, legs: tuple[Posting, ...]) -> Iterator[Finding]:
    if not legs:
        yield Finding("acknowledged and lost", f"{deed}: {answer}")
    elif legs != answer.postings:
        yield Finding("answered otherwise", f"{deed}: {answer}, but {legs}")


def _is_asked(deed: Deed, legs: tuple[Posting, ...], rows: Rows) -> bool:
    """The rows are what the deed asks for."""
    return (
        tuple(row.kind for row in legs) == KINDS.get(deed.kind)
        and tuple(rows.owner(row) for row in legs) == _people(deed)
        and all(deed.points in {None, row.points} for row in legs)
        and all(deed.hold in {None, row.hold} for row in legs)
    )


def _check_real_time(known: Known, rows: Rows) -> Iterator[Finding]:
    for row in rows.legs_of(known.deed.key):
        floor = known.floor.get(rows.owner(row), 0)
        if row.sequence <= floor:
            yield Finding("against real time", f"{known.deed}: {row}, {floor} was answered before")
        elif rows.positions.get(row.id, FOREVER) <= known.floor_position:
            before = f"position {known.floor_position} was answered before"
            yield Finding("against real time", f"{known.deed}: {row}, {before}")


# ── all of them ──────────────────────────────────────────────────────────────────────────────────


def _check_keys(history: History, rows: Rows, known: dict[str, Known]) -> Iterator[Finding]:
    """Every row has one key, and every key was asked for."""
    named: dict[str, Key] = {}
    for key in history.keys:
        if key.key not in known:
            yield Finding("effect without a key", f"nobody asked for {key}")
        if key.transaction and not rows.legs(key.transaction):
            yield Finding("acknowledged and lost", f"{key} stands for no row")
        for row in rows.legs(key.transaction):
            if row.id in named:
                yield Finding("effect without a key", f"{row} has {key} and {named[row.id]}")
            named[row.id] = key
    for row in history.postings:
        if row.id not in named and row.kind not in BY_CLOCK:
            yield Finding("effect without a key", str(row))


def _check_moments(rows: Rows, known: dict[str, Known]) -> Iterator[Finding]:
    """What was refused or read was so at a moment between the first question and the answer."""
    asked: dict[str, Moments] = {}
    for each in known.values():
        who = each.deed.who
        for answer in each.answers:
            match answer:
                case Refused(reason) if reason == CLOSED:
                    if rows.closed.get(each.deed.hold or "", FOREVER) >= each.ceiling:
                        yield Finding("refused without a reason", f"{each.deed}: {answer}")
                case Refused(_, int(value)) | Seen(value):
                    moments = asked.setdefault(who, {})
                    moments.setdefault(each.floor.get(who, 0), []).append((each, value))
                case Refused():
                    yield Finding("broken answer", f"{each.deed}: {answer}")
                case _:
                    pass
    for who, moments in asked.items():
        yield from _check_wallets_moments(rows.wallets.get(who, []), moments)


def _check_wallets_moments(wallet: list[Posting], asked: Moments) -> Iterator[Finding]:
    """Backward through a wallet's rows, with the nearest later moment of each value in hand."""
    nearest: dict[Value, int] = {}
    start = ((0, EMPTY),)
    moments = list(chain(start, ((row.sequence, row.after) for row in wallet)))
    for sequence, balance in reversed(moments):
        nearest[balance] = nearest[balance.active] = sequence
        for known, value in asked.get(sequence, ()):
            short = value < (known.deed.points or 0) if isinstance(value, int) else True
            if not short or nearest.get(value, FOREVER) >= known.ceiling:
                name = (
                    "read of no moment" if known.deed.kind == READ else "refused without a reason"
                )
                when = f"between {sequence} and {known.ceiling}"
                yield Finding(name, f"{known.deed}: {value} {when}")
