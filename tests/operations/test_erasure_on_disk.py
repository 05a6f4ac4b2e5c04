"""Erasing: nothing that a person said or is called is left, in other wallets or in the files."""

from pathlib import Path

import pytest

from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import Service, running

SAID = ("Alice Example", "alice@example.org", "Happy birthday, Alice", "A gift from Alice")


async def live(client: Client) -> None:
    await client.upsert_member("alice", name=SAID[0], email=SAID[1])
    await client.credit("alice", 50, description=SAID[2])
    await client.transfer("alice", "bob", 10, description=SAID[3])


async def test_what_was_said_of_a_transfer_goes_from_both_wallets(client: Client) -> None:
    await live(client)

    await client.erase_member("alice")

    assert [row.description for row in await client.history("bob")] == [None]
    assert (await client.health()).violations == []


@pytest.mark.parametrize("from_the_start", [True, False], ids=["at once", "after a checkpoint"])
async def test_nothing_is_left_in_the_files_of_an_embedded_database(
    tmp_path: Path, clock: VirtualClock, *, from_the_start: bool
) -> None:
    database_url = f"sqlite:///{tmp_path / 'tuppence.db'}"
    async with running(database_url, clock) as service:
        await live(service.client)
        if not from_the_start:
            await service.inside.database.scrub()
        assert any(found_in(tmp_path, said) for said in SAID)

        await service.client.erase_member("alice")

        assert [said for said in SAID if found_in(tmp_path, said)] == []


def found_in(folder: Path, said: str) -> bool:
    return any(said.encode() in path.read_bytes() for path in folder.glob("tuppence.db*"))


async def test_a_credit_alone_tells_when_its_points_expire(
    service: Service, client: Client, clock: VirtualClock
) -> None:
    await client.credit("ann", 5, active_at=clock.after(days=1), expires_at=clock.after(days=5))
    clock.advance(days=2)
    await service.sweep()

    assert [(row.kind, row.expires_at) for row in await client.history("ann")] == [
        ("CREDIT", clock.after(days=3)),
        ("ACTIVATION", None),
    ]
