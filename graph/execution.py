"""Execution: graphql-core's, with a short cut for fields that only give an attribute.

Most of an answer is such fields: numbers, texts and instants that stand in a row already, and the
small objects that group them. For them there is no resolver to call and nothing to await. Whatever
is unusual about one (a value that can't be printed, a null where none may be) takes the long way,
which tells it as ever. A page of 20 transactions, 560 fields, takes half the CPU time.

What takes long is done in turns with all else, and what takes too long is given up: a mutation may
be done nevertheless, and says so.
"""

import asyncio
import warnings
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson
from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_nullable_type,
    is_leaf_type,
)
from graphql.pyutils import gather_with_cancel
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types.field import StrawberryField
from typing_extensions import override

from graph.compiled import NULL_WITHOUT
from graph.context import Context
from graph.courses import Begun, Course
from graph.faults import LimitExceeded, RequestError
from graph.selections import Selections
from graph.turns import Turns, turns_of_loop

COERCION_ERRORS_MAX: Final = 10
"""So many mistakes of an operation's variables are told; to find each takes time."""

TOGETHER_MAX: Final = 10
"""So many items of a list are waited for at a time, where an answer takes long."""


# Of an answer that is given up, some was not yet begun: nobody waits for that, as it should be.
warnings.filterwarnings(
    "ignore",
    r"coroutine '(Executor|Execution|GraphQLCoreConverter|_merge_later)\b.*' was never awaited",
    RuntimeWarning,
)


class _Plain(NamedTuple):
    """A field that prints an attribute."""

    attribute: str
    print: Callable[[Any], Any]
    is_nullable: bool


class _Plan(NamedTuple):
    """Of a selection on one type: how to print its plain fields, and the fields that are left.

    `plain` has all names, in their order; None keeps the place of one that is left. `selected` is
    kept so that its id, by which the plan is found, stays its own.
    """

    selected: Any
    plain: list[tuple[str, _Plain | None]]
    rest: dict[str, Any]


class _Inner(NamedTuple):
    """A field that gives an attribute which is an object."""

    attribute: str
    kind: GraphQLObjectType
    is_nullable: bool


class _Absent(NamedTuple):
    """A field with a resolver that gives null wherever an attribute is None."""

    attribute: str
    is_nullable: bool


def null_without(attribute: str) -> dict[str, str]:
    """Metadata of a field: its resolver need not be called where this attribute is None."""
    return {NULL_WITHOUT: attribute}


