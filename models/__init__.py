"""THE TABLES: columns and constraints, and the database they stand in."""

from models.api_keys import ApiKey
from models.audit import AuditEntry
from models.keys import IdempotencyKey
from models.log import Event, LogHead
from models.members import Member
from models.programs import DEFAULT_PROGRAM, Program
from models.transactions import Detail, LotChange, Transaction
from models.wallets import HeldLot, Hold, Lot, Wallet

__all__ = [
    "DEFAULT_PROGRAM",
    "ApiKey",
    "AuditEntry",
    "Detail",
    "Event",
    "HeldLot",
    "Hold",
    "IdempotencyKey",
    "LogHead",
    "Lot",
    "LotChange",
    "Member",
    "Program",
    "Transaction",
    "Wallet",
]
