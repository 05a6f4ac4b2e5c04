"""How far chance looks: a little each time, and further where `DIFFERENTIAL_EXAMPLES` says so."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from random import Random
from typing import Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.compiled.giving import Give

MORE: Final = os.environ.get("DIFFERENTIAL_EXAMPLES")
TOLD_EACH: Final = 500
"""After so many examples a long search says how far it is."""

SEEDS: Final = st.integers(0, 2**63 - 1)
"""What an operation, and a world, are made of. Smaller is not simpler: nothing is shrunk."""

ZOO_SCALARS: Final[Mapping[str, Give]] = {
    "Chip": lambda chance: chance.choice(("a", "b7", "c", "", "blank")),
    "Grams": lambda chance: chance.choice((1, 2.5, -3, 0, 0.0004)),
    "Anything": lambda chance: chance.choice((None, 1, "x", [1, {"a": None}], {"b": []}, 2.5)),
}


def examples(count: int) -> settings:
    """The same examples each time; a longer search by new chance."""
    return settings(
        max_examples=int(MORE) if MORE else count,
        derandomize=not MORE,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Progress:
    """Counts examples, and tells of them while a long search goes on."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.valid = 0
        self.invalid = 0

    def note(self, *, is_valid: bool) -> None:
        self.valid += is_valid
        self.invalid += not is_valid
        if MORE and is_valid and self.valid % TOLD_EACH == 0:
            self.tell("so far")

    def tell(self, when: str, more: str = "") -> None:
        told = f"{self.title}: {self.valid} compared {when} ({self.invalid} invalid) {more}\n"
        assert sys.__stderr__
        sys.__stderr__.write(told)


@contextmanager
def progress(title: str) -> Iterator[Progress]:
    counting = Progress(title)
    yield counting
    if MORE:
        counting.tell("in all")


def chance_of(seed: int) -> Random:
    return Random(seed)
