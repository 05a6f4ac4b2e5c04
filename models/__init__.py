"""THE TABLES: columns and constraints, and the database they stand in."""

from models.api_keys import ApiKey
from models.audit import AuditEntry
from models.campaigns import Campaign, CampaignCursor, CampaignVersion, Channel
from models.coupons import Coupon, CouponUse
from models.deliveries import Attempt, Delivery, DeliveryHead, InboxMessage
from models.keys import IdempotencyKey
from models.log import Event, LogHead
from models.members import Member
from models.programs import DEFAULT_PROGRAM, Program
from models.transactions import Detail, LotChange, Transaction
from models.wallets import HeldLot, Hold, Lot, Wallet

__all__ = [
    "DEFAULT_PROGRAM",
    "ApiKey",
    "Attempt",
    "AuditEntry",
    "Campaign",
    "CampaignCursor",
    "CampaignVersion",
    "Channel",
    "Coupon",
    "CouponUse",
    "Delivery",
    "DeliveryHead",
    "Detail",
    "Event",
    "HeldLot",
    "Hold",
    "IdempotencyKey",
    "InboxMessage",
    "LogHead",
    "Lot",
    "LotChange",
    "Member",
    "Program",
    "Transaction",
    "Wallet",
]
