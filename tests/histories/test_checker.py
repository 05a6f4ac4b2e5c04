"""The checker: it finds nothing in a sound history, and each planted fault by its name."""

import sys
from types import FrameType
from typing import Any

import pytest

from tests.histories import books, checker, deeds, hearing
from tests.histories.checker import check
from tests.histories.history import Answered, Done, History, Nothing, Refused, Seen, Unknown
from tests.histories.planted import FAULTS, Fault
from tests.histories.sound import sound_history

DEEDS = 600
TIMES = 8
FILES = {module.__file__ for module in (books, checker, deeds, hearing)}


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_found_in_a_sound_history(seed: int) -> None:
    history = sound_history(DEEDS, seed)

    assert check(history) == []
    outcomes = {type(step.outcome) for step in history.steps if isinstance(step, Answered)}
    assert outcomes == {Done, Refused, Seen, Nothing, Unknown}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_a_planted_fault_is_found_by_name(fault: Fault) -> None:
    history = sound_history(DEEDS)

    fault(history)

    found = check(history)
    assert FAULTS[fault] in {each.name for each in found}, found


def lines_run(history: History) -> int:
    """How many lines of the checker's own run for a history: each does a bounded piece of work."""
    count = 0

    def on_line(_frame: FrameType, what: str, _: object) -> Any:
        nonlocal count
        count += what == "line"
        return on_line

    def on_call(frame: FrameType, _what: str, _: object) -> Any:
        return on_line if frame.f_code.co_filename in FILES else None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        assert check(history) == []
    finally:
        sys.settrace(before)
    return count


def test_a_history_of_eight_times_the_length_takes_eight_times_the_steps() -> None:
    short, long = sound_history(DEEDS // 2), sound_history(TIMES * DEEDS // 2)

    assert len(long.steps) == pytest.approx(TIMES * len(short.steps), rel=0.05)
    assert lines_run(long) <= 1.1 * TIMES * lines_run(short)
