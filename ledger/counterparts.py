"""Invariants of what stands beside the balances: holds, coupons, the log, keys, the trail, members.

See ledger/invariants.py.
"""

from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Table,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)

from ledger.due import total
from ledger.invariants import Invariant, equal, is_kind, never, or_none, sum_if
from models.columns import TEXT
from models.tables import (
    api_keys,
    audit_entries,
    campaigns,
    channels,
    coupons,
    deliveries,
    details,
    events,
    held_lots,
    holds,
    idempotency_keys,
    inbox_messages,
    log_head,
    lots,
    members,
    programs,
    transactions,
    wallets,
)
from models.wallets import is_credited

_t: Final = transactions.c

# ── holds, corrections, transfers ────────────────────────────────────────────────────────────────


def _holds_add_up() -> Invariant:
    """Of a hold, what was set aside, captured and released is what its transactions say."""
    settled = (
        select(
            _t.hold_id,
            sum_if(is_kind("HOLD"), _t.points).label("points"),
            sum_if(is_kind("DEBIT"), _t.points).label("captured"),
            sum_if(is_kind("RELEASE"), _t.points).label("released"),
        )
        .where(_t.hold_id.is_not(None))
        .group_by(_t.hold_id)
        .subquery()
    )
    left = (
        select(held_lots.c.hold_id, total(held_lots.c.held).label("held"))
        .group_by(held_lots.c.hold_id)
        .subquery()
    )
    joined = holds.outerjoin(settled, settled.c.hold_id == holds.c.id)
    joined = joined.outerjoin(left, left.c.hold_id == holds.c.id)
    pairs = {
        name: (holds.c[name], or_none(settled.c[name]))
        for name in ("points", "captured", "released")
    }
    unsettled = holds.c.points - holds.c.captured - holds.c.released
    return equal("hold", holds.c.id, joined, **pairs, held_lots=(or_none(left.c.held), unsettled))


_original: Final = transactions.alias("original")


def _corrections_stay_within() -> Invariant:
    """The reversals of a credit, and the refunds of a debit, are no more than it was."""
    sums = (
        select(_t.related_id, _t.kind, total(_t.points).label("points"))
        .where(is_kind("REVERSAL", "REFUND"))
        .group_by(_t.related_id, _t.kind)
        .subquery()
    )
    broken = (
        select(sums.c.related_id, sums.c.points, sums.c.kind, _original.c.points)
        .join(_original, _original.c.id == sums.c.related_id)
        .where(sums.c.points > _original.c.points)
    )
    return never("transaction {}: {} points in {}s, more than its own {}.", broken)


def _related_are_there() -> Invariant:
    """What a transaction activates, reverses, refunds or pairs with is of that kind."""
    named = _original.c.kind
    both = and_(_original.c.related_id == _t.id, _original.c.points == _t.points)
    right = or_(
        and_(is_kind("ACTIVATION", "REVERSAL"), named == literal("CREDIT")),
        and_(is_kind("REFUND"), named == literal("DEBIT")),
        and_(is_kind("TRANSFER_OUT"), named == literal("TRANSFER_IN"), both),
        and_(is_kind("TRANSFER_IN"), named == literal("TRANSFER_OUT"), both),
    )
    needs = is_kind("ACTIVATION", "REVERSAL", "REFUND", "TRANSFER_OUT", "TRANSFER_IN")
    same = _original.c.program_id == _t.program_id
    broken = (
        select(_t.id, _t.kind, func.coalesce(_t.related_id, "nothing"))
        .outerjoin(_original, _original.c.id == _t.related_id)
        .where(needs, not_(func.coalesce(and_(right, same), literal(0) == 1)))
    )
    return never("transaction {}: a {} can't be related to {}.", broken)


def _credits_know_their_reversals() -> Invariant:
    """A credit's lot knows how much of the credit was reversed."""
    sums = (
        select(_t.related_id, total(_t.points).label("points"))
        .where(is_kind("REVERSAL"))
        .group_by(_t.related_id)
        .subquery()
    )
    joined = lots.outerjoin(
        sums, and_(is_credited(lots), sums.c.related_id == lots.c.transaction_id)
    )
    return equal("lot", lots.c.id, joined, reversed=(lots.c.reversed, or_none(sums.c.points)))


# ── the log, keys, members ───────────────────────────────────────────────────────────────────────

