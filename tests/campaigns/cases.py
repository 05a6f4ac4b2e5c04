"""What each operator of each type is true of, and what not: operator, value, found, so."""

from typing import Any

from hypothesis import strategies as st

from campaigns.conditions import OPS
from campaigns.properties import PropertyType

NOON = 1_773_144_000_000_000  # 2026-03-10T12:00:00Z
HOUR = 3_600_000_000
AT_NOON = "2026-03-10T12:00:00Z"
IN_PARIS = "2026-03-10T13:00:00+01:00"

Case = tuple[str, Any, Any, bool]

STRINGS: list[Case] = [
    ("EQUALS", "SPRING", "SPRING", True),
    ("EQUALS", "SPRING", "spring", False),
    ("EQUALS", "SPRING", "SPRING10", False),
    ("NOT_EQUALS", "SPRING", "SPRING", False),
    ("NOT_EQUALS", "SPRING", "spring", True),
    ("IN", ["A", "B"], "B", True),
    ("IN", ["A", "B"], "b", False),
    ("IN", ["AB"], "A", False),
    ("NOT_IN", ["A", "B"], "B", False),
    ("NOT_IN", ["A", "B"], "C", True),
    ("CONTAINS", "RIN", "SPRING", True),
    ("CONTAINS", "rin", "SPRING", False),
    ("NOT_CONTAINS", "RIN", "SPRING", False),
    ("NOT_CONTAINS", "rin", "SPRING", True),
    ("STARTS_WITH", "SPR", "SPRING", True),
    ("STARTS_WITH", "PRI", "SPRING", False),
    ("ENDS_WITH", "ING", "SPRING", True),
    ("ENDS_WITH", "RIN", "SPRING", False),
    ("EXISTS", None, "SPRING", True),
    ("NOT_EXISTS", None, "SPRING", False),
]
NUMBERS: list[Case] = [
    ("EQUALS", 12, 12, True),
    ("EQUALS", 12.0, 12, True),
    ("EQUALS", 12.3, 12.3, True),
    ("EQUALS", 12.3, 12.301, False),
    ("NOT_EQUALS", 12.3, 12.3, False),
    ("NOT_EQUALS", 12.3, 12.301, True),
    ("GT", 12.3, 12.301, True),
    ("GT", 12.3, 12.3, False),
    ("GTE", 12.3, 12.3, True),
    ("GTE", 12.3, 12.299, False),
    ("LT", 12.3, 12.299, True),
    ("LT", 12.3, 12.3, False),
    ("LTE", 12.3, 12.3, True),
    ("LTE", 12.3, 12.301, False),
    ("BETWEEN", [12.3, 13], 12.299, False),
    ("BETWEEN", [12.3, 13], 12.3, True),
    ("BETWEEN", [12.3, 13], 13, True),
    ("BETWEEN", [12.3, 13], 13.001, False),
    ("BETWEEN", [13, 13], 13, True),
    ("EXISTS", None, 0, True),
    ("NOT_EXISTS", None, 0, False),
]
DATES: list[Case] = [
    ("BEFORE", AT_NOON, NOON - 1, True),
    ("BEFORE", AT_NOON, NOON, False),
    ("BEFORE", IN_PARIS, NOON - 1, True),
    ("AFTER", AT_NOON, NOON + 1, True),
    ("AFTER", AT_NOON, NOON, False),
    ("BETWEEN", [IN_PARIS, "2026-03-10T13:00:00Z"], NOON - 1, False),
    ("BETWEEN", [IN_PARIS, "2026-03-10T13:00:00Z"], NOON, True),
    ("BETWEEN", [AT_NOON, "2026-03-10T13:00:00Z"], NOON + HOUR, True),
    ("BETWEEN", [AT_NOON, "2026-03-10T13:00:00Z"], NOON + HOUR + 1, False),
    ("WITHIN_LAST", "PT1H", NOON, True),
    ("WITHIN_LAST", "PT1H", NOON + 1, False),
    ("WITHIN_LAST", "PT1H", NOON - HOUR, True),
    ("WITHIN_LAST", "PT1H", NOON - HOUR - 1, False),
    ("EXISTS", None, NOON, True),
    ("NOT_EXISTS", None, NOON, False),
]
BOOLEANS: list[Case] = [
    ("EQUALS", True, True, True),
    ("EQUALS", True, False, False),
    ("EQUALS", False, False, True),
    ("NOT_EQUALS", True, True, False),
    ("NOT_EQUALS", True, False, True),
    ("EXISTS", None, False, True),
    ("NOT_EXISTS", None, False, False),
]
CASES = {
    PropertyType.STRING: STRINGS,
    PropertyType.NUMBER: NUMBERS,
    PropertyType.DATE: DATES,
    PropertyType.BOOLEAN: BOOLEANS,
}
ALL_CASES = [case for cases in CASES.values() for case in cases]

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from([AT_NOON, IN_PARIS, "P1D", "PT0S", "API"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
SOME_OP = st.sampled_from([op for ops in OPS.values() for op in ops]) | st.text(max_size=9)
