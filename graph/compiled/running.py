"""Running: what the functions of one operation share while it runs once.

Whatever goes wrong goes wrong in an executor, which is made when the first thing does: it knows
where errors stand, how far null spreads, and what becomes of siblings.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple, Protocol

from graphql import ExecutionResult, GraphQLError, GraphQLField, GraphQLObjectType
from graphql.execution import get_argument_values
from graphql.pyutils import Path, is_awaitable
from strawberry import Info

from graph.compiled.gathering import gather
from graph.compiled.selected import Objects

Around = Callable[["Run", "Place", Awaitable[Any], Path], Awaitable[Any]]
"""What is done around a root field that is to be awaited."""

Complete = Callable[["Run", Any, Path], Any]
"""Completes a value that stands at a path."""


QUIET: Final = frozenset({type(None), bool, int, float, str, dict, list, tuple})
"""What nobody need ask whether it is to be awaited."""


class Place(NamedTuple):
    """Where a field stands in its operation: what the executor asks of it."""

    parent: GraphQLObjectType
    definition: GraphQLField
    details: list[Any]
    strawberry: Any


class Operation(Protocol):
    """What a run needs of its operation."""

    def new_executor(self, raw: dict[str, Any], context: object, root: object) -> Any: ...


class Run:
    """One run of an operation."""

    __slots__ = ("_around", "_executor", "context", "operation", "raw", "root", "values")

    def __init__(
        self,
        operation: Operation,
        raw: dict[str, Any],
        values: list[Any],
        context: object,
        root: object,
        around: Around | None,
    ) -> None:
        self.operation = operation
        self.raw = raw
        self.values = values
        self.context = context
        self.root = root
        self._around = around
        self._executor: Any = None

    @property
    def executor(self) -> Any:
        """The executor of this run."""
        if self._executor is None:
            self._executor = self.operation.new_executor(self.raw, self.context, self.root)
        return self._executor

    @property
    def errors(self) -> list[GraphQLError] | None:
        """What went wrong, in the order in which it did."""
        return (self._executor.collected_errors.errors or None) if self._executor else None

    # ── an operation ────────────────────────────────────────────────────────────────────────────

    def execute(self, function: Callable[..., Any]) -> Any:
        """Its result, or what is to be awaited for it. `function` executes its root fields."""
        try:
            data = function(self, self.root, None)
        except GraphQLError as error:
            return self._failed(error)
        if type(data) not in QUIET and is_awaitable(data):
            return self._finish(data)
        return ExecutionResult(data, self.errors)

    async def _finish(self, data: Awaitable[Any]) -> ExecutionResult:
        try:
            told = await data
        except GraphQLError as error:
            return self._failed(error)
        return ExecutionResult(told, self.errors)

    def _failed(self, error: GraphQLError) -> ExecutionResult:
        self.executor.collected_errors.add(error, None)
        return ExecutionResult(None, self.errors)

    async def go_on(
        self,
        told: dict[str, Any],
        value: Awaitable[Any],
        name: str,
        rest: Sequence[tuple[str, Callable[..., Any]]],
    ) -> dict[str, Any]:
        """Root fields one after another: the first is under way, and then the rest."""
        told[name] = await value
        for later, field in rest:
            each = field(self, self.root, None)
            told[later] = await each if type(each) not in QUIET and is_awaitable(each) else each
        return told

    # ── objects ─────────────────────────────────────────────────────────────────────────────────

    def execute_fields(self, objects: Objects, source: object, path: Path | None) -> Any:
        """An object as the executor executes it, whatever is odd about it."""
        return self.executor.execute_fields(objects.kind, source, path, objects.grouped, None)

    def abandon(self, told: dict[str, Any]) -> None:
        """What is awaited for an object that is given up is awaited for nobody."""
        if pending := [value for value in told.values() if is_awaitable(value)]:
            self.executor.settle_in_background(pending)

    async def gather(self, told: dict[str, Any], names: list[str]) -> dict[str, Any]:
        """An object whose fields of these names are yet to be awaited."""
        if len(names) == 1:
            told[names[0]] = await told[names[0]]
        else:
            values = await gather([told[name] for name in names])
            told.update(zip(names, values, strict=True))
        return told

    # ── fields ──────────────────────────────────────────────────────────────────────────────────

    def fail(self, place: Place, error: Exception, path: Path) -> None:
        """A field has failed. Raises it, where it can't be null."""
        self.executor.handle_field_error(error, place.definition.type, place.details, path)

    def raw_info(self, place: Place, path: Path) -> Any:
        """What a resolver of graphql-core is given."""
        nodes = [each.node for each in place.details]
        return self.executor.build_resolve_info(place.definition, nodes, place.parent, path)

    def call(self, place: Place, source: object, path: Path) -> Any:
        """What a field's resolver gives, with all that Strawberry has put around it."""
        executor, first = self.executor, place.details[0]
        arguments: dict[str, Any] = {}
        if place.definition.args or first.node.arguments:
            arguments = get_argument_values(
                place.definition,
                first.node,
                executor.variable_values,
                first.fragment_variable_values,
                executor.hide_suggestions,
            )
        resolve: Any = place.definition.resolve
        return resolve(source, self.raw_info(place, path), **arguments)

    def around(self, place: Place, value: Awaitable[Any], path: Path) -> Awaitable[Any]:
        """A root field's value that is yet to be awaited."""
        return value if self._around is None else self._around(self, place, value, path)

    async def awaited(
        self, place: Place, value: Awaitable[Any], path: Path, complete: Complete
    ) -> Any:
        """What comes of what a resolver gives to be awaited."""
        try:
            completed = complete(self, await value, path)
            return (
                await completed
                if type(completed) not in QUIET and is_awaitable(completed)
                else completed
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, the field tells it
            return self.fail(place, error, path)

    async def completed(self, place: Place, value: Awaitable[Any], path: Path) -> Any:
        """What comes of a field's value in which something is to be awaited."""
        try:
            return await value
        except Exception as error:  # noqa: BLE001
            return self.fail(place, error, path)

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def complete(self, place: Place, kind: Any, value: object, path: Path) -> Any:
        """A value as the executor completes it, whatever is odd about it."""
        info = self.raw_info(place, path)
        return self.executor.complete_value(kind, place.details, info, path, value, None)

    def item(
        self,
        place: Place,
        kind: Any,
        value: Any,
        path: Path,
        complete: Complete,
        told: list[Any],
        pending: list[int],
    ) -> None:
        """A list's next item, of this type, completed alone, as the executor does it."""
        index = len(told)
        item = self._item(place, kind, value, path.add_key(index, None), complete)
        if type(item) not in QUIET and is_awaitable(item):
            pending.append(index)
        told.append(item)

    def abandon_items(self, values: Sequence[Any], told: list[Any], pending: list[int]) -> None:
        """What is awaited for a list that is given up is awaited for nobody."""
        later = [told[index] for index in pending]
        later += [value for value in values[len(told) + 1 :] if is_awaitable(value)]
        if later:
            self.executor.settle_in_background(later)

    def _item(self, place: Place, kind: Any, value: Any, path: Path, complete: Complete) -> Any:
        if is_awaitable(value):
            return self.executor.complete_awaitable_list_item_value(
                value, kind, place.details, self.raw_info(place, path), path, None
            )
        try:
            completed = complete(self, value, path)
        except Exception as error:  # noqa: BLE001
            self.executor.handle_field_error(error, kind, place.details, path)
            return None
        if type(completed) not in QUIET and is_awaitable(completed):
            return self._item_awaited(place, kind, completed, path)
        return completed

    async def _item_awaited(
        self, place: Place, kind: Any, value: Awaitable[Any], path: Path
    ) -> Any:
        try:
            return await value
        except Exception as error:  # noqa: BLE001
            self.executor.handle_field_error(error, kind, place.details, path)
            return None

    async def gather_items(self, told: list[Any], pending: list[int]) -> list[Any]:
        """A list whose items at these places are yet to be awaited."""
        if len(pending) == 1:
            told[pending[0]] = await told[pending[0]]
        else:
            values = await gather([told[index] for index in pending])
            for index, value in zip(pending, values, strict=True):
                told[index] = value
        return told


def info_class(base: type[Info[Any, Any]]) -> type[Info[Any, Any]]:
    """Strawberry's info, which asks graphql-core's only for what it doesn't know itself."""

    class LazyInfo(base):
        """What a resolver is given."""

        def __init__(self, run: Run, place: Place, path: Path) -> None:
            self._run, self._place, self._path = run, place, path

        @property
        def _raw_info(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
            return self._run.raw_info(self._place, self._path)

        @property
        def _field(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
            return self._place.strawberry

        if base.context is Info.context:

            @property
            def context(self) -> Any:
                return self._run.context

    return LazyInfo
