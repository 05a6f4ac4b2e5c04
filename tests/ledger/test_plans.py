"""Plans: what grows with the ledger is found by index, on either database."""

import re
from typing import Any

import pytest

from events.audit import AuditFilter, find_entries, page_entries
from events.log import CreditedFilter, find_credited, read_credited
from events.occurrences import find_occurrences, read_occurrences
from ledger import reading
from ledger import statements as sql
from ledger.commands import Owner
from ledger.coupons import find_coupons, find_coupons_coded
from ledger.filters import TransactionFilter, WalletFilter
from ledger.pages import (
    page_credited_not_redeemed,
    page_holds_of_wallets,
    page_transactions,
    page_transactions_of_wallets,
    page_wallets,
    page_wallets_of_members,
    page_wallets_of_programs,
)
from ledger.records import Wallet
from models.database import open_database
from models.windows import Window
from tests.conftest import PRISTINE
from tests.harness.plans import WHOLE_TABLE, Read, plan
from tests.harness.postgres import Postgres

FIRST = Window(first=20)
NEXT = Window(first=20, after=(7,))
BACK = Window(last=20, before=(7,))
BY_ID = Window(first=20, after=("wal_7",))
DUE = Wallet("wal_1", "prg_1", "mem_1", due_at=0)
PAST = Wallet("wal_1", "prg_1", "mem_1", effective_at=9)
SPAN = TransactionFilter(since=3, until=5)
ORDER = TransactionFilter(order_id="o")

