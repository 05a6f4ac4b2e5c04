"""Counts: what Prometheus reads is what its own client would have told."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest

from graph.counts import Counts

LABELS = st.sampled_from(["OK", "GONE", 'a "b"\n\\c', ""])


@given(st.lists(st.tuples(LABELS, LABELS)))
def test_it_tells_what_the_librarys_own_counter_tells(told: list[tuple[str, str]]) -> None:
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counts = Counts("a_thing", "How many.", ("how", "why"))
    ours.register(counts)
    counter = Counter("a_thing", "How many.", ("how", "why"), registry=theirs)

    for labels in told:
        counts.count(labels)
        counter.labels(*labels).inc()

    assert generate_latest(ours) == generate_latest(theirs)
