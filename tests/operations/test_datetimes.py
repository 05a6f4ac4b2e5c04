"""DateTime, Duration and TimeZone: moments have an offset, durations a fixed length."""

import re

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock, instant
from tests.harness.refusals import assert_rejected, assert_request_error

CREDITED = """query At($id: ID!) { transaction(id: $id) { activeAt expiresAt createdAt } }"""
UTC_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)")


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-01T12:00:00Z",
        "2026-05-01T12:00:00+00:00",
        "2026-05-01T14:30:00+02:30",
        "2026-04-30T22:00:00-14:00",
        "2026-05-01T12:00:00.5Z",
        "2026-05-01T12:00:00.000001Z",
        "2026-05-01T12:00:00.123456Z",
    ],
)
async def test_a_moment_is_taken_with_any_offset_and_given_in_utc(
    client: Client, written: str
) -> None:
    credit = await client.credit("ann", 50, active_at=written)

    moments = (await client.execute(CREDITED, id=credit.id))["transaction"]

    assert instant(moments["activeAt"]) == instant(written)
    assert moments["expiresAt"] is None
    assert UTC_MOMENT.fullmatch(moments["activeAt"])
    assert UTC_MOMENT.fullmatch(moments["createdAt"])


NO_MOMENTS = [
    "2026-05-01T12:00:00",
    "2026-05-01",
    "12:00:00Z",
    "tomorrow",
    "",
    "2026-02-30T12:00:00Z",
    "2026-05-01T25:00:00Z",
    "2026-05-01T12:00:00+25:00",
    "20260501T120000Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "10000-01-01T00:00:00Z",
    1_777_636_800,
    True,
    ["2026-05-01T12:00:00Z"],
]


async def test_what_is_no_moment_is_refused_in_input(client: Client, unchanged: Unchanged) -> None:
    fields = client.credit_of("ann", 50, key="k")
    async with unchanged():
        for written in NO_MOMENTS:
            await assert_rejected(
                client, "creditPoints", fields | {"activeAt": written}, "activeAt"
            )


async def test_what_is_no_moment_is_refused_in_a_query(client: Client) -> None:
    await client.credit("ann", 50)
    document = """query At($at: DateTime) {
      wallet(ref: {owner: {identity: "ann"}}) { balance(at: $at) { active } } }"""

    for written in NO_MOMENTS:
        status, answer = await client.ask(document, {"at": written})
        assert_request_error(status, answer, "at")


async def test_a_literal_moment_must_have_an_offset_too(client: Client) -> None:
    document = '{ transactions(filter: {from: "2026-05-01T12:00:00"}) { edges { cursor } } }'

    status, answer = await client.ask(document, {})

    assert_request_error(status, answer, "")


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("P1D", {"days": 1}),
        ("P2W", {"days": 14}),
        ("PT36H", {"hours": 36}),
        ("PT90M", {"minutes": 90}),
        ("P1DT2H3M4S", {"days": 1, "hours": 2, "minutes": 3, "seconds": 4}),
    ],
)
async def test_a_duration_is_weeks_to_seconds(
    client: Client, clock: VirtualClock, written: str, span: dict[str, float]
) -> None:
    made = await client.create_program("Slow", activation_delay=written)
    assert made.error is None

    credit = await client.credit("ann", 50, program="Slow")

    assert credit.posted.active_at == clock.after(**span)


NO_DURATIONS = [
    *("", "P", "PT", "1D", "P1Y", "P1M", "-P1D", "P-1D", "P1H", "P99999999999D", "a day", 5, True)
]


async def test_what_is_no_duration_is_refused(client: Client, unchanged: Unchanged) -> None:
    fields = {"name": "Slow", "pointsName": "points"}
    async with unchanged():
        for written in NO_DURATIONS:
            bad = fields | {"activationDelay": written}
            await assert_rejected(client, "createProgram", bad, "activationDelay")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Kiritimati"])
async def test_a_time_zone_is_one_of_iana(client: Client, zone: str) -> None:
    made = await client.create_program("Zoned", time_zone=zone)

    assert made.program is not None
    assert made.program.time_zone == zone


async def test_what_is_no_time_zone_is_refused(client: Client, unchanged: Unchanged) -> None:
    fields = {"name": "Zoned", "pointsName": "points"}
    async with unchanged():
        for zone in ("", "Berlin", "Europe/Atlantis", "+02:00", "/etc/localtime", "💥", 1):
            await assert_rejected(client, "createProgram", fields | {"timeZone": zone}, "timeZone")
