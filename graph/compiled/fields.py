"""Fields: an operation's functions, written from what it selects.

    def object_1(run, source, path):     # what is plain in one display, and then the rest
    def field_2(run, source, parent):    # calls a resolver
    async def later_3(…):                # the same of one that is a coroutine
    def complete_4(run, value, path):    # what it gave, as it is printed

They do what the executor's `execute_fields`, `execute_field` and `complete_value` do, in that
order, and leave to it whatever isn't as usual: see graph/compiled/running.py.
"""

import warnings
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Final, NamedTuple

from graphql import OperationType, is_list_type, is_non_null_type, is_object_type
from graphql.pyutils import Path, is_awaitable
from strawberry.types.field import StrawberryField

from graph.compiled.inputs import Inputs
from graph.compiled.running import QUIET, Place
from graph.compiled.script import Script
from graph.compiled.selected import Field, NotCovered, Objects
from graph.compiled.values import (
    CAST,
    SEQUENCES,
    Values,
    are_plain,
    are_plain_for_now,
    attribute,
    is_attribute,
    is_plain,
    is_plain_for_now,
    needed_by,
    origins_of,
)

BEFORE: Final = "before"
"""In a field's extensions: what is called with its info before its resolver is, and may raise."""

STRAWBERRYS: Final = "GraphQLCoreConverter.from_resolver.<locals>"

# Of what is given up some was not yet begun, and need not be.
warnings.filterwarnings(
    "ignore", r"coroutine '(later_\d+|Run\..*)' was never awaited", RuntimeWarning
)


class Resolver(NamedTuple):
    """A function that is a field's resolver, and how it is called."""

    function: Callable[..., Any]
    before: Callable[[Any], None] | None
    takes: str
    """The arguments that name its object and its info."""
    needs_info: bool


