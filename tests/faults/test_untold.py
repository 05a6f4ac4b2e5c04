"""What is done and can't be read back is told so: never that nothing was done."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.conftest import MIGRATED
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.postgres import Postgres
from tests.harness.servers import running
from tests.harness.values import Json

CREDIT = """mutation Credit($input: CreditPointsInput!) {
  creditPoints(input: $input) { replayed transaction { id } wallet { member { identity } } } }"""
UNTOLD = {"code": "OUTCOME_UNKNOWN", "retryable": True}

# A table whose reading ends as if the server were shut down just then; all others are as they were.
GONE = """
  CREATE FUNCTION gone() RETURNS boolean LANGUAGE plpgsql AS
    'BEGIN RAISE ''gone'' USING ERRCODE = ''57P01''; END';
  ALTER TABLE {table} RENAME TO {table}_as_it_was;
  CREATE VIEW {table} AS SELECT * FROM {table}_as_it_was WHERE gone()"""
BACK = "DROP VIEW {table}; ALTER TABLE {table}_as_it_was RENAME TO {table}; DROP FUNCTION gone"


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    yield postgres.create("untold", template=MIGRATED)
    postgres.drop("untold")


@pytest.fixture
async def client(database_url: str, clock: VirtualClock) -> AsyncIterator[Client]:
    async with running(database_url, clock) as service:
        yield service.client


async def ask(client: Client, wallet_id: str) -> Json:
    fields = client.credit_of(wallet_id, 5, key="order-1", description="Hello")
    _, answer = await client.ask(CREDIT, {"input": fields})
    return answer


async def test_what_was_done_is_not_told_to_be_nothing_when_its_answer_cant_be_read(
    client: Client, postgres: Postgres
) -> None:
    wallet_id = (await client.credit("ann", 10)).posted.wallet_id
    postgres.run(GONE.format(table="members"), "untold")

    answer = await ask(client, wallet_id)

    [error] = answer["errors"]
    assert error["path"] == ["creditPoints", "wallet", "member"]
    assert error["extensions"] == UNTOLD
    assert "nothing was done" not in error["message"]
    postgres.run(BACK.format(table="members"), "untold")
    again = await ask(client, wallet_id)
    assert again["data"]["creditPoints"]["replayed"] is True
    assert (await client.balance("ann")).active == 15


async def test_a_replay_that_cant_be_read_is_not_told_to_be_nothing(
    client: Client, postgres: Postgres
) -> None:
    wallet_id = (await client.credit("ann", 10)).posted.wallet_id
    first = await ask(client, wallet_id)
    postgres.run(GONE.format(table="details"), "untold")

    answer = await ask(client, wallet_id)

    [error] = answer["errors"]
    assert error["path"] == ["creditPoints"]
    assert error["extensions"] == UNTOLD
    postgres.run(BACK.format(table="details"), "untold")
    again = await ask(client, wallet_id)
    assert (
        again["data"]["creditPoints"]["transaction"] == first["data"]["creditPoints"]["transaction"]
    )


async def test_a_query_of_the_same_is_told_that_nothing_was_done(
    client: Client, postgres: Postgres
) -> None:
    await client.credit("ann", 10)
    postgres.run(GONE.format(table="members"), "untold")

    [error] = await client.refused("{ wallets { edges { node { member { identity } } } } }")

    assert error["extensions"] == {"code": "UNAVAILABLE", "retryable": True}
    postgres.run(BACK.format(table="members"), "untold")
