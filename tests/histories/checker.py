"""The checker: what in a history can't have been. Its steps grow as the history does, no faster.

It knows nothing of how the service does it: only what was asked, answered, heard and written.
"""

from itertools import chain, islice

from tests.histories.books import check_book, check_log
from tests.histories.deeds import check_deeds
from tests.histories.hearing import check_hearing
from tests.histories.history import Finding, History

FINDINGS_MAX = 100
CHECKS = (check_book, check_log, check_deeds, check_hearing)


def check(history: History) -> list[Finding]:
    """The first hundred findings; none of a sound history."""
    found = chain.from_iterable(each(history) for each in CHECKS)
    return list(islice(found, FINDINGS_MAX))