class Execution(StrawberryGraphQLCoreExecutionContext):
    """How one operation is executed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[int, _Plan] = {}
        self._selections: Selections | None = None
        self._turns: Turns | None = None
        self._seconds: float | None = None
        self._ends_at: float | None = None
        self._bytes = 0
        self._bytes_max: int | None = None
        context = self.context_value
        if isinstance(context, Context):
            prepared = context.prepared
            assert prepared, "what is executed was prepared"
            self._turns = turns_of_loop() if prepared.is_long else None
            self._seconds = context.service.limits.execution_seconds
            self._bytes_max = context.service.limits.answer_bytes
            self._share(prepared.selections)

    @classmethod
    @override
    def build(cls, *args: Any, **kwargs: Any) -> Any:
        build: Any = super().build
        # The tenth of what graphql-core gives by its place is how many mistakes are told.
        given = (*args[:9], COERCION_ERRORS_MAX, *args[10:])
        # Suggestions take long to find, and tell of a schema that may be kept to oneself.
        return build(*given, **{**kwargs, "hide_suggestions": True})

    @override
    def build_per_event_executor(self, payload: Any) -> Any:
        # graphql-core's own is a shallow copy: what one event collects would be kept by them all.
        each: Any = super().build_per_event_executor(payload)
        if self._selections is None:
            each._relevant_sub_fields = {}  # noqa: SLF001 - it is the executor's own
            each._plans = {}  # noqa: SLF001
        return each

    @override
    def cancellable_iterable(self, iterable: Any) -> Any:
        # What a course brings is executed where it is followed: see graph.courses.
        if isinstance(iterable, Course):
            self.context_value.begun = Begun(self, iterable, self.variable_values, self._turns)
        return super().cancellable_iterable(iterable)

    def build_for(self, payload: Any, begun: Begun, context: Context) -> Any:
        """An executor of one event, for a subscription of the same document as this one's."""
        each = self.build_per_event_executor(payload)
        each.variable_values, each._turns = begun.variables, begun.turns  # noqa: SLF001
        each.context_value = context
        return each

    # ── what is selected ────────────────────────────────────────────────────────────────────────

    def _share(self, selections: Selections | None) -> None:
        """Find what is selected where earlier executions of the operation have put it."""
        self._selections = selections
        if selections is not None:
            self._relevant_sub_fields = selections.collected
            self._plans = selections.plans

    @override
    def execute_collected_root_fields(
        self,
        root_type: Any,
        root_value: Any,
        grouped_field_set: Any,
        serially: bool,
        new_defer_usages: Any,
    ) -> Any:
        known = self._selections
        if known is not None:
            # Always the same lists: what is within a field is found by the list that it is in.
            grouped_field_set = known.root = known.root or grouped_field_set
        return super().execute_collected_root_fields(
            root_type, root_value, grouped_field_set, serially, new_defer_usages
        )

    # ── in turns, and in time ───────────────────────────────────────────────────────────────────

    @override
    def complete_iterable_value(
        self,
        item_type: Any,
        field_details_list: Any,
        info: Any,
        path: Any,
        items: Any,
        position_context: Any,
    ) -> Any:
        asked = (item_type, field_details_list, info)
        if self._turns:
            return self._complete_in_turns(self._turns, asked, path, items, position_context)
        return super().complete_iterable_value(*asked, path, items, position_context)

    async def _complete_in_turns(
        self, turns: Turns, asked: Any, path: Any, items: Iterable[Any], position_context: Any
    ) -> list[Any]:
        """The list, some of its items at a time, so that not all that is within them waits at once.

        What is complete is encoded: to encode the whole, and to drop it, takes long too. Raises
        LimitExceeded where the answer grows too large, and what an item raises that can't be null.
        """
        complete: Any = self.complete_list_item_value
        completed: list[Any] = []
        later: list[int] = []
        is_outermost = not any(isinstance(key, int) for key in path.as_list())
        for index, item in enumerate(items):
            await turns.take()
            place = path.add_key(index, None)
            if complete(item, completed, *asked, place, position_context):
                later.append(index)
            else:
                self._encode(completed, [index], is_outermost=is_outermost)
            if len(later) == TOGETHER_MAX:
                await self._complete_later(completed, later, is_outermost=is_outermost)
        await self._complete_later(completed, later, is_outermost=is_outermost)
        return completed

    async def _complete_later(
        self, completed: list[Any], later: list[int], *, is_outermost: bool
    ) -> None:
        """Complete what is waited for, each in its place, and forget the places."""
        places, later[:] = tuple(later), ()
        values = await gather_with_cancel(*(completed[place] for place in places))
        for place, value in zip(places, values, strict=True):
            completed[place] = value
        self._encode(completed, places, is_outermost=is_outermost)

    def _encode(self, completed: list[Any], places: Sequence[int], *, is_outermost: bool) -> None:
        for place in places:
            if isinstance(completed[place], dict):
                text = orjson.dumps(completed[place])
                completed[place] = orjson.Fragment(text)
                self._bytes += len(text) if is_outermost else 0
        if self._bytes_max is not None and self._bytes > self._bytes_max:
            message = f"the answer has more than {self._bytes_max}"
            raise given_up(self.operation, "answer_bytes", self._bytes_max, message)

    async def _in_time(
        self, value: Awaitable[Any], field: Any, field_details_list: Any, path: Any
    ) -> Any:
        """A field of the operation itself: all such fields have the operation's time together."""
        assert self._seconds is not None
        if self._ends_at is None:  # each event of a subscription has its own
            self._ends_at = asyncio.get_running_loop().time() + self._seconds
        try:
            with self.context_value.service.deadlines.until(self._ends_at):
                return await value
        except TimeoutError:
            late = too_late(self.operation, self._seconds)
            self.handle_field_error(late, field.type, field_details_list, path)
            return None

    # ── short cuts ──────────────────────────────────────────────────────────────────────────────

    @override
    def execute_fields(
        self,
        parent_type: Any,
        source_value: Any,
        path: Any,
        grouped_field_set: Any,
        position_context: Any,
    ) -> Any:
        plan = self._plans.get(id(grouped_field_set))
        if plan is None:
            plan = self._plans[id(grouped_field_set)] = _plan(parent_type, grouped_field_set)
        try:
            told = {n: each and _printed(each, source_value) for n, each in plan.plain}
        except Exception:  # noqa: BLE001 - the long way meets it again, and tells it
            told, rest = {}, grouped_field_set
        else:
            rest = plan.rest
        if not rest:
            return told
        others: Any = super().execute_fields(
            parent_type, source_value, path, rest, position_context
        )
        if self.is_awaitable(others):
            return _merge_later(told, others)
        told.update(others)  # each in the place that was kept for it
        return told

    @override
    def execute_field(
        self,
        parent_type: Any,
        source: Any,
        field_details_list: Any,
        path: Any,
        position_context: Any,
    ) -> Any:
        short = parent_type.extensions["short"].get(field_details_list[0].node.name.value)
        if short is not None:
            try:
                if type(short) is _Plain:
                    return _printed(short, source)
                value = getattr(source, short.attribute)
                if value is None and short.is_nullable:
                    return None
                if type(short) is _Inner and value is not None:
                    return self.collect_and_execute_subfields(
                        short.kind, field_details_list, path, value, position_context
                    )
            except Exception:  # noqa: BLE001, S110 - the long way meets it again, and tells it
                pass
        value = super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )
        if path.prev is None and self._seconds is not None and self.is_awaitable(value):
            field = self.schema.get_field(parent_type, field_details_list[0].node.name.value)
            return self._in_time(value, field, field_details_list, path)
        return value