class Fields:
    """Writes an operation's functions into a script."""

    def __init__(self, script: Script, inputs: Inputs, info: type) -> None:
        self._script = script
        self._inputs = inputs
        self._values = Values(script)
        self._info = script.name("Info", info)
        self._path = script.name("Path", Path)
        self._new = script.name("new", tuple.__new__)
        self._quiet = script.name("quiet", QUIET)
        self._is_awaitable = script.name("is_awaitable", is_awaitable)

    def _awaits(self, value: str) -> str:
        """A condition: that a value is to be awaited."""
        return f"type({value}) not in {self._quiet} and {self._is_awaitable}({value})"

    # ── objects ─────────────────────────────────────────────────────────────────────────────────

    def root(self, objects: Objects, kind: OperationType) -> str:
        """What executes an operation's root fields."""
        if kind is OperationType.MUTATION:
            return self._serially(objects)
        return self._object(objects, is_root=True)

    def _serially(self, objects: Objects) -> str:
        fields = [
            f"({field.name!r}, {self._field(field, is_root=True)})" for field in objects.fields
        ]
        return self._script.add(
            self._script.fresh("serially"),
            "run, source, path",
            f"fields = [{', '.join(fields)}]",
            "told = {}",
            "for index, (name, field) in enumerate(fields):",
            "    value = field(run, source, None)",
            f"    if {self._awaits('value')}:",
            "        return run.go_on(told, value, name, fields[index + 1:])",
            "    told[name] = value",
            "return told",
        )

    def _object(self, objects: Objects, *, is_root: bool = False) -> str:
        """What executes the fields of an object."""
        kept = self._script.name("objects", objects)
        calls: list[str] = []
        for field in objects.fields:
            if not is_plain(field):
                function = self._field(field, is_root=is_root)
                call = [
                    f"told[{field.name!r}] = value = {function}(run, source, path)",
                    f"if {self._awaits('value')}: names.append({field.name!r})",
                ]
                if needed := needed_by(field):
                    has = f"if getattr(source, {needed!r}, source) is not None:"
                    call = [has, *(f"    {line}" for line in call)]
                calls += [f"    {line}" for line in call]
        rest = ["names = []", "try:", *calls, "except Exception:", "    run.abandon(told)"]
        rest += ["    raise", "return run.gather(told, names) if names else told"]
        return self._script.add(
            self._script.fresh("object"),
            "run, source, path",
            "try:",
            f"    told = {self._told(objects)}",
            "except Exception:",
            f"    return run.execute_fields({kept}, source, path)",
            *(rest if calls else ["return told"]),
        )

    def _told(self, objects: Objects) -> str:
        """An object with what is plain in it. What is the same for now is written once."""
        is_same = all(is_plain(field) or needed_by(field) for field in objects.fields)
        if is_same and not are_plain(objects):
            return f"{self._values.shown(objects)}(source)"
        return self._values.displayed(objects)

    # ── fields ──────────────────────────────────────────────────────────────────────────────────

    def _field(self, field: Field, *, is_root: bool) -> str:
        """What executes a field."""
        if field.is_typename:
            name = self._script.fresh("typename")
            return self._script.add(name, "run, source, parent", f"return {field.parent.name!r}")
        place = Place(field.parent, field.definition, field.details, field.strawberry)
        kept = self._script.name("place", place)
        is_tried = is_attribute(field) and is_plain_for_now(field)
        complete = self._complete(field, kept, field.definition.type, is_tried=is_tried)
        resolver = None if is_attribute(field) else resolver_of(field)
        try:
            call = self._call(field, resolver, kept, is_root=is_root)
        except NotCovered:
            resolver, call = None, f"run.call({kept}, source, path)"
        # What Path itself does, which is a named tuple's.
        keys = f"(parent, {field.name!r}, {field.parent.name!r})"
        path = f"path = {self._new}({self._path}, {keys})"
        begin = self._begin(resolver, kept)
        if resolver and iscoroutinefunction(resolver.function):
            body = self._later(kept, call, complete, resolver, is_root=is_root)
        else:
            body = self._now(kept, call, complete, is_root=is_root)
        return self._script.add(
            self._script.fresh("field"),
            "run, source, parent",
            *(self._try(field, field.definition.type, attribute(field)) if is_tried else ()),
            path,
            "try:",
            *(f"    {line}" for line in (*begin, *body)),
            "except Exception as error:",
            f"    return run.fail({kept}, error, path)",
        )

    def _begin(self, resolver: Resolver | None, place: str) -> list[str]:
        if resolver is None or not resolver.needs_info:
            return []
        lines = [f"info = {self._info}(run, {place}, path)"]
        if resolver.before:
            lines.append(f"{self._script.name('before', resolver.before)}(info)")
        return lines

    def _call(self, field: Field, resolver: Resolver | None, place: str, *, is_root: bool) -> str:
        """What gives a field's value. Raises NotCovered for arguments that the executor reads."""
        if is_attribute(field):
            return attribute(field)
        if resolver is None:
            return f"run.call({place}, source, path)"
        arguments = self._inputs.arguments(field, resolver.function, is_root=is_root)
        told = ", ".join(filter(None, (resolver.takes, *arguments)))
        return f"{self._script.name('resolver', resolver.function)}({told})"

    def _later(
        self, place: str, call: str, complete: str, resolver: Resolver, *, is_root: bool
    ) -> list[str]:
        """Of a resolver that is a coroutine: it is called when its field is awaited."""
        info = "info" if resolver.needs_info else "None"
        later = self._script.add(
            self._script.fresh("later"),
            "run, source, path, info",
            "try:",
            f"    completed = {complete}(run, await {call}, path)",
            f"    return await completed if {self._awaits('completed')} else completed",
            "except Exception as error:",
            f"    return run.fail({place}, error, path)",
            kind="async def",
        )
        value = f"{later}(run, source, path, {info})"
        return [f"return run.around({place}, {value}, path)" if is_root else f"return {value}"]

    def _now(self, place: str, call: str, complete: str, *, is_root: bool) -> list[str]:
        """Of any other resolver, which may give what is yet to be awaited."""
        awaited = f"run.awaited({place}, value, path, {complete})"
        completed = f"run.completed({place}, completed, path)"
        if is_root:
            awaited = f"run.around({place}, {awaited}, path)"
            completed = f"run.around({place}, {completed}, path)"
        return [
            f"value = {call}",
            f"if {self._awaits('value')}: return {awaited}",
            f"completed = {complete}(run, value, path)",
            f"if {self._awaits('completed')}: return {completed}",
            "return completed",
        ]

    # ── values ──────────────────────────────────────────────────────────────────────────────────

    def _try(self, field: Field, kind: Any, place: str) -> list[str]:
        """Give what stands in a place, if it is plain for now."""
        printed = self._values.printed(field, kind, place)
        return ["try:", f"    return {printed}", "except Exception:", "    pass"]

    def _complete(self, field: Field, place: str, kind: Any, *, is_tried: bool = False) -> str:
        """What completes a value of this type, of a field or of a list's item.

        `is_tried`: whether it is known not to be plain for now.
        """
        kept = self._script.name("kind", kind)
        odd = f"run.complete({place}, {kept}, value, path)"
        if all(map(are_plain, field.objects.values())):
            lines = [
                "try:",
                f"    return {self._values.printed(field, kind, 'value')}",
                "except Exception:",
                f"    return {odd}",
            ]
        else:
            nullable = not is_non_null_type(kind)
            inner = kind if nullable else kind.of_type
            lines = ["if value is None: return None"] if nullable else []
            if not is_tried and are_plain_for_now(field, kind):
                lines = self._try(field, kind, "value")
            lines += [*self._completing(field, place, inner), f"return {odd}"]
        return self._script.add(self._script.fresh("complete"), "run, value, path", *lines)

    def _completing(self, field: Field, place: str, kind: Any) -> list[str]:
        """What completes a value that is as usual, and isn't plain."""
        if is_list_type(kind):
            return self._listing(field, place, kind.of_type)
        if is_object_type(kind):
            function = self._object(field.objects[kind.name])
            return [
                "try:",
                f"    is_fit = {self._values.fits(kind, 'value')}",
                "except Exception:",
                "    is_fit = False",
                f"if is_fit: return {function}(run, value, path)",
            ]
        lines = ["kind = type(value)"]
        for origin, possible in origins_of(kind, field).items():
            function = self._object(field.objects[possible.name])
            is_kind = f"kind is {self._script.name('class', origin)}"
            is_kind += f" and not hasattr(value, {CAST!r})"
            lines.append(f"if {is_kind}: return {function}(run, value, path)")
        return lines

    def _listing(self, field: Field, place: str, kind: Any) -> list[str]:
        """What completes a list. Each item that isn't plain for now goes the long way, alone."""
        is_quick = are_plain_for_now(field, kind)
        item = self._complete(field, place, kind, is_tried=is_quick)
        kept = self._script.name("kind", kind)
        sequences = self._script.name("sequences", SEQUENCES)
        long = f"run.item({place}, {kept}, source, path, {item}, told, pending)"
        quick = f"told.append({self._values.printed(field, kind, 'source')})"
        tried = ["try:", f"    {quick}", "except Exception:", f"    {long}"]
        return [
            f"if type(value) in {sequences}:",
            "    told, pending = [], []",
            "    try:",
            "        for source in value:",
            *(f"            {line}" for line in (tried if is_quick else [long])),
            "    except Exception:",
            "        run.abandon_items(value, told, pending)",
            "        raise",
            "    return run.gather_items(told, pending) if pending else told",
        ]


def resolver_of(field: Field) -> Resolver | None:
    """A field's resolver, if nothing is around it but what is asked before it."""
    definition, resolve = field.strawberry, field.definition.resolve
    before = field.definition.extensions.get(BEFORE)
    inner = getattr(resolve, "__wrapped__", resolve) if before else resolve
    if (
        type(definition) is not StrawberryField
        or definition.extensions
        or not definition.base_resolver
        or not callable(definition.base_resolver.wrapped_func)
        or not getattr(inner, "__qualname__", "").startswith(STRAWBERRYS)
    ):
        return None
    resolver = definition.base_resolver
    function: Any = resolver.wrapped_func
    takes = ["source"] if resolver.self_parameter else []
    of_object = (resolver.parent_parameter, resolver.root_parameter)  # which may be one
    named = {parameter.name for parameter in of_object if parameter} - {"self"}
    takes += [f"{name}=source" for name in sorted(named)]
    if resolver.info_parameter:
        takes.append(f"{resolver.info_parameter.name}=info")
    needs_info = bool(before or resolver.info_parameter)
    return Resolver(function, before, ", ".join(takes), needs_info)
