"""The kinds of column that the tables are made of, alike on every database.

Points are integers of 1/1000 point, instants are integers of microseconds since 1970-01-01T00:00Z:
exact, compared and summed alike everywhere, and 64 bits wide. Text is compared byte by byte, so
that ids sort by their time.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Integer, Text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.types import REAL
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

NEVER: Final = 253_402_300_799_999_999
"""The instant that stands for "never": 9999-12-31T23:59:59.999999Z.

A far instant sorts alike everywhere; NULL doesn't.
"""

POINTS_MAX: Final = 999_999_999_999_999
"""The most that a wallet may hold, in 1/1000 point: what every double still carries exactly."""

TEXT: Final[Any] = Text().with_variant(Text(collation="C"), "postgresql")
WHOLE: Final[Any] = BigInteger().with_variant(Integer(), "sqlite")
FLAG: Final[Any] = Boolean(create_constraint=False).with_variant(Integer(), "sqlite")
DOUBLE: Final[Any] = REAL().with_variant(DOUBLE_PRECISION(), "postgresql")


def text(**options: Any) -> Any:
    """Text: an id, an enum's value, or what a person wrote."""
    return Field(sa_type=TEXT, **options)


def whole(**options: Any) -> Any:
    """A 64-bit integer: points (1/1000), an instant (µs), a position or a count.

    Never given by the database.
    """
    return Field(sa_type=WHOLE, sa_column_kwargs={"autoincrement": False}, **options)


def flag(**options: Any) -> Any:
    """Yes or no."""
    return Field(sa_type=FLAG, **options)


def double(**options: Any) -> Any:
    """A number that is the caller's and never summed, like a sale's amount."""
    return Field(sa_type=DOUBLE, **options)


def one_of(column: str, *values: str) -> CheckConstraint:
    """The column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_is_known")


def holds(name: str, condition: str) -> CheckConstraint:
    """A rule, stated to the database by name: the name appears in its error."""
    return CheckConstraint(condition, name=name)
