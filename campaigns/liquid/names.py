"""Names: each that a template uses is known when it is saved, or a similar one is suggested."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.context import RenderContext
from liquid.expression import Expression
from liquid.template import BoundTemplate

from campaigns.liquid.environment import nodes_of, within, written
from campaigns.liquid.filters import FILTERS
from campaigns.liquid.sources import Fault, nearest
from campaigns.liquid.templates import Roots

ROOTS: Final = ("Event", "Profile", "Wallet", "Campaign")
OPEN: Final = "Profile"
OF_ANY_VALUE: Final = frozenset(("size", "first", "last"))


def inspect(template: BoundTemplate, roots: Roots) -> None:
    """Refuse names that nothing will ever have, and filters that don't exist. Raises Fault."""
    _Inspection(template, roots).look()


class _Inspection:
    def __init__(self, template: BoundTemplate, roots: Roots) -> None:
        self._template = template
        self._context = RenderContext(template)
        self._known: Mapping[str, Iterable[str]] = {
            "Event": roots.event,
            "Profile": roots.profile,
            "Wallet": roots.wallet,
            "Campaign": roots.campaign,
        }
        # A loop may use in one round what the round before has assigned: order doesn't matter.
        self._scopes: list[set[str]] = [set(self._assigned())]

    def look(self) -> None:
        for node in self._template.nodes:
            self._look_at(node)

    def _assigned(self) -> Iterator[str]:
        for node in nodes_of(self._template):
            for name in (*node.template_scope(), *node.block_scope()):
                if name in ROOTS:
                    raise Fault(
                        f"`{name}` has a meaning of its own: take another name",
                        name.token.start_index,
                    )
            yield from node.template_scope()

    def _look_at(self, node: Node) -> None:
        for expression in node.expressions():
            for each in within(expression):
                self._look_into(each)
        self._scopes.append(set(node.block_scope()))
        for child in node.children(self._context):
            self._look_at(child)
        self._scopes.pop()

    def _look_into(self, expression: Expression) -> None:
        if isinstance(expression, Path):
            self._look_at_path(expression)
        if isinstance(expression, FilteredExpression):
            for each in expression.filters or ():
                if each.name not in FILTERS:
                    raise Fault(
                        f"unknown filter `{each.name}`",
                        each.token.start_index,
                        nearest(each.name, sorted(FILTERS)),
                    )

    def _look_at_path(self, path: Path) -> None:
        at = path.token.start_index
        root = path.path[0]
        if not isinstance(root, str):
            raise Fault("a name must be written out here", at)
        if any(root in scope for scope in self._scopes):
            return
        if root not in ROOTS:
            raise Fault(f"unknown name `{root}`", at, self._meant(root))
        if len(path.path) == 1:
            example = written([root, next(iter(self._known[root]), "…")])
            raise Fault(f"`{root}` has no value of its own: name a property of it", at, example)
        self._look_at_property(path, root)

    def _look_at_property(self, path: Path, root: str) -> None:
        _, name, *rest = path.path
        if isinstance(name, Path) or any(isinstance(each, Path) for each in rest):
            raise Fault(f"a property of `{root}` must be written out", path.token.start_index)
        at = _place_of(str(name), path, root)
        known = list(self._known[root])
        if root == OPEN and isinstance(name, str):
            return
        if name not in known:
            meant = nearest(str(name), known)
            suggestion = written([root, meant]) if meant else None
            raise Fault(f"`{root}` has no property `{name}`", at, suggestion)
        if rest and rest[0] not in OF_ANY_VALUE:
            raise Fault(
                f"`{written([root, name])}` is one value, without properties",
                at,
                written([root, name]),
            )

    def _meant(self, root: str) -> str | None:
        """A root, a local name, or the root that has a property of this name."""
        names = [*ROOTS, *(name for scope in self._scopes for name in scope)]
        if close := nearest(root, names):
            return close
        owners = [owner for owner in ROOTS if root in self._known[owner]]
        return written([owners[0], root]) if owners else None


def _place_of(name: str, path: Path, root: str) -> int:
    """Where in the source a path's property stands: a path knows only where it begins."""
    token = path.token
    found = token.source.find(name, token.start_index + len(root))
    return found if found >= 0 else token.start_index
