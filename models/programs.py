"""Programs: the rules that a set of wallets keeps."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import SQLModel

from models.columns import holds, one_of, text, whole

DEFAULT_PROGRAM = "Points"
"""The name of the program that a fresh installation has: never-expiring whole points."""


class Program(SQLModel, table=True):
    """One loyalty program. Fixed when it is created, apart from `points_name` and `consumption`.

    `activation_delay` is in microseconds. Names are unique over the installation.
    """

    __tablename__ = "programs"
    __table_args__: ClassVar[Any] = (
        UniqueConstraint("name"),
        one_of("expiry_rule", "NEVER", "AFTER", "END_OF_CALENDAR_YEAR", "INACTIVITY"),
        one_of("expiry_unit", "DAY", "MONTH", "YEAR"),
        one_of("consumption", "EARLIEST_EXPIRY", "EARLIEST_ISSUANCE"),
        one_of("rounding_mode", "UP", "DOWN"),
        holds("program_decimals_0_to_3", "rounding_decimals BETWEEN 0 AND 3"),
        holds("program_delay_not_negative", "activation_delay >= 0"),
        holds("program_max_balance_positive", "max_balance > 0"),
        {"sqlite_strict": True},
    )

    id: str = text(primary_key=True)
    name: str = text()
    points_name: str = text()
    expiry_rule: str = text()
    expiry_count: int | None = whole()
    expiry_unit: str | None = text()
    activation_delay: int | None = whole()
    consumption: str = text()
    rounding_decimals: int = whole()
    rounding_mode: str = text()
    time_zone: str = text()
    max_balance: int | None = whole()
    expiring_soon_days: int = whole()
    created_at: int = whole()
