"""Inputs: how variables and arguments become what resolvers take, as expressions of Python's.

    WalletRef(id=…, owner=(None if (v_1 := raw.get("owner")) is None else owner_2(v_1)))

As graphql-core coerces and Strawberry converts, in one step, and only for what is as it should be:
for all else it raises, and the executor then says what is wrong, in its own words.
"""

from collections.abc import Callable
from dataclasses import MISSING
from enum import Enum
from inspect import Parameter, signature
from typing import Any, Final, NamedTuple, NoReturn

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    type_from_ast,
    visit,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from strawberry import UNSET
from strawberry.relay import GlobalID
from strawberry.types.base import StrawberryContainer, StrawberryMaybe

from graph.compiled.conversions import Conversion
from graph.compiled.script import Script
from graph.compiled.selected import Field, NotCovered
from graph.compiled.values import Odd

CONSTANTS: Final = (type(None), bool, int, float, str, Enum, type(UNSET))
"""What nobody can change, so that one will do for all runs."""

ABSENT: Final = object()
"""What stands for a variable that has no value."""


class Variable(NamedTuple):
    """One of an operation's: where its value is, and whether there may be none."""

    name: str
    place: str
    kind: Any
    may_be_absent: bool
    reader: str | None
    """What reads it again: a list or an object is made anew wherever it is used."""


