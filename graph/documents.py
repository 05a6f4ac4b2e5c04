"""Documents: a request's text, parsed and validated once however often it is sent."""

from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any, Final

from graphql import (
    SKIP,
    ArgumentNode,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
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
from typing_extensions import override

CACHED_MAX: Final = 256
CACHED_LENGTH_MAX: Final = 16_384
"""A longer text is parsed each time: what it becomes takes some thirty times its room."""

TOKENS_MAX: Final = 20_000
"""How many tokens a document may have: a batch of a thousand credits, written out, has as many."""

UNNAMED: Final = "operationName: it must say which of the document's operations to run"


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
            validate_input_literal(node, input_type, tell)
        return SKIP


RULES: Final = tuple(
    NamedValuesRule if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
)


def _validate(schema: GraphQLSchema, text: str) -> list[GraphQLError]:
    return validate(schema, _parse_text(text), RULES)


_parse = partial(parse, max_tokens=TOKENS_MAX)
_parse_once = lru_cache(CACHED_MAX)(_parse)
_validate_once = lru_cache(CACHED_MAX)(_validate)


def _parse_text(text: str) -> DocumentNode:
    return _parse_once(text) if len(text) <= CACHED_LENGTH_MAX else _parse(text)


class Documents(SchemaExtension):
    """Gives each operation its document and what is wrong with it.

    Strawberry's own caches hash the whole document each time, and run the first operation of
    several where none is named.
    """

    @override
    def on_parse(self) -> Iterator[None]:
        self.execution_context.parse_options = {"max_tokens": TOKENS_MAX}
        # A syntax error is left to Strawberry's own parsing: raised from here, it ends a socket.
        with suppress(GraphQLError):
            self.execution_context.graphql_document = _parse_text(
                self.execution_context.query or ""
            )
        yield

    @override
    def on_validate(self) -> Iterator[None]:
        context = self.execution_context
        schema: GraphQLSchema = context.schema._schema  # noqa: SLF001 - no other way
        text = context.query or ""
        check = _validate_once if len(text) <= CACHED_LENGTH_MAX else _validate
        errors = list(check(schema, text))
        if not errors and context._provided_operation_name is None:  # noqa: SLF001 - no other way
            errors = _unnamed(_parse_text(text))
        context.pre_execution_errors = errors
        yield


def _unnamed(document: DocumentNode) -> list[GraphQLError]:
    operations = [
        each for each in document.definitions if isinstance(each, OperationDefinitionNode)
    ]
    return [GraphQLError(UNNAMED, operations)] if len(operations) > 1 else []
