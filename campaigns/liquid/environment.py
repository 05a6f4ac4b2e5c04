"""The Liquid of messages: python-liquid with our tags, filters, roots and bounds."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from io import StringIO
from typing import Any, Final, TextIO

from liquid import Environment
from liquid.ast import Node
from liquid.builtin import content, illegal, output
from liquid.builtin.expressions import FilteredExpression
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    cycle_tag,
    decrement_tag,
    echo_tag,
    for_tag,
    if_tag,
    ifchanged_tag,
    increment_tag,
    inline_comment_tag,
    tablerow_tag,
    unless_tag,
)
from liquid.context import RenderContext
from liquid.exceptions import LiquidError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.template import BoundTemplate
from liquid.token import TOKEN_EXPRESSION, TOKEN_TAG, Token
from liquid.undefined import UNDEFINED, FalsyStrictUndefined
from liquid.utils import ReadOnlyChainMap

from campaigns.liquid.bounds import (
    LIST_ITEMS_MAX,
    LOCALS_BYTES_MAX,
    NESTING_MAX,
    OUTPUT_BYTES_MAX,
    REASON_CHARS_MAX,
    Budget,
    TooMuch,
)
from campaigns.liquid.filters import FILTERS

CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
PSEUDO_TAGS: Final = (content.Literal, output.Output, illegal.Illegal)


class Abort(Exception):
    """The template says that nothing is to be sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AbortNode(Node):
    """`{% abort %}`, with a reason or without."""

    __slots__ = ("reason",)

    def __init__(self, token: Token, reason: FilteredExpression | None) -> None:
        super().__init__(token)
        self.reason = reason

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:  # noqa: ARG002
        said = "" if self.reason is None else str(self.reason.evaluate(context) or "")
        raise Abort(one_line(said)[:REASON_CHARS_MAX])

    def expressions(self) -> list[Expression]:
        return [self.reason] if self.reason else []


class AbortTag(Tag):
    """CleverTap's tag: the message isn't sent to this member."""

    name = "abort"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        token = stream.expect(TOKEN_TAG)
        if stream.peek.kind != TOKEN_EXPRESSION:
            return AbortNode(token, None)
        next(stream)
        inner = stream.into_inner(tag=token, eat=False)
        reason = FilteredExpression.parse(self.env, inner)
        assert isinstance(reason, FilteredExpression), "there are no ternary expressions"
        return AbortNode(token, reason)


TAGS: Final[tuple[type[Tag], ...]] = (
    AbortTag,
    assign_tag.AssignTag,
    capture_tag.CaptureTag,
    case_tag.CaseTag,
    comment_tag.CommentTag,
    cycle_tag.CycleTag,
    decrement_tag.DecrementTag,
    echo_tag.EchoTag,
    for_tag.BreakTag,
    for_tag.ContinueTag,
    for_tag.ForTag,
    if_tag.IfTag,
    ifchanged_tag.IfChangedTag,
    increment_tag.IncrementTag,
    inline_comment_tag.InlineCommentTag,
    tablerow_tag.TablerowTag,
    unless_tag.UnlessTag,
)


class Missing(FalsyStrictUndefined):
    """What isn't there: false where it is asked for, an UndefinedError of its name where used."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        *,
        token: Token | None = None,
        obj: object = None,
        hint: str | None = None,  # noqa: ARG002
    ) -> None:
        super().__init__(name, token=token, obj=obj, hint=name)


class Values:
    """A root's values by their names. No list and no object: neither counted nor gone through."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> object:
        return self._values[name]