_EVENT: Final = case(
    (is_kind("CREDIT") & (_t.active_change == 0), literal("POINTS_PROMISED")),
    (is_kind("CREDIT", "ACTIVATION"), literal("POINTS_CREDITED")),
    (is_kind("DEBIT"), literal("POINTS_DEBITED")),
    (is_kind("EXPIRY"), literal("POINTS_EXPIRED")),
    (is_kind("REVERSAL"), literal("POINTS_REVERSED")),
    (is_kind("REFUND"), literal("POINTS_REFUNDED")),
    (is_kind("HOLD"), literal("POINTS_HELD")),
    (is_kind("RELEASE"), literal("POINTS_RELEASED")),
    else_=literal("POINTS_TRANSFERRED"),
)


def _transactions_have_their_event() -> Invariant:
    """Every transaction has exactly one event, which says the same."""
    e = events.c
    same = and_(
        e.name == _EVENT,
        e.wallet_id == _t.wallet_id,
        e.program_id == _t.program_id,
        e.points == _t.points,
        e.at == _t.effective_at,
    )
    broken = (
        select(_t.id, _t.kind)
        .outerjoin(events, and_(e.transaction_id == _t.id, same))
        .where(e.position.is_(None))
    )
    return never("transaction {}: this {} has no event that tells of it.", broken)


def _events_have_their_transaction() -> Invariant:
    """Every event tells of a transaction, but for those that tell of a lot that expires soon."""
    e = events.c
    warns = e.name == literal("POINTS_EXPIRING_SOON")
    broken = (
        select(e.id, e.name)
        .outerjoin(transactions, _t.id == e.transaction_id)
        .where(or_(and_(warns, e.lot_id.is_(None)), and_(not_(warns), _t.id.is_(None))))
    )
    return never("event {}: this {} tells of nothing that is there.", broken)


def _log_is_dense() -> Invariant:
    """Positions are 1..n, and the log's head is n."""
    e = events.c
    count, last = func.count(e.position), func.coalesce(func.max(e.position), 0)
    sums = select(count.label("count"), last.label("last")).subquery()
    head = log_head.c.position
    broken = select(sums.c.count, sums.c.last, head).join_from(sums, log_head, true())
    broken = broken.where(or_(sums.c.count != sums.c.last, sums.c.last != head))
    return never("the log has {} events, the last at position {}, and its head is at {}.", broken)


def _log_keeps_order() -> Invariant:
    """A wallet's events come in the order of its transactions."""
    e = events.c
    before = func.lag(_t.sequence, 1, 0).over(partition_by=e.wallet_id, order_by=e.position)
    rows = select(e.id, _t.sequence, before.label("before")).join(
        transactions, _t.id == e.transaction_id
    )
    told = rows.subquery()
    broken = select(told.c.id, told.c.sequence, told.c.before).where(
        told.c.sequence != told.c.before + 1
    )
    return never("event {}: it tells of sequence {}, and the one before it of {}.", broken)


def _keys_have_their_effect() -> Invariant:
    """What a key stands for is there."""
    k = idempotency_keys.c
    broken = (
        select(k.transaction_id)
        .outerjoin(transactions, _t.id == k.transaction_id)
        .where(k.transaction_id.is_not(None), _t.id.is_(None))
    )
    return never("an idempotency key stands for transaction {}, which is not there.", broken)


def _effects_have_one_key() -> Invariant:
    """No two keys stand for the same transaction."""
    k = idempotency_keys.c
    keys = func.count().label("keys")
    broken = select(k.transaction_id, keys).where(k.transaction_id.is_not(None))
    broken = broken.group_by(k.transaction_id).having(func.count() > 1)
    return never("transaction {}: {} idempotency keys stand for it.", broken)


def _effects_have_a_key() -> Invariant:
    """What a caller asked for has the key under which it was asked; the clock releases, too."""
    asked = is_kind("CREDIT", "DEBIT", "HOLD", "REVERSAL", "REFUND", "TRANSFER_OUT")
    k = idempotency_keys.c
    broken = (
        select(_t.id, _t.kind)
        .outerjoin(idempotency_keys, k.transaction_id == _t.id)
        .where(asked, k.key.is_(None))
    )
    return never("transaction {}: this {} has no idempotency key.", broken)