class Inputs:
    """Writes such expressions, and the functions that they call, into a script."""

    def __init__(
        self, script: Script, schema: GraphQLSchema, operation: OperationDefinitionNode
    ) -> None:
        """Raises NotCovered."""
        self._script = script
        self._schema = schema
        self._readers: dict[str, str] = {}
        self._under_way: set[str] = set()
        self._absent = script.name("absent", ABSENT)
        self._no = script.name("no", refuse)
        self._variables: dict[str, Variable] = {}
        self._taken: set[str] = set()
        self.reader = self._write_reader(operation)

    # ── variables ───────────────────────────────────────────────────────────────────────────────

    def _write_reader(self, operation: OperationDefinitionNode) -> str:
        """A function that reads the operation's variables: a list of their values."""
        values: list[str] = []
        for defined in operation.variable_definitions or ():
            name, kind = defined.variable.name.value, type_from_ast(self._schema, defined.type)
            default = self._absent
            if defined.default_value:
                default = self._fixed(coerce_input_literal(defined.default_value, kind))  # type: ignore[arg-type]
            elif is_non_null_type(kind):
                default = f"{self._no}()"
            place = f"run.values[{len(values)}]"
            reader = None
            if _is_mutable(kind):
                reader = self._function(self._reading(kind, "raw"))
            self._variables[name] = Variable(name, place, kind, default == self._absent, reader)
            values.append(self._given(name, kind, default))
        return self._script.add("read", "raw", f"return [{', '.join(values)}]")

    def _function(self, expression: str) -> str:
        return self._script.add(self._script.fresh("read"), "raw", f"return {expression}")

    def _given(self, name: str, kind: Any, default: str) -> str:
        """What stands under a name in `raw`, or else the default."""
        value = self._script.fresh("v")
        if default == "None" and not is_non_null_type(kind):
            read = self._read(kind, value)
            return f"(None if ({value} := raw.get({name!r})) is None else {read})"
        given = f"({value} := raw.get({name!r}, {self._absent})) is not {self._absent}"
        return f"({self._reading(kind, value)} if {given} else {default})"

    # ── values as they are given ────────────────────────────────────────────────────────────────

    def _reading(self, kind: Any, value: str) -> str:
        """What a name's value becomes, which may be null if the type says so."""
        if is_non_null_type(kind):
            return f"({self._read(kind.of_type, value)} if {value} is not None else {self._no}())"
        return f"(None if {value} is None else {self._read(kind, value)})"

    def _read(self, kind: Any, value: str) -> str:
        """What a name's value becomes that isn't null."""
        if is_list_type(kind):
            item = self._function(self._reading(kind.of_type, "raw"))
            each = f"[{item}(each) for each in {value}]"
            return f"({each} if type({value}) is list else {self._no}())"
        if is_input_object_type(kind):
            return f"{self._object_reader(kind)}({value})"
        if isinstance(kind, GraphQLEnumType):
            members = {name: kind.coerce_input_value(name) for name in kind.values}
            return f"{self._script.name('members', members)}[{value}]"
        rest = f"{self._script.name('leaf', _coercion(kind))}({value})"
        if kind is GraphQLString or kind is GraphQLID:
            return f"({value} if type({value}) is str else {rest})"
        if kind is GraphQLBoolean:
            return f"({value} if type({value}) is bool else {rest})"
        return rest

    def _object_reader(self, kind: GraphQLInputObjectType) -> str:
        """A function that makes an input object. Raises NotCovered."""
        known = self._readers.get(kind.name)
        if known:
            return known
        with self._once(kind):
            parts = [
                f"{_attribute(field)}={self._given(name, *self._kind_and_default(kind, name))}"
                for name, field in kind.fields.items()
            ]
        names = self._script.name("names", frozenset(kind.fields))
        odd = f"type(raw) is not dict or not raw.keys() <= {names}"
        if _is_one_of(kind):
            odd = f"{odd} or len(raw) != 1"
        made = self._readers[kind.name] = self._script.add(
            self._script.fresh("input"),
            "raw",
            f"if {odd}: {self._no}()",
            f"return {self._script.name('kind', _origin(kind))}({', '.join(parts)})",
        )
        return made

    def _once(self, kind: GraphQLInputObjectType) -> "_Once":
        return _Once(self._under_way, kind.name)

    def _kind_and_default(self, kind: GraphQLInputObjectType, name: str) -> tuple[Any, str]:
        """How a field's value is read, and what it is if there is none."""
        field = kind.fields[name]
        if _is_one_of(kind):  # of which the one that is given can't be null
            return GraphQLNonNull(get_nullable_type(field.type)), self._left_out(field)
        return field.type, self._left_out(field)

    def _left_out(self, field: Any) -> str:
        """What an input object has for a field that is left out."""
        definition = field.extensions["strawberry-definition"]
        demand_convertible(definition.type)
        if is_required_input_field(field):
            return f"{self._no}()"
        default = coerce_default_value(field)
        if default is not Undefined:
            return self._fixed(default)
        if definition.default_factory is not MISSING:
            raise NotCovered("default")
        return self._fixed(None if definition.default is MISSING else definition.default)

    def _fixed(self, value: Any) -> str:
        """A value that is the same each time, or a list of such. Raises NotCovered."""
        if value is None:
            return "None"
        if isinstance(value, list) and all(isinstance(each, CONSTANTS) for each in value):
            return f"[*{self._script.name('constants', tuple(value))}]"
        if not isinstance(value, CONSTANTS):
            raise NotCovered("default")
        return self._script.name("constant", value)

    # ── values as they are written in the document ──────────────────────────────────────────────

    def arguments(self, field: Field, function: Callable[..., Any], *, is_root: bool) -> list[str]:
        """The arguments with which a field's function is called, by keyword. Raises NotCovered."""
        nodes = {each.name.value: each.value for each in field.node.arguments or ()}
        given = zip(field.definition.args.items(), field.strawberry.arguments, strict=True)
        parameters = signature(function).parameters
        found: list[str] = []
        for (name, definition), argument in given:
            demand_convertible(argument.type)
            parameter = parameters[argument.python_name]
            default = self._omitted(definition, parameter)
            node = nodes.get(name)
            value = default if node is None else self._argument(definition, node, default, is_root)
            if value == _NEEDED:
                raise NotCovered("argument")
            found.append(f"{parameter.name}={value}")
        return found

    def _omitted(self, definition: Any, parameter: Parameter) -> str:
        """What a function gets for an argument that is left out."""
        default = coerce_default_value(definition)
        if default is not Undefined:
            return self._fixed(default)
        if is_required_argument(definition) or parameter.default is Parameter.empty:
            return _NEEDED
        return self._script.name("default", parameter.default)

    def _argument(self, definition: Any, node: ValueNode, default: str, is_root: bool) -> str:  # noqa: FBT001
        """What it gets for one that is given, by a variable perhaps that has no value."""
        variable = self._variables[node.name.value] if isinstance(node, VariableNode) else None
        if variable is None or not variable.may_be_absent:
            return self._literal(node, definition.type, is_root=is_root)
        if is_non_null_type(definition.type) or default == _NEEDED:
            return _NEEDED
        used = self._used(variable, is_root=is_root)
        return f"({used} if {variable.place} is not {self._absent} else {default})"

    def _used(self, variable: Variable, *, is_root: bool) -> str:
        """A variable's value where it is used: a root field is executed once, others may not be."""
        if variable.reader is None:
            return variable.place
        if is_root and variable.name not in self._taken:
            self._taken.add(variable.name)
            return variable.place
        return f"{variable.reader}(run.raw.get({variable.name!r}))"

    def _literal(self, node: ValueNode, kind: Any, *, is_root: bool) -> str:
        """A value that is written in the document, with variables in it. Raises NotCovered."""
        if isinstance(node, VariableNode):
            variable = self._variables[node.name.value]
            may_be_null = not is_non_null_type(variable.kind)
            if variable.may_be_absent or (may_be_null and is_non_null_type(kind)):
                raise NotCovered("argument")
            return self._used(variable, is_root=is_root)
        kind = get_nullable_type(kind)
        if isinstance(node, NullValueNode):
            return "None"
        if is_list_type(kind):
            nodes = node.values if isinstance(node, ListValueNode) else (node,)
            items = [self._literal(each, kind.of_type, is_root=is_root) for each in nodes]
            return f"[{', '.join(items)}]"
        if is_input_object_type(kind):
            return self._literal_object(node, kind, is_root=is_root)
        if _has_variables(node):
            raise NotCovered("argument")
        return self._fixed(coerce_input_literal(node, kind))

    def _literal_object(
        self, node: ValueNode, kind: GraphQLInputObjectType, *, is_root: bool
    ) -> str:
        if not isinstance(node, ObjectValueNode):
            raise NotCovered("argument")
        given = {each.name.value: each.value for each in node.fields}
        parts: list[str] = []
        for name, field in kind.fields.items():
            default = self._left_out(field)
            if name in given:
                value = self._literal(given[name], field.type, is_root=is_root)
            elif default == f"{self._no}()":
                raise NotCovered("argument")
            else:
                value = default
            parts.append(f"{_attribute(field)}={value}")
        return f"{self._script.name('kind', _origin(kind))}({', '.join(parts)})"


