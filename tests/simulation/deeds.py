"""What is drawn for each deed: mostly edges, for chance alone seldom hits them."""

from typing import Any

import hypothesis.strategies as st

PEOPLE = st.sampled_from(["ann", "bob", "cyd"])
SLOTS = st.integers(0, 1)  # which of the example's programs
AMOUNTS = st.sampled_from([1, 999, 1_000, 2_500, 10_000, 30_000, 45_000])
# How much, measured against what there is.
EDGES = st.sampled_from(["some", "some", "some", "all", "all", "over", "least"])
PICKS = st.integers(0, 1_000)


DEEDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "time_passes": {
        "minutes": st.sampled_from([1, 15, 60, 60 * 24, 60 * 24 * 3, 60 * 24 * 5, 60 * 24 * 40])
    },
    "something_is_about_to_fall_due": {"offset": st.sampled_from([-1, 0, 0, 1])},
    "sweep": {},
    "credit": {
        "who": PEOPLE,
        "slot": SLOTS,
        "points": AMOUNTS,
        "promise": st.sampled_from([None, None, None, -1, 0, 1, 48]),
        "lasts": st.sampled_from([None, None, None, 1, 24, 100]),
        "source": st.sampled_from(["API", "MANUAL", "CAMPAIGN"]),
    },
    "debit": {"number": PICKS, "edge": EDGES, "some": AMOUNTS, "manual": st.booleans()},
    "hold": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "lasts": st.sampled_from(["default", "hour", "longest", "lot", "past the lot"]),
    },
    "capture": {"number": PICKS, "edge": EDGES, "some": AMOUNTS, "rest": st.booleans()},
    "release": {"number": PICKS},
    "reverse": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "all_": st.booleans(),
        "clamp": st.booleans(),
        "others": st.booleans(),
    },
    "refund": {
        "number": PICKS,
        "edge": EDGES,
        "some": AMOUNTS,
        "all_": st.booleans(),
        "grace": st.sampled_from([None, None, 1, 72]),
    },
    "transfer": {"who": PEOPLE, "to": PEOPLE, "slot": SLOTS, "edge": EDGES, "some": AMOUNTS},
    "freeze_or_thaw": {
        "who": PEOPLE,
        "slot": SLOTS,
        "frozen": st.sampled_from([True, False, False]),
    },
    "erase": {"who": PEOPLE, "seldom": st.integers(0, 4)},
    "ask_again": {"number": PICKS, "otherwise": st.booleans()},
    "look_closely": {"number": PICKS},
}
# In a busy spell everything may happen, and spending as often as giving.
OFTEN = ["credit", "debit", "hold", "capture", "reverse", "refund", "transfer", "ask_again"]
SPELL = st.lists(
    st.sampled_from([*DEEDS, *OFTEN, *OFTEN]).flatmap(
        lambda name: st.tuples(st.just(name), st.fixed_dictionaries(DEEDS[name]))
    ),
    min_size=15,
    max_size=40,
)
