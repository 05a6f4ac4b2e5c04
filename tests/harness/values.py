"""Answers as small values. Points are int or Decimal, moments are aware datetimes in UTC."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from tests.harness.clock import instant

Json = dict[str, Any]
Points = int | Decimal
T = TypeVar("T")


@dataclass(frozen=True)
class Balance:
    active: Points = 0
    promised: Points = 0
    held: Points = 0

    @property
    def total(self) -> Points:
        return self.active + self.promised + self.held


@dataclass(frozen=True)
class Lifetime:
    credited: Points = 0
    transferred_in: Points = 0
    transferred_out: Points = 0
    redeemed: Points = 0
    removed: Points = 0
    expired: Points = 0
    reversed: Points = 0

    @property
    def total(self) -> Points:
        """What must still be in the wallet: the right side of the balance equation."""
        come = self.credited + self.transferred_in
        gone = self.transferred_out + self.redeemed + self.removed + self.expired + self.reversed
        return come - gone


@dataclass(frozen=True)
class Wallet:
    id: str
    status: str
    created_at: datetime
    balance: Balance
    lifetime: Lifetime
    identity: str
    member_id: str
    program: str
    program_id: str


@dataclass(frozen=True)
class Order:
    id: str | None = None
    sale_amount: Points | None = None
    sale_channel: str | None = None
    location_id: str | None = None


@dataclass(frozen=True)
class Transaction:
    id: str
    wallet_id: str
    sequence: int
    kind: str
    points: Points
    change: Balance
    balance_after: Balance
    source: str | None
    campaign_id: str | None
    coupon_code: str | None
    description: str | None
    active_at: datetime | None
    expires_at: datetime | None
    order: Order | None
    metadata: Any
    related_id: str | None
    hold_id: str | None
    effective_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Hold:
    id: str
    wallet_id: str
    points: Points
    captured: Points
    released: Points
    status: str
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True)
class Program:
    id: str
    name: str
    points_name: str
    expiry: tuple[str, int | None, str | None]
    activation_delay: str | None
    consumption: str
    rounding: tuple[int, str]
    time_zone: str
    max_balance: Points | None
    expiring_soon_days: int
    created_at: datetime


@dataclass(frozen=True)
class Member:
    id: str
    identity: str
    name: str | None
    email: str | None
    phone: str | None
    time_zone: str | None
    attributes: Any


@dataclass(frozen=True)
class PointsCredited:
    id: str
    cursor: str
    name: str
    ct_source: str
    wallet_id: str
    transaction_id: str
    points: Points
    source: str
    campaign_id: str | None
    points_description: str | None
    event_timestamp: datetime
    points_expiry: datetime | None
    coupon_code: str | None
    coupon_id: str | None
    sale_channel: str | None
    location_id: str | None
    sale_amount: Points | None
    identity: str
    program_id: str


@dataclass(frozen=True)
class Summary:
    active: Points
    promised: Points
    held: Points
    credited: Points
    credited_by_source: Mapping[str, Points]
    redeemed: Points
    removed: Points
    expired: Points
    reversed: Points


@dataclass(frozen=True)
class Health:
    wallets: int
    transactions: int
    violations: list[str]


@dataclass(frozen=True)
class AuditEntry:
    id: str
    at: datetime
    actor: str
    key_id: str | None
    action: str
    subject_id: str | None
    request_id: str | None


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a connection."""

    nodes: list[T]
    cursors: list[str]
    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True)
class Answer:
    """A mutation's payload, flat; what the payload does not have is None."""

    raw: Json
    error: str | None = None
    error_path: tuple[str, ...] = ()
    message: str = ""
    details: Json = field(default_factory=dict[str, Any])
    replayed: bool | None = None
    transaction: Transaction | None = None
    sent: Transaction | None = None
    received: Transaction | None = None
    wallet: Wallet | None = None
    hold: Hold | None = None
    program: Program | None = None
    member: Member | None = None
    erased: bool | None = None
    results: tuple["Answer", ...] = ()

    @property
    def id(self) -> str:
        """The transaction's id, of an answer that must have one."""
        return self.posted.id

    @property
    def posted(self) -> Transaction:
        """The transaction, of an answer that must have one."""
        assert self.transaction is not None, f"no transaction: {self.raw}"
        return self.transaction

    @property
    def held(self) -> Hold:
        """The hold, of an answer that must have one."""
        assert self.hold is not None, f"no hold: {self.raw}"
        return self.hold


