"""Filters: those that templates may use, each bounded in what it is given and in what it gives.

Left out are those that would undo the escaping of HTML (`safe`), that belong to scripts and not to
messages (`escapejs`, `base64_…`), and those over lists of objects, which no message has (`map`,
`where` …).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from liquid.builtin.filters import array, math, misc, string
from liquid.exceptions import FilterArgumentError
from liquid.filter import with_context
from liquid.undefined import is_undefined

from campaigns.liquid import dates
from campaigns.liquid.bounds import (
    CHARS_A_STEP,
    LIST_ITEMS_MAX,
    NUMBER_MAX,
    TEXT_CHARS_MAX,
    TooMuch,
)

Filter = Callable[..., Any]

TEXT: Final[Mapping[str, Filter]] = {
    "append": string.append,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "escape": string.escape,
    "escape_once": string.escape_once,
    "lstrip": string.lstrip,
    "newline_to_br": string.newline_to_br,
    "prepend": string.prepend,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "remove_last": string.remove_last,
    "replace": string.replace,
    "replace_first": string.replace_first,
    "replace_last": string.replace_last,
    "rstrip": string.rstrip,
    "slice": string.slice_,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_html": string.strip_html,
    "strip_newlines": string.strip_newlines,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "url_decode": string.url_decode,
    "url_encode": string.url_encode,
}
NUMBERS: Final[Mapping[str, Filter]] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": math.round_,
    "times": math.times,
}
LISTS: Final[Mapping[str, Filter]] = {
    "compact": array.compact,
    "concat": array.concat,
    "first": array.first,
    "join": array.join,
    "last": array.last,
    "reverse": array.reverse,
    "size": misc.size,
    "sort": array.sort,
    "sort_natural": array.sort_natural,
    "sum": array.sum_,
    "uniq": array.uniq,
}


def size_of(value: object) -> int:
    """How much text a value is, roughly. Raises TooMuch, and UndefinedError where it is missing."""
    if isinstance(value, str):
        if len(value) > TEXT_CHARS_MAX:
            raise TooMuch(f"a text of more than {TEXT_CHARS_MAX} characters")
        return len(value)
    if isinstance(value, int):
        if not -NUMBER_MAX <= value <= NUMBER_MAX:
            raise TooMuch(f"a number beyond {NUMBER_MAX}")
        return 1
    if is_undefined(value):
        return len(str(value))
    if isinstance(value, list | tuple | range):
        return _size_of_list(value)
    return 1


def _size_of_list(values: "list[Any] | tuple[Any, ...] | range") -> int:
    if len(values) > LIST_ITEMS_MAX:
        raise TooMuch(f"a list of more than {LIST_ITEMS_MAX} items")
    if isinstance(values, range):
        return len(values)
    size = len(values) + sum(map(size_of, values))
    if size > TEXT_CHARS_MAX:
        raise TooMuch(f"a list of more than {TEXT_CHARS_MAX} characters")
    return size


def _size_of_replaced(text: object, old: object, new: object = "") -> int:
    return len(str(text)) + str(text).count(str(old)) * len(str(new))


def _size_of_joined(values: object, separator: object = " ") -> int:
    count = len(values) if isinstance(values, list | tuple | range) else 1
    return size_of(values) + count * len(str(separator))


GROWTH: Final[Mapping[str, Callable[..., int]]] = {
    "replace": _size_of_replaced,
    "join": _size_of_joined,
}
"""What would be made, told before it is: here it may be the product of what was given."""


def _spelt(value: object) -> object:
    """Booleans as Liquid spells them: Python's own spelling has a capital."""
    return str(value).lower() if isinstance(value, bool) else value


def bounded(name: str, act: Filter) -> Filter:
    """Give the filter with its bounds. A missing property isn't filtered but told, as bare."""
    is_of_text = name in TEXT
    growth = GROWTH.get(name)
    wants_environment = getattr(act, "with_environment", False)

    def apply(*given: object, context: Any, **named: object) -> object:
        size = sum(map(size_of, given)) + sum(map(size_of, named.values()))
        context.budget.step(1 + size // CHARS_A_STEP)
        if is_of_text:
            given = tuple(map(_spelt, given))
        if growth and growth(*given, **named) > TEXT_CHARS_MAX:
            raise TooMuch(f"{name}: a text of more than {TEXT_CHARS_MAX} characters")
        if wants_environment:
            named["environment"] = context.env
        made = _acted(name, act, given, named)
        size_of(made)
        return made

    return with_context(apply)


def _acted(name: str, act: Filter, given: tuple[object, ...], named: dict[str, object]) -> object:
    """Call it. What Python says of the wrong values or number of them is no answer to an author."""
    unfit = FilterArgumentError(f"{name}: can't be used so: see what it takes", token=None)
    try:
        return act(*given, **named)
    except FilterArgumentError as error:
        raise unfit if isinstance(error.__cause__, TypeError) else error from error.__cause__
    except (TypeError, ValueError, ArithmeticError) as error:
        raise unfit from error


@with_context
def default(value: object, instead: object = "", *, context: Any, **named: object) -> object:
    """`instead` of a value that is missing, nil, false or empty: the guard of a property."""
    context.budget.step()
    return misc.default(value, instead, **named)


@with_context
def date(given: object, form: object = None, *, context: Any) -> object:
    if form is None:
        raise FilterArgumentError("date: name a format, as in `date: '%d %B %Y'`", token=None)
    context.budget.step(1 + (size_of(given) + size_of(form)) // CHARS_A_STEP)
    if isinstance(given, list | tuple | range):
        raise FilterArgumentError("date: a list is no date", token=None)
    return dates.shown(given, form, context.zone, context.now)


FILTERS: Final[Mapping[str, Filter]] = {
    "date": date,
    "default": default,
    **{name: bounded(name, act) for name, act in {**TEXT, **NUMBERS, **LISTS}.items()},
}
