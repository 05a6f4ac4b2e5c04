"""Documents: a request's text, read, counted and validated once however often it is sent.

It is held against the limits before it is validated, since to validate it may take long. What takes
long to read or to validate is done in a thread, so that the event loop goes on meanwhile.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from graphql import (
    SKIP,
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    TokenKind,
    ValueNode,
    ValuesOfCorrectTypeRule,
    VariableDefinitionNode,
    VisitorAction,
    parse,
    specified_rules,
    validate,
)
from graphql.utilities import validate_input_literal
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType as Kind
from typing_extensions import override

from graph.costs import Costs, count_costs, introspects, operations_of
from graph.faults import LimitExceeded, RequestError
from graph.limits import Limits
from graph.selections import Selections, are_steady
from graph.shelf import Shelf
from graph.telemetry import Title, note_operation, reach, title_of
from graph.variables import Variables
from ledger import Overloaded

if TYPE_CHECKING:
    from graph.compiled import Operation as Compiled
    from graph.context import Context

K = TypeVar("K")
T = TypeVar("T")

TOKEN_BYTES: Final = 3_000
CHARACTER_BYTES: Final = 8
"""What a token takes at most with what it becomes, and a character in the text and the token."""

SHORT_MAX: Final = 1_000
"""Characters of a text that is read at once, on the event loop: the worst takes some 20 ms."""

WAITING_MAX: Final = 64
"""Longer texts that wait for the thread, or are in it."""

KNOWN_MAX: Final = 64
"""Of a document's operations by name, and of an operation's costs by what its variables say."""

ERRORS_MAX: Final = 10
"""So many mistakes of a document are told; to find each takes time."""

DIGITS_MAX: Final = 400
"""Of a number that is written in a document: a double has at most 309 before its point."""

LONG_WORK: Final = 20_000
"""What takes more work than this is done in turns: see Limits.work, and graph.turns."""

UNNAMED: Final = "operationName: it must say which of the document's operations to run"
NO_INTROSPECTION: Final = "the schema doesn't describe itself here: see schema.graphql"


class NamedValuesRule(ValuesOfCorrectTypeRule):
    """graphql-core's, and says in which field of which argument the wrong value stands."""

    _within = ""

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        self._within = node.name.value

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> None:
        self._within = f"${node.variable.name.value}"

    @override
    def is_valid_value_node(self, node: ValueNode, input_type: Any) -> VisitorAction:
        within = self._within

        def tell(error: GraphQLError, path: list[str | int]) -> None:
            place = ".".join((within, *map(str, path)))
            self.report_error(GraphQLError(f"{place}: {error.message}", error.nodes or [node]))

        if input_type:
            validate_input_literal(node, input_type, tell, hide_suggestions=True)
        return SKIP


RULES: Final = tuple(
    NamedValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)


class Unreadable(Exception):
    """A text is no document. `error` says why."""

    def __init__(self, error: GraphQLError) -> None:
        super().__init__(error.message)
        self.error = error


