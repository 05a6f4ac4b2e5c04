"""Plans: what grows with campaigns and what they send is found by index, on either database."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection

from campaigns.channels.retries import is_repeatable
from campaigns.channels.switchboard import Channels
from campaigns.claims import is_due, take
from campaigns.deliveries import find_deliveries
from campaigns.evaluator import _DEPTHS  # pyright: ignore[reportPrivateUsage]
from campaigns.listeners import Versions
from campaigns.pages import (
    DeliveryFilter,
    find_inbox_messages_of,
    list_attempts,
    page_deliveries,
    page_inboxes,
    read_changed,
    read_stats,
)
from campaigns.plans import Plan
from campaigns.records import Delivery, delivery_row
from campaigns.registry import create_campaign, publish_campaign, stop_campaign
from campaigns.situations import _PLACED, Situations  # pyright: ignore[reportPrivateUsage]
from campaigns.standing import find_excluded, find_excluded_of_wallets
from events.audit import TERMINAL
from ledger.records import Member, row_of
from models.database import Database, open_database
from models.dialects import write_rows
from models.tables import deliveries, members
from models.windows import Window
from tests.campaigns.world import who
from tests.conftest import MIGRATED, PRISTINE
from tests.harness.plans import WHOLE_TABLE, Read, plan, steps_of
from tests.harness.postgres import Postgres

FIRST = Window(first=20)
NEXT = Window(first=20, after=("dlv_7",))
NOW = 1_773_144_000_000_000
WAITING, STOPPED = 20_000, 50
ROOM = 64


def pages(**wanted: Any) -> Read:
    return lambda c: page_deliveries(c, NEXT, DeliveryFilter(**wanted), NOW)


READS: dict[str, Read] = {
    "deliveries": pages(),
    "of a campaign": pages(campaign_id="c"),
    "of a member": pages(identity="m"),
    "of a member and a campaign": pages(identity="m", campaign_id="c"),
    "of an event": pages(event_id="e"),
    "of an event and a campaign": pages(event_id="e", campaign_id="c"),
    "by id": lambda c: find_deliveries(c, ["d"]),
    "changed": lambda c: read_changed(c, 3, 9, 20),
    "attempts": lambda c: list_attempts(c, ["d"]),
    "inboxes": lambda c: page_inboxes(c, ["m"], FIRST),
    "inbox messages": lambda c: find_inbox_messages_of(c, ["d"]),
    "stats": lambda c: read_stats(c, "c"),
    "excluded": lambda c: find_excluded(c, ["d"], NOW),
    "excluded of wallets": lambda c: find_excluded_of_wallets(c, ["w"], NOW),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def pristine(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A database that never held a row: what other tests left behind would change the plans."""
    if kind == "sqlite":
        database = open_database(str(request.getfixturevalue("sqlite_url")))
    else:
        cluster: Postgres = request.getfixturevalue("postgres")
        database = open_database(cluster.url(PRISTINE))
    yield database
    await database.close()


