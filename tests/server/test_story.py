"""The demo's story: believable, and the same each time that the same plot is told."""

import pytest

from ledger.commands import Command, Credit
from server.guests import people
from server.story import CAMPAIGN_EVERY, DAY, POINT, Plot, Story

START = 1_767_225_600_000_000


def told(plot: Plot, days: int = 60) -> list[Command]:
    """Everything that guests do who have yet to hear what the ledger answers."""
    story = Story(plot, days)
    return [act.command for day in range(days) for act in story.scene(day, START + day * DAY)]


@pytest.fixture(scope="module")
def commands() -> list[Command]:
    return told(Plot("Beans", 200, 1))


def test_the_same_plot_is_told_the_same_way(commands: list[Command]) -> None:
    assert told(Plot("Beans", 200, 1)) == commands


def test_another_seed_tells_another_story(commands: list[Command]) -> None:
    assert told(Plot("Beans", 200, 2)) != commands


def test_every_key_is_used_once_and_names_the_program(commands: list[Command]) -> None:
    keys = [command.key for command in commands]

    assert len(keys) > 200
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("demo/Beans/1/") for key in keys)


def test_points_are_whole_and_come_of_an_order(commands: list[Command]) -> None:
    given = [command for command in commands if isinstance(command, Credit)]
    bought = [credit.order for credit in given if credit.source == "API"]

    assert all(credit.points > 0 and credit.points % POINT == 0 for credit in given)
    assert all(order and order.id and order.sale_amount for order in bought)
    assert {order.sale_channel for order in bought if order} == {"store", "app", "web"}


def test_a_campaign_comes_once_in_its_while() -> None:
    story = Story(Plot("Beans", 100, 1), CAMPAIGN_EVERY)
    reached = [bool(story.campaign(day, START + day * DAY)) for day in range(CAMPAIGN_EVERY)]

    assert sum(reached) == 1


def test_no_two_guests_share_an_identity() -> None:
    everyone = list(people(Story(Plot("Beans", 2, 1), 1).chance, 5_000))

    assert len({person.identity for person in everyone}) == 5_000
    assert all(person.email.endswith("@example.com") for person in everyone)