class Operation:
    """One of a document's operations; or, where none is named, all of them."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None) -> None:
        self._schema = schema
        self.document = document
        self.name = name
        self._costs: dict[tuple[tuple[str, int], ...], Costs] = {}
        self.nodes = operations_of(document, name)
        self.variables = Variables(schema, self.nodes)
        self.kind = Kind(self.nodes[0].operation.value) if len(self.nodes) == 1 else None
        """None where there is none of this name, or more than one."""
        self.selections = Selections()
        self.found_fit: tuple[Limits, Costs] | None = None
        """What it last came to, and the limits that this is within."""
        self.runs = 0
        self.compiled: Compiled | None = None

    @cached_property
    def title(self) -> Title | None:
        """How it is told of; None if there is none, or more than one."""
        return title_of(self._schema, self.nodes[0]) if len(self.nodes) == 1 else None

    def costs(self, values: Mapping[str, Any]) -> Costs:
        """What it comes to, with these values of its variables. Raises RecursionError."""
        sizes = self.variables.sizes(values)
        key = tuple(sizes.items())
        found = self._costs.get(key)
        if found is None:
            found = count_costs(self._schema, self.document, self.name, sizes)
            _keep_some(self._costs)[key] = found
        return found


class Document:
    """A text that was read. What else there is to know of it is found when it is first asked."""

    def __init__(self, schema: GraphQLSchema, text: str, tokens_max: int) -> None:
        """Raises Unreadable."""
        self._schema = schema
        self._operations: dict[str | None, Operation] = {}
        self.node, tokens = _parse(text, tokens_max)
        self.bytes = tokens * TOKEN_BYTES + len(text) * CHARACTER_BYTES

    def operation(self, name: str | None) -> Operation:
        """What is to be run: one without nodes, if there is none of this name."""
        found = self._operations.get(name)
        if found is None:
            found = Operation(self._schema, self.node, name)
            _keep_some(self._operations)[name] = found
        return found

    @cached_property
    def introspects(self) -> bool:
        """Whether it asks for the schema itself."""
        return introspects(self.node)

    @cached_property
    def errors(self) -> list[GraphQLError]:
        """What is wrong with it, by the specification."""
        return validate(
            self._schema, self.node, RULES, max_errors=ERRORS_MAX, hide_suggestions=True
        )


def _keep_some(known: dict[K, T]) -> dict[K, T]:
    """What is known, with room for one more."""
    if len(known) >= KNOWN_MAX:
        known.clear()
    return known


def _parse(text: str, tokens_max: int) -> tuple[DocumentNode, int]:
    """The document, and how many tokens it has. Raises Unreadable."""
    try:
        node = parse(text, max_tokens=tokens_max)
    except GraphQLSyntaxError as error:
        if error.message.startswith("Syntax Error: Document contains more than"):
            message = f"a document must have at most {tokens_max}"
            raise Unreadable(LimitExceeded("tokens", tokens_max, message)) from None
        raise Unreadable(error.with_traceback(None)) from None
    assert node.loc
    tokens, token = 0, node.loc.start_token
    while token:
        is_number = token.kind in {TokenKind.INT, TokenKind.FLOAT}
        if is_number and len(token.value or "") > DIGITS_MAX:
            message = f"a number must have at most {DIGITS_MAX} digits"
            raise Unreadable(GraphQLSyntaxError(node.loc.source, token.start, message))
        tokens, token = tokens + 1, token.next
    return node, tokens


_shelf: Final = Shelf[Document]()


def find_operation(text: str, name: str | None, limits: Limits) -> Operation | None:
    """An operation of a document that was found to be in order, if it is still known."""
    document = _shelf.find(text, limits.tokens)
    return document.operation(name) if document else None


_thread: Final = ThreadPoolExecutor(1, "documents")
_waiting = 0


async def _in_thread(work: Callable[[], T]) -> T:
    """Do it in the documents' thread. Raises Overloaded where too many wait for it."""
    global _waiting  # noqa: PLW0603 - of the one thread
    if _waiting >= WAITING_MAX:
        message = f"{_waiting} documents are waiting to be read: try again in a moment."
        raise Overloaded(message)
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_thread, work)
    finally:
        _waiting -= 1


@dataclass(slots=True)
class Prepared:
    """A request as it is to be executed, or `errors` that say why it isn't.

    Of a text that can't be read there is no `operation`.
    """

    operation: Operation | None
    errors: list[GraphQLError]
    is_long: bool = False
    """Whether its answer takes long to make: see graph.turns."""
    is_steady: bool = False
    """Whether what it selects may be kept: see graph.selections."""

    @property
    def kind(self) -> Kind | None:
        """What the one operation is that is to be run; None where it isn't in order."""
        return self.operation.kind if self.operation and not self.errors else None

    @property
    def selections(self) -> Selections | None:
        """What is known of what it selects, where that may be kept."""
        return self.operation.selections if self.operation and self.is_steady else None


class Asked(NamedTuple):
    """What is to be prepared, and for whom."""

    text: str
    name: str | None
    variables: Mapping[str, Any]
    context: "Context"


async def prepare(schema: GraphQLSchema, asked: Asked) -> Prepared:
    """Find an operation, and what is wrong with it; at once, unless its text is long and new."""
    return prepare_at_once(schema, asked) or await prepare_apart(schema, asked)


async def prepare_apart(schema: GraphQLSchema, asked: Asked) -> Prepared:
    """The same, in a thread."""
    try:
        return await _in_thread(partial(_prepare, schema, asked))
    except Overloaded as error:
        return Prepared(None, [GraphQLError("", original_error=error)])