def snake(name: str) -> str:
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def plain(node: Json) -> Json:
    """Return the fields as Python names them, moments as datetimes, nested nodes left alone."""
    return {snake(name): moment(name, value) for name, value in node.items()}


def moment(name: str, value: object) -> object:
    if isinstance(value, str) and re.search(r"(^at|At|Timestamp|Expiry)$", name):
        return instant(value)
    return value


def only(kind: type[T], values: Json) -> T:
    """Build a dataclass from those of the values that it has a field for."""
    names = {each.name for each in fields(kind)}  # pyright: ignore[reportArgumentType]
    return kind(**{name: value for name, value in values.items() if name in names})


def balance(node: Json) -> Balance:
    return only(Balance, plain(node))


def wallet(node: Json) -> Wallet:
    return only(
        Wallet,
        plain(node)
        | {
            "balance": balance(node["balance"]),
            "lifetime": only(Lifetime, plain(node["lifetime"])),
            "identity": node["member"]["identity"],
            "member_id": node["member"]["id"],
            "program": node["program"]["name"],
            "program_id": node["program"]["id"],
        },
    )


def transaction(node: Json) -> Transaction:
    return only(
        Transaction,
        plain(node)
        | {
            "wallet_id": node["wallet"]["id"],
            "change": balance(node["change"]),
            "balance_after": balance(node["balanceAfter"]),
            "order": maybe(lambda order: only(Order, plain(order)), node["order"]),
            "related_id": (node["related"] or {}).get("id"),
            "hold_id": (node["hold"] or {}).get("id"),
        },
    )


def hold(node: Json) -> Hold:
    return only(Hold, plain(node) | {"wallet_id": node["wallet"]["id"]})


def program(node: Json) -> Program:
    expiry, rounding = node["expiry"], node["rounding"]
    return only(
        Program,
        plain(node)
        | {
            "expiry": (expiry["rule"], expiry["count"], expiry["unit"]),
            "rounding": (rounding["decimals"], rounding["mode"]),
        },
    )


def member(node: Json) -> Member:
    return only(Member, plain(node))


def event(node: Json) -> PointsCredited:
    assert node["wallet"]["id"] == node["walletId"]
    assert node["transaction"]["id"] == node["transactionId"]
    return only(PointsCredited, plain(node))


def audit_entry(node: Json) -> AuditEntry:
    return AuditEntry(**plain(node))


def summary(node: Json) -> Summary:
    by_source = {each["source"]: each["points"] for each in node["creditedBySource"]}
    some = {source: points for source, points in by_source.items() if points}
    return only(Summary, plain(node) | {"credited_by_source": some})


def page(node: Json, make: Callable[[Json], T]) -> Page[T]:
    info, edges = node["pageInfo"], node["edges"]
    return Page(
        nodes=[make(edge["node"]) for edge in edges],
        cursors=[edge["cursor"] for edge in edges],
        has_next_page=info["hasNextPage"],
        has_previous_page=info["hasPreviousPage"],
        start_cursor=info["startCursor"],
        end_cursor=info["endCursor"],
    )


def maybe(make: Callable[[Json], T], node: Json | None) -> T | None:
    return None if node is None else make(node)


MAKERS: dict[str, Callable[[Json], object]] = {
    "transaction": transaction,
    "sent": transaction,
    "received": transaction,
    "wallet": wallet,
    "hold": hold,
    "program": program,
    "member": member,
}


def answer(payload: Json) -> Answer:
    """Read a payload; at most one error is expected, for a rule stops at its first refusal."""
    parts: Json = {
        name: maybe(make, payload.get(name)) for name, make in MAKERS.items() if name in payload
    }
    refusals = payload["errors"]
    assert len(refusals) <= 1, refusals
    if refusals:
        first = refusals[0]
        told = {"__typename", "message", "path"}
        parts |= {
            "error": first["__typename"],
            "error_path": tuple(first["path"]),
            "message": first["message"],
            "details": {name: value for name, value in first.items() if name not in told},
        }
    return Answer(
        raw=payload,
        replayed=payload.get("replayed"),
        erased=payload.get("erased"),
        results=tuple(answer(each) for each in payload.get("results") or ()),
        **parts,
    )


def wire(value: object) -> object:
    """Turn a Python value into what goes over the wire."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {name: wire(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [wire(each) for each in value]
    return value


def duration(span: timedelta) -> str:
    seconds, rest = divmod(span, timedelta(seconds=1))
    assert not rest, f"not whole seconds: {span}"
    days, seconds = divmod(seconds, 86_400)
    return f"P{days}DT{seconds}S" if seconds else f"P{days}D"
