"""Finds a route by path and method in a time that does not grow with the number of routes.

Paths without parameters are in a dictionary; paths whose parameters fill a whole segment (`{name}`,
`{id:int}`) are in a tree of segments; whatever else there is (`{rest:path}`, `{id}.json`, mounts) is tried in
turn, after these, among the routes that begin with the same segment. So a fixed segment wins over an int and
an int over a text, whatever was declared first.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from starlette.routing import BaseRoute, Match, Route, WebSocketRoute
from starlette.types import ASGIApp, Scope

from app.core.errors import StartError

WEBSOCKET: Final = "WEBSOCKET"
"""Stands for the method where a socket is asked for."""

_ANY: Final = "*"  # an endpoint class without a list of methods answers all of them, and refuses by itself
_LARGEST: Final = 2**63 - 1  # of PostgreSQL's bigint: no row has a larger id
_LARGEST_DIGITS: Final = len(str(_LARGEST))
_PARAMETER: Final = re.compile(r"\{([a-zA-Z_][a-zA-Z0-9_]*)(?::(int|str))?\}")


class Target(NamedTuple):
    """A route in its place: who declared it, and whether it wants somebody signed in."""

    app: ASGIApp
    route: BaseRoute
    template: str
    is_private: bool
    module: str
    names: tuple[str, ...] = ()


class _Node:
    """One step of the tree: the ways on by fixed segment, number, text, and who answers paths ending here."""

    __slots__ = ("fixed", "number", "targets", "text")

    def __init__(self) -> None:
        self.fixed: dict[str, _Node] = {}
        self.number: _Node | None = None
        self.text: _Node | None = None
        self.targets: dict[str, Target] = {}


class RouteIndex:
    """All hand-written routes of an application."""

    def __init__(self) -> None:
        self._exact: dict[str, dict[str, Target]] = {}
        self._tree = _Node()
        self._depth = 0
        self._others: dict[str, list[Target]] = {}  # by first segment, "" where that is a parameter itself
        self._all: list[Target] = []

    @property
    def targets(self) -> tuple[Target, ...]:
        """Every target, in the order of declaration."""
        return tuple(self._all)

    def add(self, route: BaseRoute, *, is_private: bool, module: str) -> None:
        """Take in a route. Raises StartError when another one has its path and method already."""
        template = getattr(route, "path", "")
        # The inner application saves a second look at the method; a mount has more to do than that.
        app = route.app if isinstance(route, Route | WebSocketRoute) else route.handle
        target = Target(app, route, template, is_private, module)
        segments = template.split("/")[1:]
        if not isinstance(route, Route | WebSocketRoute) or not all(map(_is_simple, segments)):
            first = segments[0] if segments and "{" not in segments[0] else ""
            self._others.setdefault(first, []).append(target)
        elif "{" not in template:
            _claim(self._exact.setdefault(template, {}), target)
        else:
            self._depth = max(self._depth, len(segments))
            names = tuple(name for name, _ in _PARAMETER.findall(template))
            _claim(self._grow(segments).targets, target._replace(names=names))
        self._all.append(target)

    def find(self, path: str, method: str, scope: Scope) -> tuple[Target, dict[str, Any]] | None:
        """The target of `path` and `method`, and what to merge into the scope; None for no such target."""
        targets = self._exact.get(path)
        if targets is not None:
            target = _for_method(targets, method)
            if target is not None:
                return target, {"path_params": {}}
        values: list[str | int] = []
        # One cut more than the deepest path has: a longer path ends in a piece that nothing matches.
        segments = path.split("/", self._depth + 1)[1:]
        target = _descend(self._tree, segments, 0, method, values)
        if target is not None:
            return target, {"path_params": dict(zip(target.names, values, strict=True))}
        return self._find_other(path, scope) if self._others else None

    def methods(self, path: str, scope: Scope) -> list[str]:
        """The HTTP methods that any route answers at `path`, sorted; none when the path is unknown."""
        found = set(self._exact.get(path, ()))
        for node in _nodes_at(self._tree, path.split("/", self._depth + 1)[1:], 0):
            found.update(node.targets)
        for target in self._others_of(path):
            if target.route.matches(scope)[0] is not Match.NONE:
                found.update(getattr(target.route, "methods", None) or ())
        return sorted(found - {WEBSOCKET, _ANY})

    def _grow(self, segments: list[str]) -> _Node:
        node = self._tree
        for segment in segments:
            parameter = _PARAMETER.fullmatch(segment)
            if parameter is None:
                node = node.fixed.setdefault(segment, _Node())
            elif parameter[2] == "int":
                node.number = node.number or _Node()
                node = node.number
            else:
                node.text = node.text or _Node()
                node = node.text
        return node

    def _others_of(self, path: str) -> Iterator[Target]:
        first = path[1:].partition("/")[0]
        if first:
            yield from self._others.get(first, ())
        yield from self._others.get("", ())

    def _find_other(self, path: str, scope: Scope) -> tuple[Target, dict[str, Any]] | None:
        for target in self._others_of(path):
            match, child_scope = target.route.matches(scope)
            if match is Match.FULL and _fits_the_database(child_scope):
                return target, dict(child_scope)
        return None


def _is_simple(segment: str) -> bool:
    return "{" not in segment or _PARAMETER.fullmatch(segment) is not None


def _claim(targets: dict[str, Target], target: Target) -> None:
    if isinstance(target.route, WebSocketRoute):
        methods = {WEBSOCKET}
    else:
        methods = getattr(target.route, "methods", None) or {_ANY}
    for method in methods:
        if method in targets:
            raise StartError(
                f"two routes answer {method} {target.template}, "
                f"one of module {targets[method].module} and one of module {target.module}: "
                "rename or remove one of them"
            )
        targets[method] = target


def _for_method(targets: dict[str, Target], method: str) -> Target | None:
    return targets.get(method) or (targets.get(_ANY) if method != WEBSOCKET else None)


def _descend(
    node: _Node, segments: list[str], at: int, method: str, values: list[str | int]
) -> Target | None:
    """The best target below `node`; `values` are then those of its parameters, else what they were."""
    if at == len(segments):
        return _for_method(node.targets, method)
    segment = segments[at]
    following = node.fixed.get(segment)
    if following is not None:
        target = _descend(following, segments, at + 1, method, values)
        if target is not None:
            return target
    if node.number is not None:
        number = _number(segment)
        if number is not None:
            values.append(number)
            target = _descend(node.number, segments, at + 1, method, values)
            if target is not None:
                return target
            values.pop()
    if node.text is not None and segment:
        values.append(segment)
        target = _descend(node.text, segments, at + 1, method, values)
        if target is not None:
            return target
        values.pop()
    return None


def _nodes_at(node: _Node, segments: list[str], at: int) -> Iterator[_Node]:
    if at == len(segments):
        yield node
        return
    segment = segments[at]
    if segment in node.fixed:
        yield from _nodes_at(node.fixed[segment], segments, at + 1)
    if node.number is not None and _number(segment) is not None:
        yield from _nodes_at(node.number, segments, at + 1)
    if node.text is not None and segment:
        yield from _nodes_at(node.text, segments, at + 1)


def _number(segment: str) -> int | None:
    if len(segment) > _LARGEST_DIGITS or not (segment.isascii() and segment.isdigit()):
        return None
    number = int(segment)
    return number if number <= _LARGEST else None


def _fits_the_database(child_scope: Scope) -> bool:
    values = child_scope.get("path_params", {}).values()
    return all(value <= _LARGEST for value in values if isinstance(value, int))
