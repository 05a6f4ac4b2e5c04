"""Erasure: a person is forgotten, wherever the tables tell of them, and no sum changes."""

from typing import Final

from sqlalchemy import Connection, bindparam, delete, or_, select, update

from events.log import note_erasure
from ledger.checks import text
from ledger.refusals import MemberNotFound, Refusal
from ledger.registry import EraseMember
from models.columns import WHOLE
from models.tables import (
    attempts,
    deliveries,
    details,
    inbox_messages,
    members,
    transactions,
    wallets,
)
from models.texts import ERASED, IDENTITY_MAX

_MEMBER: Final = bindparam("whom")
_NOW: Final = bindparam("at", type_=WHOLE)

_owned: Final = select(wallets.c.id).where(wallets.c.member_id == _MEMBER)
_written: Final = select(transactions.c.id).where(transactions.c.wallet_id.in_(_owned))
# What is said of a transfer is said of both its legs, and one is in another's wallet.
_legs: Final = select(transactions.c.related_id).where(
    transactions.c.wallet_id.in_(_owned),
    transactions.c.kind.in_(("TRANSFER_OUT", "TRANSFER_IN")),
)
_said: Final = details.c.transaction_id
_told: Final = select(deliveries.c.id).where(deliveries.c.member_id == _MEMBER)
_theirs: Final = deliveries.c.member_id == _MEMBER

# All that others may be adding words to is locked before anything is cleared: in their order, so
# that nobody waits for each other, and first, so that each statement below sees what they wrote.
_LOCK: Final = (
    select(wallets.c.id)
    .where(wallets.c.member_id == _MEMBER)
    .order_by(wallets.c.id)
    .with_for_update(),
    select(deliveries.c.id)
    .where(deliveries.c.member_id == _MEMBER)
    .order_by(deliveries.c.id)
    .with_for_update(),
)
_CLEAR: Final = (
    update(wallets).where(wallets.c.member_id == _MEMBER).values(frozen=True),
    delete(details).where(or_(_said.in_(_written), _said.in_(_legs))),
    delete(inbox_messages).where(inbox_messages.c.member_id == _MEMBER),
    # What went wrong may name an address.
    update(attempts).where(attempts.c.delivery_id.in_(_told)).values(error=None),
    update(deliveries).where(_theirs).values(subject=None, body=None, html=None, detail=None),
    update(deliveries)
    .where(_theirs, deliveries.c.due_at.is_not(None))
    .values(status="CANCELLED", reason="MEMBER_ERASED", due_at=None, settled_at=_NOW),
    update(members)
    .where(members.c.id == _MEMBER)
    .values(
        identity=bindparam("erased_identity"),
        name=None,
        email=None,
        phone=None,
        time_zone=None,
        attributes="{}",
        erased_at=_NOW,
    ),
)


def erase_member(connection: Connection, now: int, asked: EraseMember) -> str | Refusal:
    """Clear every personal field, freeze the wallets, and change no row of the book.

    What campaigns have waiting is cancelled, and what they said is cleared. What others are writing
    meanwhile is waited for and cleared, too, or finds that there is no such member, and the wallet
    frozen. The log counts it, so that every instance forgets what it remembers of events. Gives the
    member's id.
    """
    wrong = next(text(asked.identity, IDENTITY_MAX, "identity"), None)
    if wrong:
        return wrong
    query = select(members.c.id).where(members.c.identity == asked.identity).with_for_update()
    member_id = connection.execute(query).scalar_one_or_none()
    if member_id is None or asked.identity.startswith(ERASED):
        return MemberNotFound("there is no such member.", ("identity",))
    given = {"whom": member_id, "at": now, "erased_identity": f"{ERASED}{member_id}"}
    for statement in (*_LOCK, *_CLEAR):
        connection.execute(statement, given)
    note_erasure(connection)
    return member_id
