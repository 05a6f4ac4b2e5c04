"""Values: how what objects give is printed, as one expression of Python's.

    {"id": (v_1 if type(v_1 := source.id) is str else odd_2(v_1)), "balance": {…}}

It is written for what is usual, and raises for whatever else there is (what can't be printed, null
where none may be, an object of an unknown class): whoever evaluates it then has the executor
complete the same value, which tells what is wrong, or finds that nothing is. To evaluate it does
nothing but to read attributes, so that it can be done again.
"""

from collections.abc import Callable, Iterable
from keyword import iskeyword
from math import isfinite
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLObjectType,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
)
from graphql.pyutils import is_awaitable
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.union import StrawberryUnion

from graph.compiled.scalars import SIMPLE, written_of
from graph.compiled.script import Script
from graph.compiled.selected import Field, Objects

NULL_WITHOUT: Final = "null_without"
"""In a field's metadata: an attribute without which it is null, and its resolver isn't called."""

CAST: Final = "__as_strawberry_type__"
"""What `strawberry.cast` says of an object."""

CLASSES_MAX: Final = 64
"""Of the classes that were found fit for a type: more than a schema has for one."""

SEQUENCES: Final = frozenset({list, tuple})

LEAST, MOST = -(2**31), 2**31 - 1
"""Of an Int."""


class Odd(Exception):
    """A value that isn't as usual: the executor knows what to make of it."""


def is_attribute(field: Field) -> bool:
    """Whether a field gives an attribute, and nothing is asked before it."""
    definition = field.strawberry
    return (
        isinstance(definition, StrawberryField)
        and definition.is_basic_field
        and definition.default_resolver is getattr
        and not field.definition.args
        and getattr(field.definition.resolve, "_is_default", False)
        and not hasattr(field.definition.resolve, "__wrapped__")
    )


def is_plain(field: Field) -> bool:
    """Whether a field, with all that is within it, is nothing but attributes."""
    if field.is_typename:
        return True
    return is_attribute(field) and all(map(are_plain, field.objects.values()))


def are_plain(objects: Objects) -> bool:
    """Whether objects, as they are selected, are nothing but attributes."""
    return all(map(is_plain, objects.fields))


def is_plain_for_now(field: Field) -> bool:
    """Whether a field is plain, as long as what some fields within it need is missing.

    A list of what isn't always plain never is: its items are tried one by one.
    """
    if is_plain(field) or needed_by(field):
        return True
    return is_attribute(field) and are_plain_for_now(field, field.definition.type)


def are_plain_for_now(field: Field, kind: Any) -> bool:
    """Whether what a field gives is, where it is of this type."""
    inner = kind.of_type if is_non_null_type(kind) else kind
    if is_list_type(inner):
        return all(map(are_plain, field.objects.values()))
    return all(all(map(is_plain_for_now, each.fields)) for each in field.objects.values())


def needed_by(field: Field) -> str | None:
    """The attribute without which a field is null, if it is so."""
    if field.is_typename or is_non_null_type(field.definition.type):
        return None
    return field.strawberry.metadata.get(NULL_WITHOUT) if field.strawberry else None


def attribute(field: Field) -> str:
    """A field's attribute of `source`."""
    return attribute_of("source", field.strawberry.python_name)


def attribute_of(source: str, name: str) -> str:
    """An attribute of this name."""
    if name.isidentifier() and not iskeyword(name):
        return f"{source}.{name}"
    return f"getattr({source}, {name!r})"