def _effects_have_their_actor() -> Invariant:
    """What a key stands for has one audit entry, since the trail began: with the first API key.

    Before it there was none to write in, and what the terminal tells of the past is older.
    """
    k, a = idempotency_keys.c, audit_entries.c
    began = select(func.min(a.at)).where(a.action == literal("createApiKey")).scalar_subquery()
    entries = func.count(a.id.distinct())
    broken = (
        select(k.transaction_id, entries)
        .outerjoin(audit_entries, a.subject_id == k.transaction_id)
        .where(k.transaction_id.is_not(None), k.created_at >= began)
        .group_by(k.transaction_id)
        .having(entries != 1)
    )
    return never("transaction {}: {} audit entries say who made it.", broken)


def _entries_have_their_subject() -> Invariant:
    """What the audit trail tells of is there."""
    a = audit_entries.c
    kept = (wallets, programs, members, api_keys, coupons, channels, campaigns, deliveries)
    others = [
        select(each.c.id).where(each.c.id == a.subject_id).correlate(audit_entries).exists()
        for each in kept
    ]
    broken = (
        select(a.id, a.action, a.subject_id)
        .outerjoin(transactions, _t.id == a.subject_id)
        .where(a.subject_id.is_not(None), _t.id.is_(None), *[not_(there) for there in others])
    )
    return never("audit entry {}: this {} is of {}, which is not there.", broken)


def _nothing_is_orphaned() -> Invariant:
    """What names a wallet, a member or a program names one that is there."""
    w = wallets.c

    def orphans(table: Table, owner: ColumnElement[str], owners: Table) -> Any:
        named = select(table.c.id, owner.label("owner")).outerjoin(owners, owners.c.id == owner)
        return named.where(owners.c.id.is_(None))

    broken = union_all(
        orphans(transactions, _t.wallet_id, wallets),
        orphans(lots, lots.c.wallet_id, wallets),
        orphans(holds, holds.c.wallet_id, wallets),
        orphans(wallets, w.member_id, members),
        orphans(wallets, w.program_id, programs),
    ).subquery()
    return never("{}: it is of {}, which is not there.", select(broken))


def _wallets_keep_to_their_program() -> Invariant:
    """A transaction and a lot are of their wallet's program."""
    of_transactions = select(_t.id, _t.wallet_id).join(wallets, wallets.c.id == _t.wallet_id)
    of_lots = select(lots.c.id, lots.c.wallet_id).join(wallets, wallets.c.id == lots.c.wallet_id)
    broken = union_all(
        of_transactions.where(_t.program_id != wallets.c.program_id),
        of_lots.where(lots.c.program_id != wallets.c.program_id),
    ).subquery()
    return never("{}: it is of another program than its wallet {}.", select(broken))


def _erased_are_forgotten() -> Invariant:
    """Of an erased member nothing personal is left."""
    m = members.c
    personal = or_(*[column.is_not(None) for column in (m.name, m.email, m.phone, m.time_zone)])
    known = m.identity != literal("erased:", TEXT) + m.id
    said = (
        select(details.c.transaction_id)
        .join(transactions, _t.id == details.c.transaction_id)
        .join(wallets, wallets.c.id == _t.wallet_id)
        .where(wallets.c.member_id == m.id, _t.created_at <= m.erased_at)
        .correlate(members)
        .exists()
    )
    d, inbox = deliveries.c, inbox_messages.c
    told = or_(d.subject.is_not(None), d.body.is_not(None), d.html.is_not(None))
    written = or_(
        exists().where(d.member_id == m.id, told).correlate(members),
        exists().where(inbox.member_id == m.id).correlate(members),
    )
    left = or_(personal, known, m.attributes != literal("{}"), said, written)
    broken = select(m.id).where(m.erased_at.is_not(None), left)
    return never("member {}: erased, and yet not all of it is.", broken)


OF_WHAT_STANDS_BESIDE: Final = (
    _holds_add_up(),
    _corrections_stay_within(),
    _related_are_there(),
    _credits_know_their_reversals(),
    _transactions_have_their_event(),
    _events_have_their_transaction(),
    _log_is_dense(),
    _log_keeps_order(),
    _keys_have_their_effect(),
    _effects_have_one_key(),
    _effects_have_a_key(),
    _effects_have_their_actor(),
    _entries_have_their_subject(),
    _nothing_is_orphaned(),
    _wallets_keep_to_their_program(),
    _erased_are_forgotten(),
)
