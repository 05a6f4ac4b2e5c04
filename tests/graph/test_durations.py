"""Durations: what Prometheus reads is what its own client would have told."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from graph.durations import Durations

BOUNDS = (0.001, 0.25, 1, 10)
SECONDS = st.sampled_from([0.0, *BOUNDS, 10.5]) | st.floats(0, 20)
TOLD = st.lists(st.tuples(st.sampled_from(["query", "mutation"]), st.lists(SECONDS, max_size=5)))


@given(TOLD)
def test_it_tells_what_the_librarys_own_histogram_tells(
    told: list[tuple[str, list[float]]],
) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    durations = Durations("a_seconds", "How long.", BOUNDS)
    ours.register(durations)
    histogram = Histogram(
        "a_seconds", "How long.", ("kind", "phase"), buckets=BOUNDS, registry=theirs
    )

    for kind, all_seconds in told:
        durations.observe(kind, [("read", seconds) for seconds in all_seconds])
        for seconds in all_seconds:
            histogram.labels(kind, "read").observe(seconds)

    assert generate_latest(ours) == generate_latest(theirs)