class MessageContext(RenderContext):
    """One part's rendering. Knows the message's budget, the member's zone and what time it is."""

    __slots__ = ("budget", "now", "zone")

    def __init__(
        self,
        template: BoundTemplate,
        *,
        roots: Mapping[str, object],
        zone: tzinfo,
        now: datetime,
        budget: Budget,
    ) -> None:
        super().__init__(template, globals=roots)
        # Without python-liquid's own `now` and `today`, which tell the server's time.
        self.scope = ReadOnlyChainMap(self.locals, self.globals, self.counters)
        self.zone = zone
        self.now = now
        self.budget = budget

    @property
    def disabled_tags(self) -> list[str]:
        """None. Each node asks before it renders, the only thing all do: here they are counted."""
        self.budget.step()
        return []

    @disabled_tags.setter
    def disabled_tags(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, names: list[str]
    ) -> None:
        assert not names, "no tag is disabled"

    def raise_for_loop_limit(self, length: int = 1) -> None:
        self.budget.loop(length)

    def get_buffer(self, buf: TextIO | None = None) -> StringIO:
        return output_buffer(buf.size if isinstance(buf, LimitedStringIO) else 0)

    def get(
        self, path: list[object], *, token: Token | None, default: object = UNDEFINED
    ) -> object:
        """Find a value; what is missing knows its whole name, as a template would write it."""
        assert default is UNDEFINED, "paths have no defaults"
        found = super().get(path, token=token, default=None)
        if found is not None:
            return found
        return None if self._is_there(path) else Missing(written(path), token=token)

    def _is_there(self, path: list[object]) -> bool:
        absent = object()
        return super().get(path, token=None, default=absent) is not absent


def written(path: list[object]) -> str:
    """A property's name as a template writes it: `Event.points`, `Event["CT Source"]`."""
    root, *segments = map(str, path)
    return root + "".join(
        f".{segment}" if segment.isidentifier() else f'["{segment}"]' for segment in segments
    )


def one_line(text: str) -> str:
    """Without line breaks: white space of any kind becomes one space."""
    return " ".join(printable(text).split())


def printable(text: str) -> str:
    """Without control characters but tabs and line breaks.

    What joins the parts of an emoji is no control character.
    """
    return CONTROLS.sub("", text)


class BoundedStop(Expression):
    """The end of a range, refused if it is too far from the start."""

    __slots__ = ("start", "stop")

    def __init__(self, literal: RangeLiteral) -> None:
        super().__init__(literal.token)
        self.start = literal.start
        self.stop = literal.stop

    def __str__(self) -> str:
        return str(self.stop)

    def evaluate(self, context: RenderContext) -> object:
        start, stop = _whole(self.start.evaluate(context)), _whole(self.stop.evaluate(context))
        if stop - start >= LIST_ITEMS_MAX:
            raise TooMuch(f"a range of more than {LIST_ITEMS_MAX} numbers")
        return stop

    def children(self) -> list[Expression]:
        return [self.stop]


def _whole(value: Any) -> int:
    """As python-liquid reads a range's ends."""
    try:
        return int(value)
    except (ValueError, TypeError):
        return 0


class MessageEnvironment(Environment):
    """Parses a message's part: text, or HTML, in which values are escaped."""

    block_nesting_limit = NESTING_MAX
    context_depth_limit = 2 * NESTING_MAX
    local_namespace_limit = LOCALS_BYTES_MAX

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=Missing, autoescape=autoescape)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        assert not extra
        for tag in (*PSEUDO_TAGS, *TAGS):
            self.add_tag(tag)
        self.filters.update(FILTERS)

    def error(
        self,
        exc: type[LiquidError] | LiquidError,
        msg: str | None = None,
        token: Token | None = None,
    ) -> None:
        """Raise it, with the nearest place that is known: the end of an expression has none."""
        if isinstance(exc, LiquidError) and (exc.token is None or exc.token.start_index < 0):
            exc.token = token
        super().error(exc, msg, token)

    def from_string(self, source: str, *arguments: Any, **named: Any) -> BoundTemplate:
        template = super().from_string(source, *arguments, **named)
        for expression in expressions_of(template):
            if isinstance(expression, RangeLiteral):
                expression.stop = BoundedStop(expression)
        return template


TEXT: Final = MessageEnvironment(autoescape=False)
HTML: Final = MessageEnvironment(autoescape=True)


def expressions_of(template: BoundTemplate) -> Iterator[Expression]:
    """Give each expression of a template, and those within them."""
    for node in nodes_of(template):
        for expression in node.expressions():
            yield from within(expression)


def nodes_of(template: BoundTemplate) -> Iterator[Node]:
    pending = list(reversed(template.nodes))
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(list(node.children(RenderContext(template)))))


def within(expression: Expression) -> Iterator[Expression]:
    yield expression
    for child in expression.children():
        yield from within(child)


def output_buffer(written: int = 0) -> LimitedStringIO:
    """A buffer for what is left of a part's bytes. Line breaks stay what they are."""
    return LimitedStringIO(limit=OUTPUT_BYTES_MAX - written, newline="\n")
