"""One instance erases a member to whom others are writing: nothing of their words is left."""

import asyncio
import random

import pytest
from sqlmodel import SQLModel

from tests.harness.patience import patience, poll
from tests.harness.servers import Service
from tests.harness.tables import rows
from tests.harness.values import Json
from tests.instances.elsewhere import foreign, someone_waits, waiting

MARK = "ann's own words"
SAID: Json = {"description": MARK, "metadata": {"to": MARK}, "order": {"id": MARK}}
LOG = "SELECT position FROM log_head FOR UPDATE"
MEMBERS = 12
TOLD_OF_THE_ERASED = """
SELECT identity FROM details
JOIN transactions ON transactions.id = details.transaction_id
JOIN wallets ON wallets.id = transactions.wallet_id
JOIN members ON members.id = wallets.member_id
WHERE erased_at IS NOT NULL
"""


async def tables_that_tell(database_url: str) -> set[str]:
    return {
        table
        for table in SQLModel.metadata.tables
        if MARK in repr(await rows(database_url, f"SELECT * FROM {table}"))
    }


@pytest.mark.parametrize("deed", ["credit", "first credit", "transfer"])
async def test_words_that_another_instance_is_writing_are_waited_for_and_cleared(
    three: list[Service], database_url: str, deed: str
) -> None:
    here, there = three[0].client, three[1].client
    await here.create_program("Gold")
    await here.upsert_member("ann", name="Ann")
    await here.credit("bob", 50)
    if deed != "first credit":
        await here.credit("ann", 5)
    async with foreign(database_url) as other, patience():
        await other.execute("BEGIN")
        await other.execute(LOG)  # all else is written by whoever comes to wait for it
        if deed == "transfer":
            writing = asyncio.create_task(here.transfer("bob", "ann", 5, description=MARK))
        else:
            writing = asyncio.create_task(here.credit("ann", 5, **SAID))
        await someone_waits(other)
        erasing = asyncio.create_task(there.erase_member("ann"))

        async def both_wait() -> bool:
            return len(await waiting(other)) == 2

        assert await poll(both_wait), "the erasing waits for what is being written"
        await other.execute("ROLLBACK")
        written, erased = await asyncio.gather(writing, erasing)

    assert (written.error, erased.error) == (None, None)
    assert await tables_that_tell(database_url) == set()
    assert (await three[2].client.health()).violations == []


async def test_words_that_come_while_a_member_is_being_erased_are_not_written(
    three: list[Service], database_url: str
) -> None:
    here, there = three[0].client, three[1].client
    await here.credit("ann", 5, description=MARK)
    async with foreign(database_url) as other, patience():
        await other.execute("BEGIN")
        await other.execute("SELECT transaction_id FROM details FOR UPDATE")
        erasing = asyncio.create_task(there.erase_member("ann"))
        await someone_waits(other)
        writing = asyncio.create_task(here.credit("ann", 5, **SAID))

        async def both_wait() -> bool:
            return len(await waiting(other)) == 2

        assert await poll(both_wait), "whoever writes waits for the erasing"
        await other.execute("ROLLBACK")
        erased, written = await asyncio.gather(erasing, writing)

    assert (erased.error, written.error) == (None, "WalletFrozen")
    assert await tables_that_tell(database_url) == set()
    assert (await three[2].client.health()).violations == []


async def test_credits_and_erasures_at_once_leave_no_words_of_whoever_was_erased(
    three: list[Service], database_url: str
) -> None:
    one, two, three_ = (service.client for service in three)
    await one.credit("bank", 1_000)
    for number in range(0, MEMBERS, 2):  # of half of them, there is a wallet already
        await one.credit(f"m{number}", 5, **SAID)
    deeds = [
        deed
        for number in range(MEMBERS)
        for deed in (
            one.credit(f"m{number}", 5, **SAID),
            two.transfer("bank", f"m{number}", 1, description=MARK),
            three_.erase_member(f"m{number}"),
            two.credit(f"m{number}", 5, **SAID),
        )
    ]
    random.Random(5).shuffle(deeds)

    async with patience(60):
        answers = await asyncio.gather(*deeds)

    assert {each.error for each in answers} <= {None, "MemberNotFound", "WalletFrozen"}
    assert await rows(database_url, TOLD_OF_THE_ERASED) == []
    [(erased,)] = await rows(
        database_url, "SELECT count(*) FROM members WHERE erased_at IS NOT NULL"
    )
    assert erased == sum(each.erased or False for each in answers) > 0
    assert (await one.health()).violations == []
