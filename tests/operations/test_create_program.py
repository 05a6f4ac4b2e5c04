"""createProgram: makes a program, whose rules then hold for ever."""

import pytest

from tests.conftest import Unchanged
from tests.harness.client import Client
from tests.harness.clock import VirtualClock
from tests.harness.refusals import assert_rejected
from tests.harness.rules import NEVER, after, decimals, end_of_calendar_year, inactivity
from tests.harness.values import Balance, Json


async def test_a_program_has_the_defaults_of_the_contract(
    client: Client, clock: VirtualClock
) -> None:
    answer = await client.create_program("Gold", "stars")

    program = answer.program
    assert answer.error is None
    assert program is not None
    assert program.id.startswith("prg_")
    assert (program.name, program.points_name) == ("Gold", "stars")
    assert program.expiry[0] == "NEVER"
    assert program.activation_delay is None
    assert program.consumption == "EARLIEST_EXPIRY"
    assert program.rounding == (0, "DOWN")
    assert program.time_zone == "UTC"
    assert program.max_balance is None
    assert program.expiring_soon_days == 7
    assert program.created_at == clock.now
    assert await client.program("Gold") == program


@pytest.mark.parametrize(
    ("expiry", "kept"),
    [
        (NEVER, ("NEVER", None, None)),
        (after(30), ("AFTER", 30, "DAY")),
        (after(6, "MONTH"), ("AFTER", 6, "MONTH")),
        (after(2, "YEAR"), ("AFTER", 2, "YEAR")),
        (inactivity(12, "MONTH"), ("INACTIVITY", 12, "MONTH")),
        (end_of_calendar_year(0), ("END_OF_CALENDAR_YEAR", 0, None)),
        (end_of_calendar_year(2), ("END_OF_CALENDAR_YEAR", 2, None)),
    ],
    ids=str,
)
async def test_each_expiry_rule_is_kept_as_given(
    client: Client, expiry: Json, kept: tuple[str, int | None, str | None]
) -> None:
    answer = await client.create_program("Gold", expiry=expiry)

    assert answer.program is not None
    assert answer.program.expiry == kept


async def test_every_rule_can_be_chosen(client: Client) -> None:
    answer = await client.create_program(
        "Gold",
        "Sterne",
        activation_delay="P14D",
        consumption="EARLIEST_ISSUANCE",
        rounding=decimals(2, "UP"),
        time_zone="Europe/Berlin",
        max_balance=1_000,
        expiring_soon_days=30,
    )

    program = await client.program("Gold")
    assert program is not None
    assert program == answer.program
    assert program.points_name == "Sterne"
    assert program.activation_delay == "P14D"
    assert program.consumption == "EARLIEST_ISSUANCE"
    assert program.rounding == (2, "UP")
    assert program.time_zone == "Europe/Berlin"
    assert program.max_balance == 1_000
    assert program.expiring_soon_days == 30


async def test_a_fresh_installation_has_the_default_program(client: Client) -> None:
    program = await client.program("Points")

    assert program is not None
    assert program.expiry[0] == "NEVER"
    assert program.rounding[0] == 0
    assert [each.name for each in (await client.programs()).nodes] == ["Points"]


async def test_refuses_a_name_that_is_taken(client: Client, unchanged: Unchanged) -> None:
    await client.create_program("Gold", "stars")

    async with unchanged():
        answer = await client.create_program("Gold", "moons")

    assert (answer.error, answer.error_path) == ("NameTaken", ("input", "name"))
    assert answer.program is None


async def test_names_are_told_apart_by_case(client: Client) -> None:
    await client.create_program("Gold", "stars")

    answer = await client.create_program("gold", "moons")

    assert answer.error is None


@pytest.mark.parametrize(
    ("fields", "naming"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "Go\x00ld"}, "name"),
        ({"pointsName": ""}, "pointsName"),
        ({"pointsName": "p" * 101}, "pointsName"),
        ({"rounding": {"decimals": 4}}, "decimals"),
        ({"rounding": {"decimals": -1}}, "decimals"),
        ({"expiry": {"rule": "AFTER"}}, "expiry"),
        ({"expiry": {"rule": "AFTER", "count": 3}}, "expiry"),
        ({"expiry": after(0)}, "expiry"),
        ({"expiry": after(-1)}, "expiry"),
        ({"expiry": inactivity(0)}, "expiry"),
        ({"expiry": {"rule": "INACTIVITY", "unit": "DAY"}}, "expiry"),
        ({"expiry": end_of_calendar_year(-1)}, "expiry"),
        ({"expiry": {"rule": "SOMETIMES"}}, "expiry"),
        ({"timeZone": "Europe/Atlantis"}, "timeZone"),
        ({"timeZone": "../etc/passwd"}, "timeZone"),
        ({"activationDelay": "two weeks"}, "activationDelay"),
        ({"activationDelay": "P1M"}, "activationDelay"),
        ({"maxBalance": -1}, "maxBalance"),
        ({"maxBalance": 0}, "maxBalance"),
        ({"expiringSoonDays": -1}, "expiringSoonDays"),
    ],
    ids=str,
)
async def test_refuses_a_rule_that_makes_no_sense(
    client: Client, unchanged: Unchanged, fields: Json, naming: str
) -> None:
    async with unchanged():
        await assert_rejected(
            client, "createProgram", {"name": "Gold", "pointsName": "stars"} | fields, naming
        )

    assert await client.program("Gold") is None


async def test_wallets_of_two_programs_know_nothing_of_each_other(client: Client) -> None:
    await client.create_program("Gold", "stars")

    await client.credit("ann", 50)
    await client.credit("ann", 7, program="Gold")

    assert await client.balance("ann") == Balance(active=50)
    assert await client.balance("ann", program="Gold") == Balance(active=7)
