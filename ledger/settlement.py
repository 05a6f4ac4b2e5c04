"""Settlement: writing down what the clock has already done to a wallet.

Pure; time is handed in with the draft. Due are, by their instants and in this order at a tie: the
ACTIVATION of promised lots, the RELEASE of holds whose time ran out, the EXPIRY of lots. A row's
`effective_at` is its due instant, or that of the row before it, if that is later.
"""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from ledger.draft import Draft
from ledger.records import Hold, Lot

DUE_ROWS_MAX: Final = 1_000
"""How many due rows one command may write.

Past it, they are written first, so many at a time, and it waits.
"""

_ACTIVATION, _RELEASE, _EXPIRY = range(3)


class _Due(NamedTuple):
    at: int
    rank: int
    id: str


def settle(draft: Draft, rows_max: int = DUE_ROWS_MAX) -> bool:
    """Write what is due at the draft's instant, oldest first.

    False if more is due than may be written at once.
    """
    if draft.wallet.due_at > draft.now:
        return True
    draft.settled = True
    queue = [*_due_of_lots(draft), *_due_of_holds(draft)]
    heapify(queue)
    while queue:
        if len(draft.transactions) >= rows_max:
            return False
        due = heappop(queue)
        for following in _write(draft, due):
            heappush(queue, following)
    draft.wallet.due_at = (
        draft.now + 1
    )  # what comes next, the database tells: not every lot was read
    return True


def _due_of_lots(draft: Draft) -> Iterator[_Due]:
    for lot in draft.known_lots():
        if not lot.activated:
            if lot.remaining and lot.active_at <= draft.now:
                yield _Due(lot.active_at, _ACTIVATION, lot.id)
        elif lot.free:
            yield from _expiry_of(draft, lot, 0)


def _due_of_holds(draft: Draft) -> Iterator[_Due]:
    for hold in draft.known_holds():
        if hold.is_due(draft.now):
            yield _Due(hold.expires_at, _RELEASE, hold.id)


def _expiry_of(draft: Draft, lot: Lot, earliest: int) -> Iterator[_Due]:
    expiry = draft.expiry_of(lot)
    if expiry <= draft.now:
        yield _Due(max(expiry, earliest), _EXPIRY, lot.id)


def _write(draft: Draft, due: _Due) -> Iterator[_Due]:
    match due.rank:
        case 0:
            yield from _activate(draft, due)
        case 1:
            yield from release(draft, draft.hold(due.id), "EXPIRED", at=due.at)
        case _:
            expire(draft, draft.lot(due.id), at=due.at)


def _activate(draft: Draft, due: _Due) -> Iterator[_Due]:
    lot = draft.lot(due.id)
    points = lot.remaining
    row = draft.post(
        "ACTIVATION",
        points,
        active=points,
        promised=-points,
        at=due.at,
        related_id=lot.transaction_id,
        expires_at=draft.expiry_of(lot),
    )
    lot.activated = True
    lot.spendable_sequence = row.sequence
    draft.watch(lot)
    yield from _expiry_of(draft, lot, 0)


def release(
    draft: Draft,
    hold: Hold,
    status: str,
    *,
    id: str | None = None,
    at: int | None = None,
) -> Iterator[_Due]:
    """Give back all that is left of a hold; tells the expiries that follow at once."""
    points = hold.left
    row = draft.post("RELEASE", points, id=id, active=points, held=-points, at=at, hold_id=hold.id)
    hold.released += points
    hold.status = status
    for part in draft.held_lots[hold.id]:
        if part.held:
            lot = draft.change(row, part.lot_id, held=-part.held)
            part.held = 0
            yield from _expiry_of(draft, lot, row.effective_at)


def expire(draft: Draft, lot: Lot, at: int | None = None) -> None:
    """Take out of a lot what is in it and not held, its time being over."""
    points = lot.free
    if points == 0:
        return
    row = draft.post("EXPIRY", points, active=-points, flow="expired", flow_change=points, at=at)
    lot.expired += points
    draft.change(row, lot.id, remaining=-points)