class Values:
    """Writes such expressions, and what they call, into a script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._odd = script.name("odd", odd)
        self._classes: dict[str, set[type]] = {}
        self._shown: dict[int, str] = {}

    # ── objects ─────────────────────────────────────────────────────────────────────────────────

    def displayed(self, objects: Objects, source: str = "source") -> str:
        """A dict display of an object. What isn't plain in it is null, in its place."""
        return self._display(objects, source, is_plain)

    def _display(self, objects: Objects, source: str, is_shown: Callable[[Field], bool]) -> str:
        parts = [
            f"{field.name!r}: {self._field(field, source) if is_shown(field) else 'None'}"
            for field in objects.fields
        ]
        return f"{{{', '.join(parts)}}}"

    def _field(self, field: Field, source: str) -> str:
        if field.is_typename:
            return repr(field.parent.name)
        if needed_by(field) and not is_plain(field):  # it is null for now
            return "None"
        place = attribute_of(source, field.strawberry.python_name)
        return self.printed(field, field.definition.type, place)

    def shown(self, objects: Objects) -> str:
        """The function that displays objects that are plain for now."""
        known = self._shown.get(id(objects))
        if known is None:
            display = self._display(objects, "source", is_plain_for_now)
            known = self._script.add(self._script.fresh("shown"), "source", f"return {display}")
            self._shown[id(objects)] = known
        return known

    def _object(self, objects: Objects, value: str) -> str:
        """An object as it is displayed. It raises Odd where it isn't plain for now."""
        if are_plain(objects):
            return self.displayed(objects, value)
        shown = f"{self.shown(objects)}({value})"
        needed = {needed_by(field): None for field in objects.fields if not is_plain(field)}
        missing = [f"{attribute_of(value, name)} is None" for name in needed if name]
        return f"({shown} if {' and '.join(missing)} else {self._odd}())" if missing else shown

    def fits(self, kind: GraphQLObjectType, value: str, first: str | None = None) -> str:
        """A condition: that a value is an object of a type. It raises Odd where it isn't.

        `first` is how the value is named first, where it is named here.
        """
        classes = self._script.name("classes", self.classes(kind))
        admits = self._script.name("admits", _admission(kind, self.classes(kind)))
        usual = f"type({first or value}) in {classes}"
        if kind.is_type_of:
            usual = f"({usual} and not hasattr({value}, {CAST!r}))"
        return f"({usual} or {admits}({value}))"

    def classes(self, kind: GraphQLObjectType) -> set[type]:
        """The classes of a type's objects, as far as they are known."""
        known = self._classes.get(kind.name)
        if known is None:
            known = self._classes[kind.name] = _origins(kind)
        return known

    # ── what is in them ─────────────────────────────────────────────────────────────────────────

    def printed(self, field: Field, kind: Any, place: str) -> str:
        """The value of a field that is plain for now, of this type, which stands in a place."""
        value = self._script.fresh("v")
        if is_non_null_type(kind):
            return self._printed(field, kind.of_type, value, f"{value} := {place}")
        rest = self._printed(field, kind, value, value)
        return f"(None if ({value} := {place}) is None else {rest})"

    def _printed(self, field: Field, kind: Any, value: str, first: str) -> str:
        """The same of what isn't null; `first` is how it is named first."""
        if is_leaf_type(kind):
            return self._leaf(kind, value, first)
        if is_list_type(kind):
            item = self._function(self.printed(field, kind.of_type, "source"))
            sequences = self._script.name("sequences", SEQUENCES)
            each = f"[{item}(each) for each in {value}]"
            return f"({each} if type({first}) in {sequences} else {self._odd}())"
        if is_object_type(kind):
            display = self._object(field.objects[kind.name], value)
            return f"({display} if {self.fits(kind, value, first)} else None)"
        return f"{self._dispatched(field, kind)}({first})"

    def _function(self, expression: str) -> str:
        """An expression of `source`, as a function: what is in a list is named anew each time."""
        return self._script.add(self._script.fresh("item"), "source", f"return {expression}")

    def _dispatched(self, field: Field, kind: Any) -> str:
        """A function that prints an object of an abstract type, by its class."""
        by_class = {
            each: self._function(self._object(field.objects[possible.name], "source"))
            for each, possible in origins_of(kind, field).items()
        }
        cases = [
            f"if kind is {self._script.name('kind', each)}: return {function}(source)"
            for each, function in by_class.items()
        ]
        return self._script.add(
            self._script.fresh("any"),
            "source",
            f"if hasattr(source, {CAST!r}): {self._odd}()",
            "kind = type(source)",
            *cases,
            f"{self._odd}()",
        )

    def _leaf(self, kind: Any, value: str, first: str) -> str:
        rest = f"{self._script.name('rest', _rest_of(kind))}({value})"
        if isinstance(kind, GraphQLEnumType):
            return f"{self._script.name('names', _names_of(kind))}[{first}]"  # or it is odd
        if kind is GraphQLString or kind is GraphQLID:
            return f"({value} if type({first}) is str else {rest})"
        if kind is GraphQLBoolean:
            return f"({value} if ({first}) is True or {value} is False else {rest})"
        if kind is GraphQLInt:
            return f"({value} if type({first}) is int and {LEAST} <= {value} <= {MOST} else {rest})"
        if kind is GraphQLFloat:
            finite = self._script.name("isfinite", isfinite)
            return f"({value} if type({first}) is float and {finite}({value}) else {rest})"
        if expressed := written_of(kind):
            expression = expressed.of(value, self._script)
            return f"({expression} if {self._is_of(expressed.classes, first)} else {rest})"
        simple = self._script.name("simple", SIMPLE)
        printing = self._script.name("print", kind.coerce_output_value)
        printed = self._script.fresh("p")
        usual = f"type({first}) in {simple} and ({printed} := {printing}({value})) is not None"
        return f"({printed} if {usual} else {rest})"

    def _is_of(self, classes: frozenset[type], value: str) -> str:
        """A condition: that a value's class is one of these."""
        if len(classes) == 1:
            (only,) = classes
            return f"type({value}) is {self._script.name(only.__name__, only)}"
        return f"type({value}) in {self._script.name('classes', classes)}"


