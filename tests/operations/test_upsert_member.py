"""upsertMember: opens a member or changes one; a field left out stays, null clears it."""

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.refusals import assert_rejected
from tests.harness.values import Json

ANN: Json = {
    "name": "Ann",
    "email": "ann@example.com",
    "phone": "+49 30 1234",
    "time_zone": "Europe/Berlin",
    "attributes": {"tier": "gold", "visits": 3},
}


async def test_opens_a_member(client: Client) -> None:
    answer = await client.upsert_member("ann", **ANN)

    member = answer.member
    assert answer.error is None
    assert member is not None
    assert member.id.startswith("mem_")
    assert (member.identity, member.name, member.email) == ("ann", "Ann", "ann@example.com")
    assert (member.phone, member.time_zone) == ("+49 30 1234", "Europe/Berlin")
    assert member.attributes == {"tier": "gold", "visits": 3}
    assert await client.member("ann") == member


async def test_a_member_may_have_an_identity_and_nothing_else(client: Client) -> None:
    member = (await client.upsert_member("KMN@123")).member

    assert member is not None
    assert (member.name, member.email, member.phone, member.time_zone) == (None,) * 4
    assert member.attributes == {}


async def test_a_field_left_out_stays_and_null_clears(client: Client) -> None:
    first = (await client.upsert_member("ann", **ANN)).member

    second = (await client.upsert_member("ann", name="Anne", phone=None)).member

    assert first is not None
    assert second is not None
    assert second.id == first.id
    assert (second.name, second.phone) == ("Anne", None)
    assert (second.email, second.time_zone) == (first.email, first.time_zone)
    assert second.attributes == first.attributes
    assert await client.member("ann") == second


async def test_attributes_are_replaced_whole_and_cleared_by_null(client: Client) -> None:
    await client.upsert_member("ann", **ANN)

    replaced = (await client.upsert_member("ann", attributes={"city": "Köln"})).member
    assert replaced is not None
    assert replaced.attributes == {"city": "Köln"}

    cleared = (await client.upsert_member("ann", attributes=None)).member
    assert cleared is not None
    assert cleared.attributes == {}


async def test_a_first_credit_opens_a_member_that_can_be_filled_in_later(client: Client) -> None:
    wallet = (await client.credit("ann", 50)).wallet

    member = (await client.upsert_member("ann", name="Ann")).member

    assert wallet is not None
    assert member is not None
    assert member.id == wallet.member_id


async def test_identities_are_told_apart_exactly(client: Client) -> None:
    lower = (await client.upsert_member("ann")).member
    upper = (await client.upsert_member("Ann")).member

    assert lower is not None
    assert upper is not None
    assert lower.id != upper.id
    assert await client.member("ANN") is None


@pytest.mark.parametrize(
    ("fields", "naming"),
    [
        ({"identity": ""}, "identity"),
        ({"identity": "i" * 256}, "identity"),
        ({"identity": "an\x00n"}, "identity"),
        ({"identity": "an\nn"}, "identity"),
        ({"name": "n" * 101}, "name"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"attributes": [1, 2]}, "attributes"),
        ({"attributes": "gold"}, "attributes"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_refuses_what_no_member_can_be(
    client: Client, unchanged: Unchanged, fields: Json, naming: str
) -> None:
    async with unchanged():
        await assert_rejected(client, "upsertMember", {"identity": "ann"} | fields, naming)

    assert await client.member("ann") is None


async def test_the_longest_identity_is_255_characters(client: Client) -> None:
    member = (await client.upsert_member("i" * 255)).member

    assert member is not None
    assert member.identity == "i" * 255
