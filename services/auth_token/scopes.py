"""What scopes of API keys can name: the routes of this application."""

from collections.abc import Iterable, Iterator
from typing import Final

from app.core.access import is_scope
from app.http.index import Target
from orm.errors import Place
from orm.metadata import ModelMeta

EVERYTHING: Final = "*"
"""Short for WHOLE."""

WHOLE: Final = "*:*"
"""The scope of a key that may do whatever its user may."""

_FORM: Final = (
    "A scope is a route, a colon, and read, create, update, delete or *, as in partners:read; *:read is "
    "reading everywhere, * is everything."
)


def route_names(targets: Iterable[Target], models: Iterable[ModelMeta]) -> frozenset[str]:
    """The names by which scopes know hand-written private routes and models: the first segment of a path, the
    second one below /api.
    """
    written = (target.template.split("/", 3) for target in targets if target.is_private)
    names = {parts[2] if parts[1] == "api" and len(parts) > 2 else parts[1] for parts in written}
    return frozenset(names | {model.route for model in models if model.auto_crud})


def scope_places(scopes: Iterable[str], routes: frozenset[str]) -> Iterator[Place]:
    """What is wrong with scopes: those that are none, and those that name a route which there is not."""
    for number, scope in enumerate(scopes):
        route = scope.partition(":")[0]
        if scope == EVERYTHING:
            continue
        if not is_scope(scope):
            yield Place(f"/scopes/{number}", "scope", _FORM)
        elif route != "*" and route not in routes:
            yield Place(f"/scopes/{number}", "unknown", f"There is no route {route}.")