@pytest.fixture
async def crowded(kind: str, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A database in which one campaign has much that is due, and many have been stopped."""
    if kind == "sqlite":
        database = open_database(str(request.getfixturevalue("sqlite_url")))
        await database.write(crowd)
        yield database
        await database.close()
        return
    cluster: Postgres = request.getfixturevalue("postgres")
    database = open_database(cluster.create("crowded", template=MIGRATED))
    try:
        await database.write(crowd)
        yield database
    finally:
        await database.close()
        cluster.drop("crowded")


def look_for_places(connection: Connection) -> None:
    asked = {"campaign_ids": ["c", "d"], "member_ids": ["m", "n"]}
    connection.execute(_PLACED, asked)
    connection.execute(_DEPTHS, asked | {"ids": ["t"]})


def crowd(connection: Connection) -> None:
    ids: list[str] = []
    for number in range(STOPPED + 1):
        draft = create_campaign(connection, NOW, f"campaign {number}", Plan(who()), TERMINAL)
        publish_campaign(connection, NOW, draft.id, TERMINAL)  # type: ignore[union-attr]
        ids.append(draft.id)  # type: ignore[union-attr]
    for campaign_id in ids[1:]:
        stop_campaign(connection, NOW, campaign_id, False, TERMINAL)  # noqa: FBT003 - as the desk does
    ann = Member("mem_1", "ann", None, None, None, None, "{}", NOW, None)
    write_rows(connection, members, [row_of(Member)(ann)])
    rows = [delivery_row(waiting(number, ids[0])) for number in range(1, WAITING + 1)]
    write_rows(connection, deliveries, rows)


def waiting(number: int, campaign_id: str) -> Delivery:
    key = f"{number:08}"
    one = Delivery(
        id=f"dlv_{key}",
        campaign_id=campaign_id,
        version=1,
        trigger_key=key,
        is_test=False,
        event_id=key,
        member_id="mem_1",
        wallet_id=None,
        lot_id=None,
        sequence=None,
        absence=None,
        depth=0,
        status="WAITING",
        revision=-number,  # so that what changes now comes after
        created_at=NOW,
    )
    one.wait("WAITING", NOW)
    return one


@pytest.mark.parametrize("name", READS)
async def test_reads_no_table_whole(pristine: Database, kind: str, name: str) -> None:
    steps = await pristine.read(plan, READS[name])

    assert steps != []
    assert [step for step in steps if WHOLE_TABLE[kind].search(step)] == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("of a campaign", "ix_deliveries_campaign_id_id"),
        ("of a member", "ix_deliveries_member_id_id"),
        ("of an event", "ix_deliveries_event_id"),
        ("of an event and a campaign", "ix_deliveries_event_id"),
        ("stats", "ix_deliveries_campaign_id_status_reason_is_test"),
        ("excluded of wallets", "ix_deliveries_absence_of_wallet"),
    ],
)
async def test_uses_the_index_that_is_there_for_it(
    pristine: Database, name: str, index: str
) -> None:
    steps = "\n".join(await pristine.read(plan, READS[name]))

    assert re.search(rf"{index}\b", steps), steps


async def test_stats_are_counted_by_index_alone(pristine: Database) -> None:
    steps = "\n".join(await pristine.read(plan, READS["stats"]))

    alone = (
        r"(COVERING INDEX|Index Only Scan using) ix_deliveries_campaign_id_status_reason_is_test"
    )
    assert re.search(alone, steps), steps


async def test_who_has_had_something_is_looked_up_however_few_have(
    crowded: Database, kind: str
) -> None:
    steps = await crowded.read(steps_of, look_for_places)

    by_index = {
        "sqlite": r"ix_deliveries_placed \(campaign_id=\? AND member_id=\?",
        "postgresql": r"Index Cond: \(\(campaign_id = ANY .* AND \(member_id = ANY ",
    }
    assert len([step for step in steps if re.search(by_index[kind], step)]) == 2


async def test_what_is_due_is_asked_for_without_reading_what_waits(
    crowded: Database, kind: str
) -> None:
    for now in (NOW - 1, NOW):
        steps = await crowded.read(steps_of, lambda c, now=now: is_due(c, now))

        assert [step for step in steps if WHOLE_TABLE[kind].search(step)] == []


async def test_a_claim_reads_what_it_claims_and_not_what_else_waits(
    crowded: Database, kind: str
) -> None:
    ways = Channels()
    situations = Situations(ways, is_repeatable)
    claimed: list[Any] = []

    def claim(connection: Connection) -> None:
        claimed.append(take(connection, NOW, ROOM, Versions(), situations))

    steps = await crowded.write(steps_of, claim)
    await ways.close()

    assert [one.delivery.id for one in claimed[0][1]] == [f"dlv_{n:08}" for n in range(1, ROOM + 1)]
    whole = [step for step in steps if WHOLE_TABLE[kind].search(step)]
    assert [step for step in whole if "deliveries" in step] == []
