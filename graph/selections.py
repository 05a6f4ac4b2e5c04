"""Selections: which fields an operation asks for of each object, found once however often it runs.

graphql-core finds them anew for each execution, for a directive may leave some out. Where a
document has none, what an operation selects is the same whatever its variables say.
"""

from typing import Any, Final

from graph.costs import Costs

FIELDS_MAX: Final = 250
"""Of an operation whose selections are kept: more take room, and little beside their values."""


class Selections:
    """What was found of an operation's selections so far: it is true of all its executions.

    `root` are the operation's own fields. Everything else is found by the fields that it is within,
    so they are kept with it: see graph.execution.
    """

    __slots__ = ("collected", "plans", "root")

    def __init__(self) -> None:
        self.root: Any = None
        self.collected: dict[Any, Any] = {}
        self.plans: dict[int, Any] = {}


def are_steady(costs: Costs) -> bool:
    """Whether an operation's selections are always the same, and few enough to be kept."""
    return not costs.directives and costs.fields <= FIELDS_MAX
