"""Writing: operations of any schema, as chance wants them, with all that operations may have.

Most are valid as they are written; whoever asks validates them, and leaves out the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from graphql import (
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLNonNull,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    parse_type,
    type_from_ast,
)

from tests.compiled.giving import Give, Giving, literal

DEPTH_MAX: Final = 5
FIELDS_MAX: Final = 4
ALIASES: Final = ("a", "b", "c", "name", "id", "key")
"""Some are names of fields as well."""


@dataclass(frozen=True)
class Chances:
    """Of a hundred: how often something is done that may be left."""

    alias: int = 20
    directive: int = 8
    fragment: int = 20
    variable: int = 40
    spoilt: int = 6
    """Of the variables, so many are given something wrong."""
    argument: int = 40
    again: int = 12
    """A field is selected once more, in the same place."""


@dataclass(frozen=True)
class Asked:
    """An operation, and what is said of its variables: when it is first run, and again."""

    document: str
    variables: dict[str, Any] | None
    name: str | None = None
    more: tuple[dict[str, Any] | None, ...] = ()

    @property
    def all_variables(self) -> tuple[dict[str, Any] | None, ...]:
        return (self.variables, *self.more)


@dataclass
class Writer:
    """Writes one document."""

    schema: GraphQLSchema
    chance: Random
    scalars: Mapping[str, Give]
    chances: Chances = field(default_factory=Chances)
    names: Mapping[str, Give] = field(default_factory=dict)
    """What is given to arguments and inputs' fields of these names, whatever they are."""
    fields_budget: int = 60
    """About so many fields an operation selects."""
    definitions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[tuple[str, str]] = field(default_factory=list)
    """By the type that they are of, the names; their texts are in `texts`."""
    texts: list[str] = field(default_factory=list)
    said: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By its name in the answer, a field and its arguments: fields that merge have the same."""

    def __post_init__(self) -> None:
        self.giving = Giving(self.chance, self.scalars)

    def often(self, percent: int) -> bool:
        return self.chance.randrange(100) < percent

    # ── operations ──────────────────────────────────────────────────────────────────────────────

    def operation(self, kind: str = "query", roots: list[str] | None = None) -> Asked:
        """An operation of a kind; `roots` are the fields that it may begin with."""
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root
        body = self.selections(root, 0, roots)
        name = self.chance.choice((None, "Op"))
        defined = ", ".join(f"${each}: {text}" for each, text in self.definitions.items())
        text = f"{kind} {name or ''}{f'({defined})' if defined else ''} {body}"
        texts = [text, *self.texts]
        if name and self.often(10):
            texts.append("query Another { __typename }")
            self.chance.shuffle(texts)
        elif self.often(50):
            name = None
        sound = dict(self.variables) or None
        first = sound if self.often(50) else self.given()
        more = (self.given(), self.other()) if self.definitions else (sound,)
        return Asked("\n".join(texts), first, name, more)

    def given(self) -> dict[str, Any] | None:
        """What is said of the variables: some of it spoilt, some too much."""
        given = dict(self.variables)
        for name in [*given]:
            if self.often(self.chances.spoilt):
                given[name] = self.giving.spoilt(given[name], self.kind_of(name))
        if self.often(3):
            given["unknown"] = 1
        return given or self.chance.choice((None, {}))

    def other(self) -> dict[str, Any]:
        """Other values of the variables, some left out, some spoilt."""
        given: dict[str, Any] = {}
        for name, declared in self.definitions.items():
            kind = self.kind_of(name)
            if (" = " in declared or not is_non_null_type(kind)) and self.often(30):
                continue
            given[name] = self.fitted("", get_named_type(kind), self.giving.value(kind))
            if self.often(self.chances.spoilt):
                given[name] = self.giving.spoilt(given[name], kind)
        return given

    def kind_of(self, name: str) -> Any:
        """A variable's type."""
        return type_from_ast(self.schema, parse_type(self.definitions[name].partition(" = ")[0]))

    # ── selections ──────────────────────────────────────────────────────────────────────────────

    def selections(self, kind: Any, depth: int, roots: list[str] | None = None) -> str:
        parts = self.parts(kind, depth, roots)
        if self.often(self.chances.fragment):
            cut = self.chance.randrange(len(parts))
            parts[cut:] = [self.fragment(kind, parts[cut:], kind)]
        return f"{{ {' '.join(parts)} }}"

    def parts(self, kind: Any, depth: int, roots: list[str] | None = None) -> list[str]:
        count = self.chance.randint(1, FIELDS_MAX)
        parts: list[str] = []
        for _ in range(count):
            if is_abstract_type(kind) and self.often(60):
                on = self.chance.choice(self.schema.get_possible_types(kind))
                inner = self.parts(on, depth)
                parts.append(self.fragment(on, inner, kind))
            else:
                parts += self.field(kind, depth, roots)
        return parts or ["__typename"]

    def field(self, kind: Any, depth: int, roots: list[str] | None) -> list[str]:
        fields = getattr(kind, "fields", {})
        if roots is not None:
            fields = {name: fields[name] for name in roots}
        if depth >= DEPTH_MAX or self.fields_budget <= 0:
            fields = {
                name: each
                for name, each in fields.items()
                if not is_composite_type(get_named_type(each.type))
            }
        if not fields or self.often(5):
            return [f"{self.alias_of('__typename')}__typename"]
        self.fields_budget -= 1
        name = self.chance.choice([*fields])
        written = [self.written(name, fields[name], depth)]
        if self.often(self.chances.again):
            written.append(self.written(name, fields[name], depth))
        return written

    def written(self, name: str, definition: GraphQLField, depth: int) -> str:
        alias = self.alias_of(name)
        called = alias.removesuffix(": ") or name
        if called in self.said and self.said[called][0] == name:
            arguments = self.said[called][1]
        else:
            if called in self.said:
                alias = f"{name}_{len(self.said)}: "
                called = alias.removesuffix(": ")
            arguments = self.arguments(definition)
            self.said[called] = (name, arguments)
        inner = get_named_type(definition.type)
        selected = f" {self.selections(inner, depth + 1)}" if is_composite_type(inner) else ""
        return f"{alias}{name}{arguments}{self.directive()}{selected}"

    def alias_of(self, name: str) -> str:
        if not self.often(self.chances.alias):
            return ""
        return f"{self.chance.choice((*ALIASES, name))}: "

    def fragment(self, kind: Any, parts: list[str], place: Any) -> str:
        """These parts of a type in a fragment, by a name or without one, in a place of another."""
        known = [name for on, name in self.fragments if on == kind.name]
        if kind is place and known and self.often(30):
            return f"{' '.join(parts)} ...{self.chance.choice(known)}"
        body = f"{{ {' '.join(parts)} }}"
        if self.often(40):
            name = f"F{len(self.fragments)}"
            self.fragments.append((kind.name, name))
            self.texts.append(f"fragment {name} on {kind.name} {body}")
            return f"...{name}{self.directive()}"
        on = "" if kind is place and self.often(30) else f" on {kind.name}"
        return f"...{on}{self.directive()} {body}"

    def directive(self) -> str:
        """At times `@skip` or `@include`, or both."""
        told = ""
        for name in self.chance.sample(("skip", "include"), 2):
            if self.often(self.chances.directive):
                told += f" @{name}(if: {self.condition(mostly=name == 'include')})"
        return told

    def condition(self, *, mostly: bool) -> str:
        holds = mostly if self.often(70) else not mostly
        if not self.often(50):
            return str(holds).lower()
        return self.variable("Boolean!", "Boolean", holds, default="true" if mostly else "false")

    # ── arguments ───────────────────────────────────────────────────────────────────────────────

    def arguments(self, definition: GraphQLField) -> str:
        names = [
            name
            for name, each in definition.args.items()
            if is_required_argument(each) or self.often(self.chances.argument)
        ]
        self.chance.shuffle(names)
        told = [f"{name}: {self.value(name, definition.args[name])}" for name in names]
        return f"({', '.join(told)})" if told else ""

    def value(self, name: str, place: Any, depth: int = 0) -> str:
        """What is given to an argument or an input's field."""
        kind = place.type
        value = self.usual(name, kind)
        if self.often(self.chances.variable):
            default = place.default_value if hasattr(place, "default_value") else Undefined
            return self.as_variable(kind, value, has_default=default is not Undefined)
        return self.text(kind, value, depth)

    def usual(self, name: str, kind: Any) -> Any:
        """A sound value, with what is known to fit by a field's name."""
        value = self.giving.value(kind)
        return self.fitted(name, get_named_type(kind), value)

    def fitted(self, name: str, kind: Any, value: Any, owner: str = "") -> Any:
        """The value, with what is known to fit: by an input and its field, or by name alone."""
        if isinstance(value, list):
            return [self.fitted(name, kind, each, owner) for each in value]
        if isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
            return {
                each: self.fitted(each, get_named_type(kind.fields[each].type), part, kind.name)
                for each, part in value.items()
            }
        give = self.names.get(f"{owner}.{name}") or self.names.get(name)
        return give(self.chance) if give and value is not None and self.often(90) else value

    def text(self, kind: Any, value: Any, depth: int) -> str:
        """A literal, with variables in it here and there."""
        inner = get_nullable_type(kind)
        if is_list_type(inner) and isinstance(value, list):
            return f"[{', '.join(self.part(inner.of_type, each, depth) for each in value)}]"
        if isinstance(inner, GraphQLInputObjectType) and isinstance(value, dict):
            told = []
            for name, each in value.items():
                field = inner.fields[name]
                asked = self.giving.asked(inner, field)
                optional = not is_required_input_field(field) and is_non_null_type(field.type)
                part = self.part(asked, each, depth, has_default=optional)
                told.append(f"{name}: {part}")
            return f"{{{', '.join(told)}}}"
        return literal(kind, value)

    def part(self, kind: Any, value: Any, depth: int, *, has_default: bool = False) -> str:
        if self.often(self.chances.variable // 2):
            return self.as_variable(kind, value, has_default=has_default)
        return self.text(kind, value, depth + 1)

    # ── variables ───────────────────────────────────────────────────────────────────────────────

    def as_variable(self, kind: Any, value: Any, *, has_default: bool) -> str:
        """A variable of a type that fits, which may be known already."""
        wanted, named = str(kind), str(get_nullable_type(kind))
        default = None
        if is_non_null_type(kind):
            if has_default and self.often(50):
                wanted = named  # what isn't given is the argument's default
            elif self.often(10) and value is not None:
                wanted, default = named, literal(kind, value)
        elif self.often(15):
            wanted = f"{named}!"
            value = self.giving.value(_non_null(kind)) if value is None else value
        elif self.often(12):
            default = literal(kind, self.giving.value(kind))
        return self.variable(wanted, named, value, default=default)

    def variable(self, wanted: str, named: str, value: Any, default: str | None = None) -> str:
        declared = f"{wanted} = {default}" if default is not None and self.often(50) else wanted
        if declared == named and wanted != named:
            declared = wanted
        for name, known in self.definitions.items():
            if known == declared and self.often(50):
                return f"${name}"
        name = f"v{len(self.definitions)}"
        if default is not None and wanted == named and "=" not in declared:
            declared = f"{named} = {default}"
        self.definitions[name] = declared
        if (wanted.endswith("!") and "=" not in declared) or not self.often(25):
            self.variables[name] = value
        return f"${name}"


def _non_null(kind: Any) -> Any:
    return kind if is_non_null_type(kind) else GraphQLNonNull(kind)
