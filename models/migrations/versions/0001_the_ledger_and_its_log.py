"""The ledger and its log."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

from models.dialects import forbid_rewriting
from models.ids import new_id

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FLAG = sa.Boolean(create_constraint=False).with_variant(sa.Integer(), "sqlite")
DOUBLE = sa.REAL().with_variant(postgresql.DOUBLE_PRECISION(), "postgresql")

WRITTEN_ONCE = ("transactions", "lot_changes", "events")


def upgrade() -> None:
    create_programs()
    create_members()
    create_wallets()
    create_lots()
    create_holds()
    create_transactions()
    create_details()
    create_idempotency_keys()
    create_log()
    for table in WRITTEN_ONCE:
        for statement in forbid_rewriting(table, op.get_context().dialect.name):
            op.execute(statement)
    open_log()
    open_default_program()


def downgrade() -> None:
    raise NotImplementedError("The book is never unwritten: restore a backup instead.")


def create_programs() -> None:
    create_table(
        "programs",
        text("id"),
        text("name"),
        text("points_name"),
        text("expiry_rule"),
        whole("expiry_count", nullable=True),
        text("expiry_unit", nullable=True),
        whole("activation_delay", nullable=True),
        text("consumption"),
        whole("rounding_decimals"),
        text("rounding_mode"),
        text("time_zone"),
        whole("max_balance", nullable=True),
        whole("expiring_soon_days"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        one_of("expiry_rule", "NEVER", "AFTER", "END_OF_CALENDAR_YEAR", "INACTIVITY"),
        one_of("expiry_unit", "DAY", "MONTH", "YEAR"),
        one_of("consumption", "EARLIEST_EXPIRY", "EARLIEST_ISSUANCE"),
        one_of("rounding_mode", "UP", "DOWN"),
        holds("program_decimals_0_to_3", "rounding_decimals BETWEEN 0 AND 3"),
        holds("program_delay_not_negative", "activation_delay >= 0"),
        holds("program_max_balance_positive", "max_balance > 0"),
    )


def create_members() -> None:
    create_table(
        "members",
        text("id"),
        text("identity"),
        text("name", nullable=True),
        text("email", nullable=True),
        text("phone", nullable=True),
        text("time_zone", nullable=True),
        text("attributes"),
        whole("created_at"),
        whole("erased_at", nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("identity"),
    )


def create_wallets() -> None:
    figures = ("active", "promised", "held", "credited", "transferred_in", "transferred_out")
    figures += ("redeemed", "removed", "expired", "reversed", "sequence", "redeemed_sequence")
    instants = ("effective_at", "written_at", "activity_expires_at", "lapsed_at")
    instants += ("due_at", "warning_at", "created_at")
    create_table(
        "wallets",
        text("id"),
        text("program_id"),
        text("member_id"),
        flag("frozen"),
        *[whole(name) for name in figures + instants],
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["program_id"], ["programs.id"]),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"]),
        sa.UniqueConstraint("program_id", "member_id"),
        holds("wallet_active_not_negative", "active >= 0"),
        holds("wallet_promised_not_negative", "promised >= 0"),
        holds("wallet_held_not_negative", "held >= 0"),
        holds("wallet_redeemed_not_negative", "redeemed >= 0 AND removed >= 0"),
        holds(
            "wallet_books_close",
            "active + promised + held = credited + transferred_in - transferred_out"
            " - redeemed - removed - expired - reversed",
        ),
    )
    for columns in (["member_id"], ["program_id", "id"], ["due_at"], ["warning_at"]):
        op.create_index(None, "wallets", columns)


def create_lots() -> None:
    create_table(
        "lots",
        text("id"),
        text("wallet_id"),
        text("program_id"),
        text("transaction_id"),
        flag("credited"),
        *[whole(name) for name in ("issued", "remaining", "held", "expired", "reversed")],
        *[whole(name) for name in ("issued_at", "active_at", "expires_at")],
        flag("follows_activity"),
        flag("activated"),
        whole("spendable_sequence", nullable=True),
        whole("warned_for"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"]),
        holds("lot_held_within_remaining", "0 <= held AND held <= remaining"),
        holds("lot_remaining_within_issued", "remaining <= issued"),
        holds("lot_expires_after_activation", "expires_at > active_at"),
    )
    op.create_index(None, "lots", ["transaction_id"])
    promised = "activated IS NOT TRUE AND remaining > 0"
    index_some("ix_lots_promised", "lots", ["wallet_id", "active_at"], promised)
    spendable = "activated IS TRUE AND remaining > held"
    by_expiry = ["wallet_id", "follows_activity", "expires_at", "active_at", "id"]
    index_some("ix_lots_by_expiry", "lots", by_expiry, spendable)
    by_issuance = ["wallet_id", "issued_at", "expires_at", "active_at", "id"]
    index_some("ix_lots_by_issuance", "lots", by_issuance, spendable)
    credited = "credited IS TRUE"
    index_some("ix_lots_credited", "lots", ["wallet_id", "active_at", "id"], credited)
    by_program = ["program_id", "active_at", "id"]
    index_some("ix_lots_credited_by_program", "lots", by_program, credited)


def create_holds() -> None:
    create_table(
        "holds",
        text("id"),
        text("wallet_id"),
        text("transaction_id"),
        *[whole(name) for name in ("points", "captured", "released")],
        text("status"),
        whole("expires_at"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"]),
        one_of("status", "OPEN", "CLOSED", "EXPIRED"),
        holds(
            "hold_settled_within_points",
            "captured >= 0 AND released >= 0 AND captured + released <= points",
        ),
        holds("hold_closed_when_settled", "(status = 'OPEN') = (captured + released < points)"),
    )
    op.create_index(None, "holds", ["wallet_id", "id"])
    index_some("ix_holds_open", "holds", ["wallet_id", "expires_at"], "status = 'OPEN'")
    create_table(
        "held_lots",
        text("hold_id"),
        whole("ordinal"),
        text("lot_id"),
        whole("held"),
        sa.PrimaryKeyConstraint("hold_id", "ordinal"),
        holds("held_lot_not_negative", "held >= 0"),
    )


def create_transactions() -> None:
    kinds = ("CREDIT", "ACTIVATION", "DEBIT", "EXPIRY", "REVERSAL", "REFUND", "HOLD", "RELEASE")
    kinds += ("TRANSFER_OUT", "TRANSFER_IN")
    flows = ("credited", "transferred_in", "transferred_out")
    flows += ("redeemed", "removed", "expired", "reversed")
    create_table(
        "transactions",
        text("id"),
        text("wallet_id"),
        text("program_id"),
        whole("sequence"),
        text("kind"),
        whole("points"),
        *[whole(name) for name in ("active_change", "promised_change", "held_change")],
        *[whole(name) for name in ("active_after", "promised_after", "held_after")],
        text("flow", nullable=True),
        whole("flow_change"),
        text("source", nullable=True),
        text("campaign_id", nullable=True),
        whole("active_at", nullable=True),
        whole("expires_at", nullable=True),
        text("related_id", nullable=True),
        text("hold_id", nullable=True),
        whole("effective_at"),
        whole("created_at"),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["wallet_id"], ["wallets.id"]),
        sa.UniqueConstraint("wallet_id", "sequence"),
        one_of("kind", *kinds),
        one_of("source", "API", "CAMPAIGN", "MANUAL", "CASHBACK_COUPON"),
        one_of("flow", *flows),
        holds("transaction_points_positive", "points > 0"),
        holds(
            "transaction_balance_not_negative",
            "active_after >= 0 AND promised_after >= 0 AND held_after >= 0",
        ),
    )
    op.create_index(None, "transactions", ["wallet_id", "effective_at"])
    op.create_index(None, "transactions", ["program_id", "effective_at"])
    related = "related_id IS NOT NULL"
    index_some("ix_transactions_related", "transactions", ["related_id"], related)
    create_table(
        "lot_changes",
        text("transaction_id"),
        whole("ordinal"),
        text("lot_id"),
        whole("remaining_change"),
        whole("held_change"),
        sa.PrimaryKeyConstraint("transaction_id", "ordinal"),
    )


def create_details() -> None:
    create_table(
        "details",
        text("transaction_id"),
        *[text(name, nullable=True) for name in ("description", "metadata_json", "order_id")],
        sa.Column("sale_amount", DOUBLE, nullable=True),
        *[text(name, nullable=True) for name in ("sale_channel", "location_id", "coupon_code")],
        sa.PrimaryKeyConstraint("transaction_id"),
    )
    op.create_index(None, "details", ["order_id"])


def create_idempotency_keys() -> None:
    create_table(
        "idempotency_keys",
        text("key"),
        text("fingerprint"),
        text("transaction_id", nullable=True),
        text("refusal", nullable=True),
        whole("created_at"),
        sa.PrimaryKeyConstraint("key"),
        holds("key_has_one_effect", "(transaction_id IS NULL) <> (refusal IS NULL)"),
    )


def create_log() -> None:
    names = ("CREDITED", "PROMISED", "DEBITED", "EXPIRED", "REVERSED", "REFUNDED", "HELD")
    names += ("RELEASED", "TRANSFERRED", "EXPIRING_SOON")
    create_table(
        "events",
        whole("position"),
        text("id"),
        text("name"),
        text("wallet_id"),
        text("program_id"),
        text("transaction_id", nullable=True),
        text("lot_id", nullable=True),
        whole("points"),
        whole("expires_at", nullable=True),
        whole("at"),
        sa.PrimaryKeyConstraint("position"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("transaction_id"),
        one_of("name", *[f"POINTS_{name}" for name in names]),
    )
    op.create_index(None, "events", ["wallet_id", "position"])
    create_table("log_head", whole("id"), whole("position"), sa.PrimaryKeyConstraint("id"))


def open_log() -> None:
    head = sa.table("log_head", sa.column("id"), sa.column("position"))
    op.execute(head.insert().values(id=1, position=0))


def open_default_program() -> None:
    program: dict[str, Any] = {
        "id": new_id("prg"),
        "name": "Points",
        "points_name": "points",
        "expiry_rule": "NEVER",
        "consumption": "EARLIEST_EXPIRY",
        "rounding_decimals": 0,
        "rounding_mode": "DOWN",
        "time_zone": "UTC",
        "expiring_soon_days": 7,
        "created_at": time.time_ns() // 1_000,
    }
    programs = sa.table("programs", *[sa.column(name) for name in program])
    op.execute(programs.insert().values(program))


# ── the words of this file ───────────────────────────────────────────────────────────────────────


def create_table(name: str, *parts: SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def text(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, TEXT, nullable=nullable)


def whole(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, WHOLE, nullable=nullable, autoincrement=False)


def flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, FLAG, nullable=False)


def one_of(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def holds(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def index_some(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
