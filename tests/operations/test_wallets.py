"""wallets: every wallet, newest first, filtered, paged by keyset, at a fixed cost."""

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.statements import counted_statements
from tests.harness.values import Json

WITH_EVERYTHING = """query Rich($first: Int) {
  wallets(first: $first) { edges { node {
    id status balance { active promised held } lifetime { credited }
    program { name expiry { rule } } member { identity attributes }
    transactions(first: 3) { edges { node { id kind points description order { id } } } }
  } } } }"""


async def opened(client: Client, clock: VirtualClock, *people: str) -> list[str]:
    """Open a wallet for each, one after another; return their ids, newest first."""
    ids: list[str] = []
    for points, who in enumerate(people, start=1):
        ids.insert(0, (await client.credit(who, points * 10)).posted.wallet_id)
        clock.advance(seconds=1)
    return ids


async def test_pages_newest_first_in_both_directions(client: Client, clock: VirtualClock) -> None:
    ids = await opened(client, clock, "ann", "bob", "cyd", "dan", "eve")

    first = await client.wallets(first=2)
    second = await client.wallets(first=2, after=first.end_cursor)
    third = await client.wallets(first=2, after=second.end_cursor)
    assert [wallet.id for page in (first, second, third) for wallet in page.nodes] == ids
    assert [page.has_next_page for page in (first, second, third)] == [True, True, False]

    last = await client.wallets(last=2)
    before = await client.wallets(last=2, before=last.start_cursor)
    start = await client.wallets(last=2, before=before.start_cursor)
    assert [wallet.id for page in (start, before, last) for wallet in page.nodes] == ids
    assert [page.has_previous_page for page in (last, before, start)] == [True, True, False]


async def test_a_cursor_may_be_any_edges_own(client: Client, clock: VirtualClock) -> None:
    ids = await opened(client, clock, "ann", "bob", "cyd", "dan")
    page = await client.wallets()

    after = await client.wallets(after=page.cursors[1])
    before = await client.wallets(last=5, before=page.cursors[1])

    assert [wallet.id for wallet in after.nodes] == ids[2:]
    assert [wallet.id for wallet in before.nodes] == ids[:1]


async def test_a_page_of_nothing(client: Client) -> None:
    page = await client.wallets()

    assert (page.nodes, page.start_cursor, page.end_cursor) == ([], None, None)
    assert (page.has_next_page, page.has_previous_page) == (False, False)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"program": "Gold"}, ["ann/Gold"]),
        ({"program": "Points"}, ["cyd", "bob", "ann"]),
        ({"program": "Silver"}, []),
        ({"identity": "ann"}, ["ann/Gold", "ann"]),
        ({"identity": "ann", "program": "Points"}, ["ann"]),
        ({"identity": "nobody"}, []),
        ({"status": "FROZEN"}, ["bob"]),
        ({"status": "ACTIVE"}, ["ann/Gold", "cyd", "ann"]),
        ({"minActive": 20}, ["ann/Gold", "cyd", "bob"]),
        ({"maxActive": 20}, ["bob", "ann"]),
        ({"minActive": 15, "maxActive": 25}, ["bob"]),
        ({"minActive": 15, "status": "ACTIVE"}, ["ann/Gold", "cyd"]),
        ({}, ["ann/Gold", "cyd", "bob", "ann"]),
    ],
    ids=str,
)
async def test_can_be_filtered(
    client: Client, clock: VirtualClock, filter: Json, found: list[str]
) -> None:
    await client.create_program("Gold")
    await opened(client, clock, "ann", "bob", "cyd")
    await client.credit("ann", 99, program="Gold")
    await client.freeze("bob")

    page = await client.wallets(filter)

    names = {"Points": "", "Gold": "/Gold"}
    assert [wallet.identity + names[wallet.program] for wallet in page.nodes] == found


async def test_the_balance_filter_goes_by_the_clock(client: Client, clock: VirtualClock) -> None:
    await client.credit("ann", 50, expires_at=clock.after(days=1))
    await client.credit("bob", 50, active_at=clock.after(days=1))

    async def rich() -> list[str]:
        return [wallet.identity for wallet in (await client.wallets({"minActive": 50})).nodes]

    assert await rich() == ["ann"]
    clock.advance(days=1)
    assert await rich() == ["bob"]
    assert [each.identity for each in (await client.wallets({"maxActive": 0})).nodes] == ["ann"]


async def test_a_filtered_list_pages_without_gap(client: Client, clock: VirtualClock) -> None:
    await opened(client, clock, *(f"m{n}" for n in range(9)))

    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page = await client.wallets({"minActive": 35}, first=2, after=cursor)
        seen += [wallet.identity for wallet in page.nodes]
        cursor = page.end_cursor
        if not page.has_next_page:
            break

    assert seen == ["m8", "m7", "m6", "m5", "m4", "m3"]


async def test_a_programs_wallets_page_in_both_directions(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Gold")
    await client.credit("zoe", 1, program="Gold")
    ids = await opened(client, clock, "ann", "bob", "cyd")

    first = await client.program_wallets("Points", first=2)
    rest = await client.program_wallets("Points", first=2, after=first.end_cursor)
    last = await client.program_wallets("Points", last=1)

    assert [wallet.id for page in (first, rest) for wallet in page.nodes] == ids
    assert [wallet.id for wallet in last.nodes] == ids[-1:]


async def test_many_wallets_cost_as_many_statements_as_few(
    client: Client, clock: VirtualClock
) -> None:
    await client.create_program("Gold")
    for n in range(30):
        for program in ("Points", "Gold"):
            await client.credit_batch(
                [client.credit_of(f"m{n}", 1, program=program) for _ in range(4)]
            )
    clock.advance(seconds=1)
    await client.execute(WITH_EVERYTHING, first=1)  # whatever is prepared once, is prepared

    with counted_statements() as few:
        await client.execute(WITH_EVERYTHING, first=2)
    with counted_statements() as many:
        data = await client.execute(WITH_EVERYTHING, first=60)

    assert len(data["wallets"]["edges"]) == 60
    assert few, "no statement was seen: the reads go past SQLAlchemy"
    assert len(many) == len(few)
