"""Cursors after a backup was restored: one that names what is gone is refused ever after."""

import shutil
from pathlib import Path

from server.settings import Settings
from server.upkeep import back_up
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.servers import running

READ = "query Read($after: String) { pointsCreditedEvents(after: $after) { edges { cursor } } }"


async def assert_refused(client: Client, cursor: str, because: str) -> None:
    """Assert that neither the log nor the subscription goes on from there; both say why."""
    [read] = await client.refused(READ, after=cursor)
    async with client.subscribe(after=cursor) as stream:
        [followed] = await stream.refused()
    for error in (read, followed):
        assert error["extensions"]["code"] == "BAD_CURSOR"
        assert because in error["message"]


async def test_a_cursor_of_what_was_lost_is_refused_though_its_place_is_taken(
    sqlite_url: str, tmp_path: Path, clock: VirtualClock
) -> None:
    file, copy = Path(sqlite_url.removeprefix("sqlite:///")), tmp_path / "copy.db"
    async with running(sqlite_url, clock) as service:
        client = service.client
        await client.credit("ann", 1)
        kept = await client.event_cursor()
        back_up(Settings(database_url=sqlite_url), copy)
        await client.credit("ann", 2)
        await client.credit("ann", 3)
        lost = [event.cursor for event in (await client.events()).nodes[1:]]
    shutil.copy(copy, file)  # the service has ended, so that all of it was in the one file

    async with running(sqlite_url, clock) as service:
        client = service.client
        await client.credit("bob", 4, key="later-4")
        await assert_refused(client, lost[1], "beyond the event log's end")
        await client.credit("bob", 5, key="later-5")
        await client.credit("bob", 6, key="later-6")

        for cursor in lost:
            await assert_refused(client, cursor, "brought back to an earlier state")
        assert [event.points for event in (await client.events(after=kept)).nodes] == [4, 5, 6]
        async with client.subscribe(after=kept) as stream:
            assert [event.points for event in await stream.take(3)] == [4, 5, 6]
