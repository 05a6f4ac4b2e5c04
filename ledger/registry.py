"""The registry: programs and members, and the freezing of wallets.

Quiet commands, each a unit of work of its own. They may be repeated without harm and carry no key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeVar
from zoneinfo import ZoneInfoNotFoundError

import orjson
from sqlalchemy import Connection, select, update

from ledger.calendar import zone
from ledger.checks import NAME_MAX, identity, json_object, text, wallet_ref
from ledger.commands import Owner, WalletRef
from ledger.records import Member, Program, Wallet, row_of
from ledger.refusals import (
    InvalidInput,
    NameTaken,
    ProgramNotFound,
    Refusal,
    WalletNotFound,
)
from models.columns import POINTS_MAX
from models.dialects import write_rows
from models.ids import new_id
from models.tables import members, programs, wallets
from models.texts import IDENTITY_MAX

T = TypeVar("T")

COUNT_MAX: Final = 36_500
SOON_DAYS_MAX: Final = 3_650
DELAY_MAX_US: Final = 100 * 366 * 86_400 * 1_000_000
DECIMALS_MAX: Final = 3


class Unset(Enum):
    """What a caller left out, where leaving out means "as it is" and None means "clear"."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET
Maybe = str | None | Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateProgram:
    """A new program. `activation_delay` in microseconds, `max_balance` in 1/1000 point."""

    name: str
    points_name: str
    expiry_rule: str = "NEVER"
    expiry_count: int | None = None
    expiry_unit: str | None = None
    activation_delay: int | None = None
    consumption: str = "EARLIEST_EXPIRY"
    rounding_decimals: int = 0
    rounding_mode: str = "DOWN"
    time_zone: str = "UTC"
    max_balance: int | None = None
    expiring_soon_days: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateProgram:
    """What may change of a program; None leaves it as it is."""

    id: str
    points_name: str | None = None
    consumption: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsertMember:
    """A member's profile: UNSET leaves a field as it is, None clears it."""

    identity: str
    name: Maybe = UNSET
    email: Maybe = UNSET
    phone: Maybe = UNSET
    time_zone: Maybe = UNSET
    attributes: Any = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseMember:
    """Forget a person, keep the sums."""

    identity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeWallet:
    """Freeze a wallet, or thaw it."""

    wallet: WalletRef
    frozen: bool


@dataclass(frozen=True, slots=True)
class AsBefore(Generic[T]):
    """What was asked for is so already: nothing is written, and nobody written down for it."""

    record: T


# ── programs ──────────────────────────────────────────────────────────────────────────────────────


def create_program(connection: Connection, now: int, asked: CreateProgram) -> Program | Refusal:
    """Write a new program, under a name that no other has."""
    wrong = next(_program_checks(asked), None)
    if wrong:
        return wrong
    if connection.execute(select(programs.c.id).where(programs.c.name == asked.name)).first():
        return NameTaken("another program has this name.", ("name",))
    count = (
        asked.expiry_count or 0
        if asked.expiry_rule == "END_OF_CALENDAR_YEAR"
        else asked.expiry_count
    )
    program = Program(
        id=new_id("prg"),
        name=asked.name,
        points_name=asked.points_name,
        expiry_rule=asked.expiry_rule,
        expiry_count=count,
        expiry_unit=asked.expiry_unit,
        activation_delay=asked.activation_delay,
        consumption=asked.consumption,
        rounding_decimals=asked.rounding_decimals,
        rounding_mode=asked.rounding_mode,
        time_zone=asked.time_zone,
        max_balance=asked.max_balance,
        expiring_soon_days=asked.expiring_soon_days,
        created_at=now,
    )
    write_rows(connection, programs, [row_of(Program)(program)])
    return program


def _program_checks(asked: CreateProgram) -> Iterator[InvalidInput]:
    yield from text(asked.name, NAME_MAX, "name")
    yield from text(asked.points_name, NAME_MAX, "pointsName")
    yield from _expiry_checks(asked)
    if asked.activation_delay is not None and not 0 <= asked.activation_delay <= DELAY_MAX_US:
        yield InvalidInput("activationDelay must be from 0 to 100 years.", ("activationDelay",))
    if not 0 <= asked.rounding_decimals <= DECIMALS_MAX:
        yield InvalidInput("decimals must be 0, 1, 2 or 3.", ("rounding", "decimals"))
        return
    yield from _zone_check(asked.time_zone, "timeZone")
    if asked.max_balance is not None:
        smallest = 10 ** (DECIMALS_MAX - asked.rounding_decimals)
        if not 0 < asked.max_balance <= POINTS_MAX or asked.max_balance % smallest:
            yield InvalidInput(
                "maxBalance must be more than 0, with the program's decimals.", ("maxBalance",)
            )
    if not 0 <= asked.expiring_soon_days <= SOON_DAYS_MAX:
        yield InvalidInput(
            f"expiringSoonDays must be from 0 to {SOON_DAYS_MAX}.", ("expiringSoonDays",)
        )


