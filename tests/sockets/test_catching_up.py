"""Those who catch up at the same time come by the same events: each is executed once for them."""

import pytest

from graph import kept
from tests.harness.servers import Service
from tests.sockets.sharing import WATCH, Gate, points, settle
from tests.sockets.talk import let_in

BEHIND = 40
LONG_S = 600


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
async def cursor(service: Service) -> str:
    """From here on there are so many events."""
    await service.client.create_program("main")
    before = await service.client.event_cursor()
    await service.client.credit_batch(
        [service.client.credit_of("ann", 1 + given) for given in range(BEHIND)]
    )
    return before


@pytest.mark.parametrize(("kept_s", "executed"), [(LONG_S, BEHIND), (0, 3 * BEHIND)])
async def test_for_a_moment_an_answer_is_good_for_whoever_comes_by(
    service: Service,
    cursor: str,
    gate: Gate,
    monkeypatch: pytest.MonkeyPatch,
    kept_s: int,
    executed: int,
) -> None:
    monkeypatch.setattr(kept, "KEPT_S", kept_s)
    async with let_in(service) as client:
        for id_ in ("1", "2", "3"):
            await client.subscribe(id_, WATCH, variables={"after": cursor})
            heard = [await points(client, id_) for _ in range(BEHIND)]
            assert heard == list(range(1, BEHIND + 1))

        assert gate.executed == executed
        await settle(service, client, client, client)


async def test_what_was_erased_meanwhile_is_answered_anew(
    service: Service, cursor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "KEPT_S", LONG_S)
    async with let_in(service) as one, let_in(service) as two:
        await one.subscribe("1", WATCH, variables={"after": cursor})
        before = [await one.hear() for _ in range(BEHIND)]
        await service.client.erase_member("ann")
        await two.subscribe("1", WATCH, variables={"after": cursor})
        after = [await two.hear() for _ in range(BEHIND)]

    identities = [
        {each["payload"]["data"]["pointsCredited"]["identity"][:7] for each in heard}
        for heard in (before, after)
    ]
    assert identities == [{"ann"}, {"erased:"}]


async def test_who_waits_for_anothers_answer_gets_its_own_when_that_one_leaves(
    service: Service, cursor: str, gate: Gate
) -> None:
    async with let_in(service) as goes, let_in(service) as stays:
        gate.close()
        await goes.subscribe("1", WATCH, variables={"after": cursor})
        await gate.is_reached()
        await stays.subscribe("1", WATCH, variables={"after": cursor})
        await service.following(2)
        assert await stays.is_alive()
        await goes.complete("1")
        await service.following(1)
        gate.is_open.set()

        assert [await points(stays) for _ in range(BEHIND)] == list(range(1, BEHIND + 1))
        assert await goes.is_alive()


async def test_who_was_quicker_than_the_others_does_not_hear_it_again_with_them(
    service: Service, cursor: str, gate: Gate
) -> None:
    async with let_in(service) as slow, let_in(service) as quick:
        await slow.subscribe("1", WATCH, variables={"after": cursor})
        assert [await points(slow) for _ in range(BEHIND)] == list(range(1, BEHIND + 1))
        await settle(service, slow)
        here = await service.client.event_cursor()
        async with gate.closed(service, 5):
            gate.let_others_by()
            await quick.subscribe("1", WATCH, variables={"after": here})
            assert await points(quick) == 5
            await quick.subscribe("2", WATCH, variables={"after": here})
            assert await points(quick, "2") == 5
            await service.following(3)

        assert await points(slow) == 5
        assert await quick.is_alive()
        await settle(service, slow, quick, quick)