_NEEDED: Final = ""
"""Stands for a value that there must be, and isn't."""


class _Once:
    """Within it a type of input is written. Raises NotCovered for one that is within itself."""

    def __init__(self, under_way: set[str], name: str) -> None:
        if name in under_way:
            raise NotCovered("recursion")
        self._under_way, self._name = under_way, name

    def __enter__(self) -> None:
        self._under_way.add(self._name)

    def __exit__(self, *_: object) -> None:
        self._under_way.discard(self._name)


class _Finding(Visitor):
    """Whether there is a variable in a value."""

    found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def refuse() -> NoReturn:
    """What is given isn't as it should be."""
    raise Odd


def demand_convertible(kind: Any) -> None:
    """Raises NotCovered for what Strawberry makes more of than graphql-core has."""
    while isinstance(kind, StrawberryContainer):
        if isinstance(kind, StrawberryMaybe):
            raise NotCovered("maybe")
        kind = kind.of_type
    if kind is GlobalID:
        raise NotCovered("id")


def _has_variables(node: ValueNode) -> bool:
    finding = _Finding()
    visit(node, finding)
    return finding.found


def _is_mutable(kind: Any) -> bool:
    """Whether a value of this type could be changed by whoever gets it."""
    if is_list_type(get_nullable_type(kind)):
        return True
    named = get_named_type(kind)
    is_ours = named in (GraphQLString, GraphQLID, GraphQLBoolean, GraphQLInt, GraphQLFloat)
    return not (is_ours or isinstance(named, GraphQLEnumType))


def _is_one_of(kind: GraphQLInputObjectType) -> bool:
    """Whether one of its fields is given, and isn't null: Strawberry may know of it alone."""
    return kind.is_one_of or kind.extensions["strawberry-definition"].is_one_of


def _attribute(field: Any) -> str:
    return field.extensions["strawberry-definition"].python_name


def _origin(kind: GraphQLInputObjectType) -> type:
    """The class of a type's objects. Raises NotCovered where they are made in a way of its own."""
    definition = kind.extensions["strawberry-definition"]
    made = definition.from_input
    if not (made is None or isinstance(made, Conversion)):
        raise NotCovered("input")
    return definition.origin


def _coercion(kind: Any) -> Callable[[Any], Any]:
    """What coerces a leaf's value. It raises whatever the type does."""
    coerce = kind.coerce_input_value

    def coerced(value: Any) -> Any:
        found = coerce(value)
        if found is Undefined:
            raise Odd
        return found

    return coerced