def _expiry_checks(asked: CreateProgram) -> Iterator[InvalidInput]:
    rule, count, unit = asked.expiry_rule, asked.expiry_count, asked.expiry_unit
    if rule == "NEVER":
        if count is not None or unit is not None:
            yield InvalidInput("NEVER takes neither count nor unit.", ("expiry", "rule"))
        return
    is_year = rule == "END_OF_CALENDAR_YEAR"
    if is_year and unit not in (None, "YEAR"):
        yield InvalidInput("END_OF_CALENDAR_YEAR counts years.", ("expiry", "unit"))
    if not is_year and unit is None:
        yield InvalidInput(f"{rule} needs a unit: DAY, MONTH or YEAR.", ("expiry", "unit"))
    least = 0 if is_year else 1
    if not least <= (0 if count is None else count) <= COUNT_MAX:
        yield InvalidInput(
            f"{rule} needs a count from {least} to {COUNT_MAX}.", ("expiry", "count")
        )


def _zone_check(name: str, *path: str) -> Iterator[InvalidInput]:
    try:
        zone(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield InvalidInput(f"{path[-1]} must be an IANA time zone, like Europe/Berlin.", path)


def update_program(
    connection: Connection,
    now: int,  # noqa: ARG001
    asked: UpdateProgram,
) -> Program | AsBefore[Program] | Refusal:
    """Change what may change of a program."""
    if asked.points_name is not None:
        wrong = next(text(asked.points_name, NAME_MAX, "pointsName"), None)
        if wrong:
            return wrong
    row = connection.execute(
        select(programs).where(programs.c.id == asked.id).with_for_update()
    ).first()
    if row is None:
        return ProgramNotFound("there is no such program.", ("id",))
    known = Program(*row)
    changes = {
        "points_name": asked.points_name or known.points_name,
        "consumption": asked.consumption or known.consumption,
    }
    program = replace(known, **changes)
    if program == known:
        return AsBefore(known)
    connection.execute(update(programs).where(programs.c.id == asked.id).values(changes))
    return program


# ── members ───────────────────────────────────────────────────────────────────────────────────────


def upsert_member(
    connection: Connection, now: int, asked: UpsertMember
) -> Member | AsBefore[Member] | Refusal:
    """Open a member, or change the fields that are given."""
    wrong = next(_member_checks(asked), None)
    if wrong:
        return wrong
    row = connection.execute(
        select(members).where(members.c.identity == asked.identity).with_for_update()
    ).first()
    known = (
        Member(*row)
        if row
        else Member(new_id("mem"), asked.identity, None, None, None, None, "{}", now, None)
    )
    given: dict[str, Any] = {
        name: getattr(asked, name)
        for name in ("name", "email", "phone", "time_zone")
        if getattr(asked, name) is not UNSET
    }
    if asked.attributes is not UNSET:
        given["attributes"] = orjson.dumps(asked.attributes or {}).decode()
    member = replace(known, **given)
    if row and member == known:
        return AsBefore(known)
    write_rows(
        connection,
        members,
        [row_of(Member)(member)],
        "name",
        "email",
        "phone",
        "time_zone",
        "attributes",
    )
    return member


def _member_checks(asked: UpsertMember) -> Iterator[InvalidInput]:
    yield from identity(asked.identity, "identity")
    for name, longest in (("name", NAME_MAX), ("email", IDENTITY_MAX), ("phone", IDENTITY_MAX)):
        value = getattr(asked, name)
        if isinstance(value, str):
            yield from text(value, longest, name)
    if isinstance(asked.time_zone, str):
        yield from _zone_check(asked.time_zone, "timeZone")
    if asked.attributes is not UNSET and asked.attributes is not None:
        yield from json_object(asked.attributes, "attributes")


# ── freezing ──────────────────────────────────────────────────────────────────────────────────────


def freeze_wallet(
    connection: Connection,
    now: int,  # noqa: ARG001
    asked: FreezeWallet,
) -> Wallet | AsBefore[Wallet] | Refusal:
    """Freeze or thaw a wallet."""
    wrong = next(wallet_ref(asked.wallet, "wallet"), None)
    if wrong:
        return wrong
    chosen = wallets.c.id == _wallet_id(connection, asked.wallet)
    row = connection.execute(select(wallets).where(chosen).with_for_update()).first()
    if row is None:
        return WalletNotFound("there is no such wallet.", ("wallet",))
    known = Wallet(*row)
    if bool(known.frozen) == asked.frozen:
        return AsBefore(known)
    connection.execute(update(wallets).where(chosen).values(frozen=asked.frozen))
    return replace(known, frozen=asked.frozen)


def _wallet_id(connection: Connection, ref: WalletRef) -> str | None:
    if not isinstance(ref, Owner):
        return ref
    member = select(members.c.id).where(members.c.identity == ref.identity)
    query = (
        select(wallets.c.id)
        .join(programs, programs.c.id == wallets.c.program_id)
        .where(wallets.c.member_id == member.scalar_subquery(), programs.c.name == ref.program)
    )
    return connection.execute(query).scalar_one_or_none()