READS: dict[str, Read] = {
    "history": lambda c: page_transactions_of_wallets(c, ["w"], FIRST, TransactionFilter()),
    "next history": lambda c: page_transactions_of_wallets(c, ["w"], NEXT, TransactionFilter()),
    "last history": lambda c: page_transactions_of_wallets(c, ["w"], BACK, TransactionFilter()),
    "history of a span": lambda c: page_transactions_of_wallets(c, ["w"], FIRST, SPAN),
    "history of an order": lambda c: page_transactions_of_wallets(c, ["w"], FIRST, ORDER),
    "transactions of an order": lambda c: page_transactions(c, FIRST, ORDER),
    "next transactions": lambda c: page_transactions(c, BY_ID, TransactionFilter()),
    "next wallets": lambda c: page_wallets(c, BY_ID, WalletFilter(), 1),
    "wallets of a program": lambda c: page_wallets(c, FIRST, WalletFilter(program_name="p"), 1),
    "wallets of a member": lambda c: page_wallets(c, FIRST, WalletFilter(identity="m"), 1),
    "rich wallets of a program": lambda c: page_wallets(
        c, FIRST, WalletFilter(program_name="p", min_active=5), 1
    ),
    "wallets of programs": lambda c: page_wallets_of_programs(c, ["p"], BY_ID),
    "wallets of members": lambda c: page_wallets_of_members(c, ["m"], BY_ID),
    "holds": lambda c: page_holds_of_wallets(c, ["w"], BY_ID, None, 1),
    "holds that run": lambda c: page_holds_of_wallets(c, ["w"], FIRST, "OPEN", 1),
    "credited, not redeemed": lambda c: page_credited_not_redeemed(c, FIRST, "p", 0, 0, 1),
    "credited, not redeemed, next": lambda c: page_credited_not_redeemed(
        c, Window(first=20, after=(7, "lot_7")), "p", 0, 0, 1
    ),
    "wallets": lambda c: reading.find_wallets(c, ["w"]),
    "wallet of an owner": lambda c: reading.find_wallet_of(c, Owner("m", "p")),
    "transactions": lambda c: reading.find_transactions(c, ["t"]),
    "wallets as of now": lambda c: reading.wallets_as_of(c, [DUE], 1),
    "past balances": lambda c: reading.balances_at(c, [PAST], 1),
    "expiring": lambda c: reading.expiring(c, ["w"], 1, 2),
    "summary": lambda c: reading.summarize(c, "p", 9, 1, 2),
    "coupons": lambda c: find_coupons(c, ["c"]),
    "coupons by code": lambda c: find_coupons_coded(c, ["SPRING"]),
    "coupons to redeem or to free": lambda c: c.execute(
        sql.COUPONS, {"codes": ["SPRING"], "ids": ["c"]}
    ),
    "uses of coupons": lambda c: c.execute(sql.COUPON_USES, {"ids": ["t"]}),
    "members' uses of coupons": lambda c: c.execute(
        sql.MEMBERS_USES, {"ids": ["c"], "member_ids": ["m"]}
    ),
    "log": lambda c: read_credited(c, 3, 20),
    "log of a wallet": lambda c: read_credited(c, 3, 20, CreditedFilter(wallet_id="w")),
    "log of a member": lambda c: read_credited(c, 3, 20, CreditedFilter(identity="m")),
    "events": lambda c: find_credited(c, ["e"]),
    "occurrences": lambda c: read_occurrences(c, 3, 20),
    "occurrences of a name": lambda c: read_occurrences(c, 3, 20, names=["POINTS_EXPIRED"]),
    "occurrences by id": lambda c: find_occurrences(c, ["e"]),
    "audit": lambda c: page_entries(c, FIRST, AuditFilter()),
    "next audit": lambda c: page_entries(c, Window(first=20, after=(7, "aud_7")), AuditFilter()),
    "audit of a span": lambda c: page_entries(c, FIRST, AuditFilter(since=1, until=2)),
    "last audit of a span": lambda c: page_entries(
        c, Window(last=20, before=(7, "aud_7")), AuditFilter(since=1, until=2)
    ),
    "audit of a key": lambda c: page_entries(c, FIRST, AuditFilter(key_id="k", since=1, until=2)),
    "audit of a wallet": lambda c: page_entries(c, FIRST, AuditFilter(subject_id="w")),
    "audit of an action": lambda c: page_entries(c, FIRST, AuditFilter(action="a", until=2)),
    "audit entries": lambda c: find_entries(c, ["a"]),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """A database that never held a row: what other tests left behind would change the plans."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("tmp_sqlite"))
    cluster: Postgres = request.getfixturevalue("postgres")
    return cluster.url(PRISTINE)


@pytest.fixture
async def explain(database_url: str) -> Any:
    database = open_database(database_url)
    yield lambda read: database.read(plan, read)
    await database.close()


@pytest.mark.parametrize("name", READS)
async def test_reads_no_table_whole(explain: Any, database_url: str, name: str) -> None:
    steps = await explain(READS[name])

    whole = WHOLE_TABLE[database_url.partition(":")[0]]
    assert steps != []
    assert [step for step in steps if whole.search(step)] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("history", "uq_transactions_wallet_id_sequence"),
        ("last history", "uq_transactions_wallet_id_sequence"),
        ("history of a span", "ix_transactions_wallet_id_effective_at"),
        ("history of an order", "ix_details_order_id"),
        ("past balances", "ix_transactions_wallet_id_effective_at"),
        ("wallets as of now", "ix_lots_promised"),
        ("wallets as of now", "ix_holds_open"),
        ("wallets of programs", "ix_wallets_program_id_id"),
        ("credited, not redeemed", "ix_lots_credited_by_program"),
        ("log of a wallet", "ix_events_wallet_id_position"),
        ("audit of a span", "ix_audit_entries_at_id"),
        ("audit of a key", "ix_audit_entries_key_id_at_id"),
        ("audit of a wallet", "ix_audit_entries_subject_id_at_id"),
        ("audit of an action", "ix_audit_entries_action_at_id"),
    ],
)
async def test_uses_the_index_that_is_there_for_it(
    explain: Any, database_url: str, name: str, index: str
) -> None:
    steps = "\n".join(await explain(READS[name]))

    if database_url.startswith("sqlite"):
        index = index.replace("uq_transactions_wallet_id_sequence", "autoindex_transactions_2")
    assert re.search(rf"{index}\b", steps), steps


@pytest.mark.parametrize(
    "name",
    [
        "history",
        "next history",
        "last history",
        "next transactions",
        "next audit",
        "last audit of a span",
        "audit of a key",
        "audit of a wallet",
        "audit of an action",
    ],
)
async def test_history_is_read_in_its_order_and_never_sorted(explain: Any, name: str) -> None:
    steps = "\n".join(await explain(READS[name]))

    assert "TEMP B-TREE" not in steps
    assert "Sort" not in steps