def of_classes(*classes: type) -> Callable[[object, object], bool]:
    """For a type's `is_type_of`: its objects are those of these classes, which may be any."""

    def is_type_of(value: object, _info: object) -> bool:
        return isinstance(value, classes)

    is_type_of.classes = classes  # type: ignore[attr-defined]
    return is_type_of


def _classes_of(definition: StrawberryObjectDefinition) -> tuple[type, ...]:
    """The classes that a type says its objects are of; none if it doesn't."""
    return getattr(definition.is_type_of, "classes", ())


def odd() -> None:
    """Raise Odd."""
    raise Odd


def origins_of(kind: Any, field: Field) -> dict[type, GraphQLObjectType]:
    """The types that an object of an abstract one may be of, by the one class of their objects.

    A generic type is left out, whose objects' types are told by what is in them; and all, where the
    schema has a way of its own.
    """
    definition = kind.extensions.get("strawberry-definition")
    if isinstance(definition, StrawberryObjectDefinition) and definition.resolve_type:
        return {}
    if isinstance(kind, GraphQLUnionType) and type(definition) is not StrawberryUnion:
        return {}
    found: dict[type, GraphQLObjectType] = {}
    for objects in field.objects.values():
        made: StrawberryObjectDefinition = objects.kind.extensions["strawberry-definition"]
        if made.is_type_of:
            found |= dict.fromkeys(_classes_of(made), objects.kind)
        elif made.concrete_of is None:
            found[made.origin] = objects.kind
    return found


def _origins(kind: GraphQLObjectType) -> set[type]:
    definition = kind.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryObjectDefinition):
        return set()
    if definition.is_type_of:
        return set(_classes_of(definition))
    if definition.concrete_of:
        return {definition.origin, definition.concrete_of.origin}
    return {definition.origin}


def _admission(kind: GraphQLObjectType, classes: set[type]) -> Callable[[Any], bool]:
    """What looks closer at an object of a class that isn't known, and remembers what is fit."""
    definition = kind.extensions.get("strawberry-definition")
    is_by_class = isinstance(definition, StrawberryObjectDefinition) and (
        not definition.is_type_of or bool(_classes_of(definition))
    )

    def admit(value: Any) -> bool:
        if value is None or value is Undefined or isinstance(value, Exception):
            raise Odd
        if is_awaitable(value) or hasattr(value, CAST) or not is_by_class:
            raise Odd
        if kind.is_type_of and not kind.is_type_of(value, None):  # type: ignore[arg-type]
            raise Odd
        if len(classes) < CLASSES_MAX:
            classes.add(type(value))
        return True

    return admit


def _rest_of(kind: Any) -> Callable[[Any], Any]:
    """What prints a leaf of a class that isn't the usual one."""
    printing = kind.coerce_output_value

    def rest(value: Any) -> Any:
        if value is None or value is Undefined or isinstance(value, Exception):
            raise Odd
        if is_awaitable(value):
            raise Odd
        printed = printing(value)
        if printed is None or printed is Undefined:
            raise Odd
        return printed

    return rest


def _names_of(kind: GraphQLEnumType) -> dict[Any, str]:
    """The names of an enum's values, as they are printed."""
    names: dict[Any, str] = {}
    members: Iterable[Any] = getattr(kind, "wrapped_cls", ())
    for each in (*(value.value for value in kind.values.values()), *members):
        names[each] = kind.coerce_output_value(each)
    return names
