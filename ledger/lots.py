"""Lots: when one expires, which are usable, and in which order a wallet uses them up. Pure."""

from collections.abc import Callable

from ledger.records import Lot, Program, Wallet
from models.columns import NEVER


def expires_at(lot: Lot, wallet: Wallet) -> int:
    """When the lot expires, as things stand.

    Activity in the wallet moves it, unless the lot had lapsed before: it starts the time anew and
    never shortens it.
    """
    if lot.follows_activity and lot.expires_at > wallet.lapsed_at:
        return max(lot.expires_at, wallet.activity_expires_at)
    return lot.expires_at


def is_usable(lot: Lot, wallet: Wallet, now: int) -> bool:
    """A debit at `now` may take from the lot."""
    return lot.activated and lot.free > 0 and expires_at(lot, wallet) > now


def order_of(program: Program, wallet: Wallet) -> Callable[[Lot], tuple[int | str, ...]]:
    """The sort key by which the program's wallets use up lots; ties by expiry, activation, id."""
    if program.consumption == "EARLIEST_ISSUANCE":
        return lambda lot: (lot.issued_at, expires_at(lot, wallet), lot.active_at, lot.id)
    return lambda lot: (expires_at(lot, wallet), lot.active_at, lot.id)


def due_at(lot: Lot, wallet: Wallet) -> int:
    """When the clock next changes something about the lot; NEVER if it doesn't."""
    if lot.remaining == 0:
        return NEVER
    if not lot.activated:
        return lot.active_at
    return expires_at(lot, wallet) if lot.free > 0 else NEVER
