"""updateProgram: changes the points' name and the order of consumption, and nothing else."""

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_rejected
from tests.harness.values import Program


async def made(client: Client, name: str) -> Program:
    answer = await client.create_program(name, "stars")
    assert answer.program is not None
    return answer.program


async def test_changes_what_it_names_and_leaves_the_rest(client: Client) -> None:
    before = await made(client, "Gold")

    renamed = await client.update_program(before.id, points_name="moons")
    reordered = await client.update_program(before.id, consumption="EARLIEST_ISSUANCE")

    assert renamed.program is not None
    assert (renamed.program.points_name, renamed.program.consumption) == (
        "moons",
        "EARLIEST_EXPIRY",
    )
    after = await client.program("Gold")
    assert after == reordered.program
    assert after is not None
    assert (after.points_name, after.consumption) == ("moons", "EARLIEST_ISSUANCE")
    assert (after.id, after.name, after.expiry) == (before.id, before.name, before.expiry)
    assert after.created_at == before.created_at


async def test_the_new_order_of_consumption_holds_from_the_next_debit(
    client: Client, clock: VirtualClock
) -> None:
    program = await made(client, "Gold")
    await client.credit("ann", 10, program="Gold", expires_at=clock.after(days=20))
    clock.advance(seconds=1)
    soon, late = clock.after(days=10), clock.after(days=20, seconds=-1)
    await client.credit("ann", 10, program="Gold", expires_at=soon)

    await client.debit("ann", 4, program="Gold")
    assert await client.expiring("ann", program="Gold") == [(soon, 6), (late, 10)]

    await client.update_program(program.id, consumption="EARLIEST_ISSUANCE")
    await client.debit("ann", 4, program="Gold")
    assert await client.expiring("ann", program="Gold") == [(soon, 6), (late, 6)]


async def test_refuses_a_program_that_is_not_there(client: Client, unchanged: Unchanged) -> None:
    async with unchanged():
        answer = await client.update_program("prg_01jqtc38xmeegs4d2pf28aqkff", points_name="moons")

    assert (answer.error, answer.error_path) == ("ProgramNotFound", ("input", "id"))
    assert answer.program is None


async def test_refuses_a_name_for_points_that_is_too_long(
    client: Client, unchanged: Unchanged
) -> None:
    program = await made(client, "Gold")

    async with unchanged():
        await assert_rejected(
            client, "updateProgram", {"id": program.id, "pointsName": "p" * 101}, "pointsName"
        )


async def test_the_name_and_the_rules_can_not_be_given(
    client: Client, unchanged: Unchanged
) -> None:
    program = await made(client, "Gold")

    async with unchanged():
        for field, value in (("name", "Silver"), ("timeZone", "Europe/Berlin")):
            await assert_rejected(client, "updateProgram", {"id": program.id, field: value}, field)
