"""The tables as SQLAlchemy Core sees them, for statements that are built once and run often."""

from typing import Any, Final

from sqlalchemy import Table

from models.api_keys import ApiKey
from models.audit import AuditEntry
from models.campaigns import Campaign, CampaignCursor, CampaignVersion, Channel
from models.coupons import Coupon, CouponUse
from models.deliveries import Attempt, Delivery, DeliveryHead, InboxMessage
from models.keys import IdempotencyKey
from models.log import Event, LogHead
from models.members import Member
from models.programs import Program
from models.transactions import Detail, LotChange, Transaction
from models.wallets import HeldLot, Hold, Lot, Wallet


def _table(model: Any) -> Table:
    return model.__table__


programs: Final = _table(Program)
members: Final = _table(Member)
wallets: Final = _table(Wallet)
lots: Final = _table(Lot)
holds: Final = _table(Hold)
held_lots: Final = _table(HeldLot)
transactions: Final = _table(Transaction)
lot_changes: Final = _table(LotChange)
details: Final = _table(Detail)
coupons: Final = _table(Coupon)
coupon_uses: Final = _table(CouponUse)
idempotency_keys: Final = _table(IdempotencyKey)
events: Final = _table(Event)
log_head: Final = _table(LogHead)
api_keys: Final = _table(ApiKey)
audit_entries: Final = _table(AuditEntry)
channels: Final = _table(Channel)
campaigns: Final = _table(Campaign)
campaign_versions: Final = _table(CampaignVersion)
campaign_cursor: Final = _table(CampaignCursor)
deliveries: Final = _table(Delivery)
attempts: Final = _table(Attempt)
inbox_messages: Final = _table(InboxMessage)
delivery_head: Final = _table(DeliveryHead)
