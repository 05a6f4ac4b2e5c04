"""What is chosen for each deed: mostly edges, for chance alone seldom hits them."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis.stateful import rule

F = TypeVar("F")

Choices = Mapping[str, Sequence[Any]]

PEOPLE = ("ann", "bob", "cyd")
SLOTS = (0, 1)  # which of the example's programs
AMOUNTS = (1, 999, 1_000, 2_500, 10_000, 30_000, 45_000)
# How much, measured against what there is.
EDGES = ("some", "some", "some", "all", "all", "over", "least")
PICKS = range(1_000)
MAYBE = (False, True)
DAY = 60 * 24

DEEDS: dict[str, Choices] = {
    "time_passes": {"minutes": (1, 1, 15, 60, DAY, 3 * DAY, 5 * DAY, 40 * DAY)},
    "something_is_about_to_fall_due": {"offset": (0, -1, 1)},
    "sweep": {},
    "credit": {
        "who": PEOPLE,
        "slot": SLOTS,
        "points": AMOUNTS,
        "promise": (None, None, None, -1, 0, 1, 48),
        "lasts": (None, None, None, 1, 24, 100),
        "source": ("API", "MANUAL", "CAMPAIGN"),
    },
    "redeem": {"who": PEOPLE, "slot": SLOTS},
    "debit": {"number": PICKS, "edge": EDGES, "some": AMOUNTS, "manual": MAYBE},
    "hold": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "lasts": ("default", "hour", "longest", "longest", "lot", "past the lot"),
    },
    "capture": {"number": PICKS, "edge": EDGES, "some": AMOUNTS, "rest": MAYBE},
    "release": {"number": PICKS},
    "reverse": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "all_": MAYBE,
        "clamp": MAYBE,
        "others": MAYBE,
    },
    "refund": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "all_": MAYBE,
        "grace": (None, None, 1, 72),
    },
    "transfer": {"who": PEOPLE, "to": PEOPLE, "slot": SLOTS, "edge": EDGES, "some": AMOUNTS},
    "freeze_or_thaw": {"who": PEOPLE, "slot": SLOTS, "frozen": (False, False, True)},
    "erase": {"who": PEOPLE, "seldom": range(8)},
    "ask_again": {"number": PICKS, "otherwise": MAYBE},
    "look_closely": {"number": PICKS},
}
# In a busy spell everything may happen, and spending as often as giving.
OFTEN = ("credit", "debit", "hold", "capture", "reverse", "refund", "transfer", "ask_again")


def deed(name: str) -> Callable[[F], F]:
    """Make a rule of a method: Hypothesis chooses its arguments, and shrinks them."""
    arguments: Any = {
        argument: st.sampled_from(choices) for argument, choices in DEEDS[name].items()
    }
    made: Any = rule(**arguments)
    return made


def spell(seed: int, length: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Choose many deeds by a seed: more than Hypothesis would ever put into one example."""
    chance = random.Random(seed)
    names = [*DEEDS, *OFTEN, *OFTEN, *OFTEN]
    for _ in range(length):
        name = chance.choice(names)
        yield name, {argument: chance.choice(each) for argument, each in DEEDS[name].items()}