def too_late(operation: OperationDefinitionNode, seconds: float) -> RequestError:
    """An operation has run out of its time."""
    return given_up(operation, "execution_seconds", seconds, f"this took more than {seconds:g} s")


def given_up(
    operation: OperationDefinitionNode, limit: str, value: float, message: str
) -> RequestError:
    """What it meets a limit by while it is executed. A mutation may be done by then."""
    if operation.operation is not OperationType.MUTATION:
        return LimitExceeded(limit, value, message)
    return RequestError(
        "OUTCOME_UNKNOWN",
        f"{limit}: {message}, but it may be done: ask again with the same key to learn the outcome",
        limit=limit,
        value=value,
        retryable=True,
    )


def _printed(plain: _Plain, source: Any) -> Any:
    value = getattr(source, plain.attribute)
    return None if value is None and plain.is_nullable else plain.print(value)


def _plan(kind: GraphQLObjectType, selected: Any) -> _Plan:
    """Which of an object's selected fields are plain, and which are left."""
    short = kind.extensions["short"]
    found = {name: short.get(fields[0].node.name.value) for name, fields in selected.items()}
    plain = [(name, each if type(each) is _Plain else None) for name, each in found.items()]
    rest = {name: fields for name, fields in selected.items() if type(found[name]) is not _Plain}
    return _Plan(selected, plain, rest)


async def _merge_later(told: dict[str, Any], others: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    told.update(await others)
    return told


def note_short_cuts(schema: GraphQLSchema) -> None:
    """Note with each object type which of its fields only give an attribute: see graph.costs."""
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    for kind in kinds:
        kind.extensions["short"] = _keep(kind, _find_plain)
    for kind in kinds:
        kind.extensions["short"] |= _keep(kind, _find_inner) | _keep(kind, _find_absent)
        kind.extensions["printed"] = _keep(kind, _attribute)


def _keep(kind: GraphQLObjectType, find: Callable[[GraphQLField], Any]) -> dict[str, Any]:
    found = {name: find(field) for name, field in kind.fields.items()}
    return {name: short for name, short in found.items() if short}


def _find_plain(field: GraphQLField) -> _Plain | None:
    attribute, kind = _attribute(field), get_nullable_type(field.type)
    if attribute is None or not is_leaf_type(kind):
        return None
    return _Plain(attribute, kind.coerce_output_value, not isinstance(field.type, GraphQLNonNull))


def _find_inner(field: GraphQLField) -> _Inner | None:
    """An object that may be null is taken short only if nothing in it can fail or be awaited."""
    attribute, kind = _attribute(field), get_nullable_type(field.type)
    if attribute is None or not isinstance(kind, GraphQLObjectType):
        return None
    is_nullable = not isinstance(field.type, GraphQLNonNull)
    is_simple = len(kind.extensions["short"]) == len(kind.fields)
    return _Inner(attribute, kind, is_nullable) if is_simple or not is_nullable else None


def _find_absent(field: GraphQLField) -> _Absent | None:
    definition = field.extensions.get("strawberry-definition")
    attribute = definition.metadata.get(NULL_WITHOUT) if definition else None
    return _Absent(attribute, is_nullable=True) if attribute else None


def _attribute(field: GraphQLField) -> str | None:
    """The attribute that a field without resolver and arguments gives."""
    definition = field.extensions.get("strawberry-definition")
    if field.args or not isinstance(definition, StrawberryField) or not definition.is_basic_field:
        return None
    return definition.python_name
