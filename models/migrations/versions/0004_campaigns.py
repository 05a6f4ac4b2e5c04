"""Campaigns and their deliveries."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean(create_constraint=False).with_variant(sa.Integer(), "sqlite")

KINDS = "'WEBHOOK', 'EMAIL', 'INBOX', 'APPRISE', 'CLEVERTAP'"
CAMPAIGN = "'DRAFT', 'RUNNING', 'PAUSED', 'STOPPED', 'COMPLETED'"
OPEN = "'WAITING', 'RETRYING', 'SENDING'"
DELIVERY = f"{OPEN}, 'SENT', 'SKIPPED', 'HELD_OUT', 'CANCELLED', 'FAILED', 'UNKNOWN'"
ABSENCES = "'CREDIT_UNREDEEMED', 'WALLET_UNREDEEMED'"


def upgrade() -> None:
    create_channels()
    create_campaigns()
    create_versions()
    create_deliveries()
    create_attempts()
    create_inbox()
    open_counters()


def downgrade() -> None:
    raise NotImplementedError("What was promised to members would be lost: restore a backup.")


def create_channels() -> None:
    create_table(
        "channels",
        text("id"),
        text("name"),
        text("kind"),
        text("settings"),
        text("secrets"),
        flag("disabled"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.CheckConstraint(f"kind IN ({KINDS})", name="kind_is_known"),
    )


def create_campaigns() -> None:
    create_table(
        "campaigns",
        text("id"),
        text("name"),
        text("status"),
        whole("version"),
        text("plan"),
        whole("ends_at"),
        flag("finishes"),
        whole("until_position"),
        whole("resumed_at", nullable=True),
        whole("placed"),
        whole("minute_at"),
        whole("minute_count"),
        whole("rests_until"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.CheckConstraint(f"status IN ({CAMPAIGN})", name="status_is_known"),
        sa.CheckConstraint(
            "(status = 'DRAFT') = (version = 0)", name="campaign_draft_is_unpublished"
        ),
        sa.CheckConstraint("placed >= 0", name="campaign_places_not_negative"),
    )


def create_versions() -> None:
    create_table(
        "campaign_versions",
        text("campaign_id"),
        whole("version"),
        text("name"),
        text("plan"),
        text("channel_id", nullable=True),
        whole("conversion_within", nullable=True),
        whole("from_position"),
        whole("published_at"),
        sa.PrimaryKeyConstraint("campaign_id", "version"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"]),
        sa.ForeignKeyConstraint(["channel_id"], ["channels.id"]),
    )


def create_deliveries() -> None:
    create_table(
        "deliveries",
        text("id"),
        text("campaign_id"),
        whole("version"),
        text("trigger_key"),
        flag("is_test"),
        text("event_id"),
        text("member_id"),
        text("wallet_id", nullable=True),
        text("lot_id", nullable=True),
        whole("sequence", nullable=True),
        text("absence", nullable=True),
        whole("depth"),
        text("status"),
        text("reason", nullable=True),
        text("detail", nullable=True),
        whole("due_at", nullable=True),
        whole("placed_at", nullable=True),
        whole("settled_at", nullable=True),
        whole("attempts"),
        text("reward_id", nullable=True),
        text("subject", nullable=True),
        text("body", nullable=True),
        text("html", nullable=True),
        whole("revision"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("campaign_id", "trigger_key"),
        sa.UniqueConstraint("revision"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"]),
        sa.CheckConstraint(f"status IN ({DELIVERY})", name="status_is_known"),
        sa.CheckConstraint(f"absence IN ({ABSENCES})", name="absence_is_known"),
        sa.CheckConstraint(
            f"(due_at IS NOT NULL) = (status IN ({OPEN}))", name="delivery_is_due_until_it_ends"
        ),
        sa.CheckConstraint(
            "(due_at IS NULL) = (settled_at IS NOT NULL)", name="delivery_settled_when_it_ends"
        ),
    )
    for columns in (
        ["campaign_id", "id"],
        ["campaign_id", "status", "reason", "is_test"],
        ["member_id", "id"],
        ["event_id"],
    ):
        op.create_index(None, "deliveries", columns)
    index_some("ix_deliveries_due", "due_at IS NOT NULL", "campaign_id", "due_at", "id")
    index_some(
        "ix_deliveries_absence_of_wallet", "due_at IS NOT NULL AND absence IS NOT NULL", "wallet_id"
    )
    index_some(
        "ix_deliveries_placed", "placed_at IS NOT NULL", "campaign_id", "member_id", "placed_at"
    )


def create_attempts() -> None:
    create_table(
        "attempts",
        text("delivery_id"),
        whole("number"),
        whole("started_at"),
        whole("finished_at", nullable=True),
        whole("status", nullable=True),
        text("error", nullable=True),
        sa.PrimaryKeyConstraint("delivery_id", "number"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"]),
    )


def create_inbox() -> None:
    create_table(
        "inbox_messages",
        text("id"),
        text("delivery_id"),
        text("member_id"),
        text("subject", nullable=True),
        text("body"),
        whole("sent_at"),
        whole("read_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("delivery_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
    )
    op.create_index(None, "inbox_messages", ["member_id", "id"])


def open_counters() -> None:
    for name, counted in (("campaign_cursor", "position"), ("delivery_head", "revision")):
        create_table(name, whole("id"), whole(counted), sa.PrimaryKeyConstraint("id"))
        counter = sa.table(name, sa.column("id"), sa.column(counted))
        op.execute(counter.insert().values({"id": 1, counted: 0}))


def create_table(name: str, *parts: SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def index_some(name: str, where: str, *columns: str) -> None:
    some = sa.text(where)
    op.create_index(name, "deliveries", columns, sqlite_where=some, postgresql_where=some)


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TEXT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, WHOLE, nullable=nullable, autoincrement=False)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, FLAG, nullable=False)
