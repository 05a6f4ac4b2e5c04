"""Fan-out is counted to the last delivery, ours and Node's alike."""

from pathlib import Path

import pytest

from benchmarks import nodes
from benchmarks.fanout import SERVICES, TOGETHER, conclude, measure_size
from benchmarks.figures import Section
from benchmarks.rounds import Plan

SUBSCRIBERS = 12


def test_everyone_hears_of_every_credit_and_the_figures_say_so(tmp_path: Path) -> None:
    if not nodes.is_installed():
        pytest.skip("benchmarks/node has no packages: `make test` fetches them")

    stages = measure_size(Plan(tmp_path, 1, 0.2, print), SUBSCRIBERS)

    assert [stage.server.name for stage in stages] == list(SERVICES)
    for stage in stages:
        for under_way in (1, TOGETHER):
            [heard] = stage.turns[under_way]
            assert heard.deliveries == heard.events * SUBSCRIBERS > 0
            assert len(heard.latencies_ms) == heard.events
            assert heard.failures == []
    section = Section("fan-out", "", ())
    conclude(section, stages)
    assert [row.name for row in section.rows][-2:] == [
        "12: ours ÷ graphql-ws",
        "12: ours ÷ graphql-ws, 8 at once",
    ]
    assert section.verdicts == []  # nothing is asked at this size
