"""Compiled: operations of a Strawberry schema as Python functions, each written once.

    operation = Compiler(schema).operation(document, name)     # of a document that is valid
    result = operation.run(variables, context)                 # may be to be awaited

An operation's function gives what graphql-core's executor gives, errors, nulls and side effects
included. It is written for what is usual; a value that isn't, and an error, are an
executor's from there on. What can't be written raises NotCovered, before anything is run: whoever
runs it then has the executor run it.

Nothing here knows what a schema is about: see docs/compiled.md.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionResult,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    visit,
)
from graphql.pyutils import is_awaitable
from strawberry import Schema
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from graph.compiled.fields import BEFORE, Fields
from graph.compiled.inputs import Inputs
from graph.compiled.running import Around, Place, Run, info_class
from graph.compiled.scalars import SIMPLE, written
from graph.compiled.script import Script
from graph.compiled.selected import NotCovered, Selection
from graph.compiled.values import NULL_WITHOUT, of_classes

__all__ = [
    "BEFORE",
    "NULL_WITHOUT",
    "SIMPLE",
    "Around",
    "Compiler",
    "NotCovered",
    "Operation",
    "Place",
    "Run",
    "of_classes",
    "written",
]

VARIANTS_MAX: Final = 16
"""Of an operation, by what the variables of its `@skip` and `@include` say."""

FIELDS_KEPT_MAX: Final = 20_000
"""Of all that is kept: some 45 MB."""

CONDITIONS: Final = frozenset({"skip", "include"})


class Compiler:
    """Compiles operations of one schema. `around` is what is done around root fields."""

    def __init__(self, schema: Schema, around: Around | None = None) -> None:
        self.schema = schema
        self.around = around
        self.info = info_class(schema.config.info_class)
        extensions = [each if isinstance(each, type) else type(each) for each in schema.extensions]
        handlers = schema.schema_converter._exception_handler_specs  # noqa: SLF001 - no other way
        self.is_covered = not (schema.directives or handlers or any(map(_resolves, extensions)))
        """Whether nothing that Strawberry puts around all resolvers is used."""
        self._kept: deque[_Variant] = deque()
        self._fields_kept = 0

    def keep(self, variant: "_Variant") -> None:
        """Remember one that was written, and forget the oldest where they come to too much."""
        self._kept.append(variant)
        self._fields_kept += variant.fields
        while self._fields_kept > FIELDS_KEPT_MAX:
            oldest = self._kept.popleft()
            self._fields_kept -= oldest.fields
            oldest.forget()

    def operation(self, document: DocumentNode, name: str | None) -> "Operation":
        """One of a document's operations, which is valid. Whoever runs it often keeps it."""
        return Operation(self, document, name)


class Operation:
    """An operation, written when it is first run."""

    def __init__(self, compiler: Compiler, document: DocumentNode, name: str | None) -> None:
        self._compiler = compiler
        self._document = document
        self._name = name
        self._variants: dict[tuple[object, ...], _Variant | str] = {}
        self._directives = _Directives()
        visit(document, self._directives)

    def run(
        self, variables: Mapping[str, Any] | None, context: object, root: object = None
    ) -> ExecutionResult | Awaitable[ExecutionResult]:
        """Run it once. `variables` are as they came. Raises NotCovered before anything is run."""
        return self.prepare(variables, context, root)()

    def prepare(
        self, variables: Mapping[str, Any] | None, context: object, root: object = None
    ) -> Callable[[], ExecutionResult | Awaitable[ExecutionResult]]:
        """What runs it once. Raises NotCovered; nothing is run yet."""
        raw = dict(variables or {})
        variant = self._variant(raw)
        try:
            values = variant.read(raw)
        except Exception:  # noqa: BLE001 - the executor reads them again, and says what is wrong
            raise NotCovered("variables") from None
        around = self._compiler.around
        run = Run(self, raw, values, context, root, around)
        return partial(run.execute, variant.function)

    def source(self, variables: Mapping[str, Any] | None = None) -> str:
        """What is written for it, with these values of what its directives ask."""
        return self._variant(dict(variables or {})).text

    def new_executor(self, raw: dict[str, Any], context: object, root: object) -> Any:
        """An executor of the operation's. Raises NotCovered where it makes none."""
        schema = self._compiler.schema
        executor: Any = schema.execution_context_class or StrawberryGraphQLCoreExecutionContext
        made = executor.build(
            schema._schema,  # noqa: SLF001 - no other way
            self._document,
            root,
            context,
            raw,
            self._name,
            is_awaitable=is_awaitable,
        )
        if isinstance(made, list):
            raise NotCovered("variables")
        return made

    @property
    def variants(self) -> int:
        """How many are kept of it, by what its directives ask."""
        return len(self._variants)

    # ── its variants ────────────────────────────────────────────────────────────────────────────

    def _variant(self, raw: dict[str, Any]) -> "_Variant":
        key: tuple[object, ...] = ()
        if names := self._directives.variables:
            key = tuple([raw.get(name, _Variant) for name in names])
            if not all(each is _Variant or isinstance(each, bool) for each in key):
                raise NotCovered("variables")
        found = self._variants.get(key)
        if found is None:
            if len(self._variants) >= VARIANTS_MAX:
                raise NotCovered("variants")
            found = self._variants[key] = self._write(raw)
            if isinstance(found, _Variant):
                found.forget = partial(self._variants.pop, key)
                self._compiler.keep(found)
        if isinstance(found, str):
            raise NotCovered(found)
        return found

    def _write(self, raw: dict[str, Any]) -> "_Variant | str":
        """A variant, or why there is none."""
        try:
            return _Variant(self._compiler, self._collector(raw))
        except NotCovered as error:
            if error.reason == "variables":  # others may do
                raise
            return error.reason

    def _collector(self, raw: dict[str, Any]) -> Any:
        """An executor that collects what is selected, and knows nothing of whoever asks."""
        if not self._compiler.is_covered:
            raise NotCovered("extension")
        if self._directives.others:
            raise NotCovered("directive")
        return self.new_executor(raw, None, None)


class _Variant:
    """What is written of an operation."""

    def __init__(self, compiler: Compiler, collector: Any) -> None:
        """Raises NotCovered."""
        operation: OperationDefinitionNode = collector.operation
        if operation.operation is OperationType.SUBSCRIPTION:
            raise NotCovered("subscription")
        selection = Selection(collector)
        script = Script()
        inputs = Inputs(script, collector.schema, operation)
        root = Fields(script, inputs, compiler.info).root(selection.root, operation.operation)
        self.read: Callable[[dict[str, Any]], list[Any]]
        self.function: Callable[..., Any]
        self.read, self.function = script.build(inputs.reader, root)
        self.text = script.text
        self.fields = selection.count
        self.forget: Callable[[], object]
        self._kept = (collector, selection)  # whose lists the script names by their ids


class _Directives(Visitor):
    """Which variables decide what is selected, and whether anything else does."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: dict[str, None] = {}
        self.others = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value not in CONDITIONS:
            self.others = True
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.variables[argument.value.name.value] = None


def _resolves(extension: type) -> bool:
    return extension.resolve is not SchemaExtension.resolve