def prepare_at_once(schema: GraphQLSchema, asked: Asked) -> Prepared | None:
    """The same, where there is nothing to wait for. None for a text that is long and new."""
    reach("read")
    known = _shelf.find(asked.text, asked.context.service.limits.tokens)
    if known or len(asked.text) <= SHORT_MAX:
        return _prepare(schema, asked, known)
    return None


def _prepare(schema: GraphQLSchema, asked: Asked, known: Document | None = None) -> Prepared:
    """Read a text, count it and validate it, as far as it gets."""
    tokens = asked.context.service.limits.tokens
    operation: Operation | None = None
    document = known or _shelf.find(asked.text, tokens)
    try:
        document = document or Document(schema, asked.text, tokens)
        operation = document.operation(asked.name)
        prepared = _judge(document, operation, asked)
    except Unreadable as unreadable:
        return Prepared(None, [unreadable.error])
    except RequestError as refused:
        return Prepared(operation, [refused])
    # Only what is validated, so that nobody finds there what will yet take long.
    if not (known or document.errors):
        _shelf.keep(asked.text, tokens, document)
    return prepared


def _judge(document: Document, operation: Operation, asked: Asked) -> Prepared:
    """What is wrong with a document. Raises RequestError for what it may not ask."""
    service = asked.context.service
    if document.introspects and not service.introspection:
        raise RequestError("FORBIDDEN", NO_INTROSPECTION)
    costs = _costs_within(service.limits, operation, asked.variables)
    if document.errors:
        return Prepared(operation, list(document.errors))
    if asked.name is None and len(operation.nodes) > 1:
        return Prepared(operation, [GraphQLError(UNNAMED, operation.nodes)])
    items_max = service.limits.items
    items = operation.variables.long_list(asked.variables, items_max)
    if items is not None:
        message = f"a list must have at most {items_max}, not {items}"
        raise LimitExceeded("items", items_max, message)
    return Prepared(operation, [], costs.work > LONG_WORK, are_steady(costs))


class Documents(SchemaExtension):
    """Gives each operation its document and what is wrong with it: see graph.stages."""

    _prepared: Prepared

    async def read(self) -> None:
        """Find the operation's document, and what is wrong with it."""
        asked = self.execution_context
        context: Context = asked.context
        name = asked._provided_operation_name  # noqa: SLF001 - no other way
        prepared = context.prepared
        if prepared is None:
            told = Asked(asked.query or "", name, asked.variables or {}, context)
            prepared = context.prepared = await prepare(asked.schema._schema, told)  # noqa: SLF001
        self._prepared = prepared
        operation = prepared.operation
        # What can't be read stands as an operation of nothing, until its errors are asked for:
        # one that is raised from here would end a socket.
        asked.graphql_document = operation.document if operation else _nothing(name)

    def tell_errors(self) -> None:
        """Tell what is wrong with it; Strawberry validates it if this tells nothing of it."""
        if self._prepared.operation:
            note_operation(self._prepared.operation.title)
        self.execution_context.pre_execution_errors = self._prepared.errors

    def end(self) -> None:
        """It is known what to execute, or why not to."""
        reach("prepare")


def _costs_within(limits: Limits, operation: Operation, values: Mapping[str, Any]) -> Costs:
    """What an operation comes to. Raises LimitExceeded for the first limit that it is beyond."""
    try:
        costs = operation.costs(values)
    except RecursionError:
        message = f"must be at most {limits.depth}, and here is far more"
        raise LimitExceeded("depth", limits.depth, message) from None
    fit = operation.found_fit
    if fit is None or fit[0] is not limits or fit[1] is not costs:
        for limit, cost in zip(costs._fields, costs, strict=True):
            value = getattr(limits, limit)
            if cost > value:
                raise LimitExceeded(limit, value, f"must be at most {value}, not {cost}")
        operation.found_fit = limits, costs
    return costs


def _nothing(name: str | None) -> DocumentNode:
    operation = OperationDefinitionNode(
        operation=OperationType.QUERY,
        name=None if name is None else NameNode(value=name),
        variable_definitions=(),
        directives=(),
        selection_set=SelectionSetNode(selections=()),
    )
    return DocumentNode(definitions=(operation,))
