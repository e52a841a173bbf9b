"""Which handler answers a path: one look-up by the model's route, one by what follows it, one by method."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from starlette.types import Receive, Scope, Send

from app.core.errors import MethodNotAllowed, NotFound, StartError
from app.crud.incoming import row_id
from app.crud.reading import list_rows, read_row, search_rows
from app.crud.resource import Resource
from app.crud.writing import change_row, change_rows, create, remove_row, remove_rows
from app.http.access_log import TEMPLATE
from app.http.dispatch import route_path
from orm.metadata import ModelMeta

PREFIX: Final = "api"
"""The first segment of every path."""

RowHandler = Callable[[Resource, int, Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[Resource, Scope, Receive, Send], Awaitable[None]]
AnyHandler = TypeVar("AnyHandler", RowHandler, Handler)


class _Verbs(NamedTuple):
    """Who answers by method: a row's path, the model's own, and the paths named below it."""

    row: Mapping[str, RowHandler]
    rows: Mapping[str, Handler]
    named: Mapping[str, Mapping[str, Handler]]


def _fixed(**handlers: Any) -> Mapping[str, Any]:
    return MappingProxyType(handlers)


_EVERYTHING: Final = _Verbs(
    row=_fixed(GET=read_row, HEAD=read_row, PATCH=change_row, DELETE=remove_row),
    rows=_fixed(GET=list_rows, HEAD=list_rows, POST=create, PATCH=change_rows),
    named=_fixed(search=_fixed(POST=search_rows), delete=_fixed(POST=remove_rows)),
)
_READING: Final = _Verbs(
    row=_fixed(GET=read_row, HEAD=read_row),
    rows=_fixed(GET=list_rows, HEAD=list_rows),
    named=_fixed(search=_fixed(POST=search_rows), delete=_fixed()),
)


class CrudTable:
    """The API of `models` as an ASGI application, to be mounted on PREFIX.

    A model has all verbs, only the reading ones (`__auto_crud__ = "read"`: the writing ones are 405), or none
    (False: as if it were not there). Raises NotFound and MethodNotAllowed rather than answering them. Making
    it raises StartError for two models on one route.
    """

    def __init__(self, models: Iterable[ModelMeta]) -> None:
        self._resources: dict[str, Resource] = {}
        for meta in models:
            if meta.auto_crud:
                self._add(Resource(meta, PREFIX))

    @property
    def resources(self) -> Mapping[str, Resource]:
        """The models that have an API, by route."""
        return MappingProxyType(self._resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotFound("There is no socket at this path.")
        # At most five pieces: "", the prefix, a route, what follows, and a rest that no path of ours has.
        segments = route_path(scope).split("/", 4)
        resource = self._resources.get(segments[2]) if 3 <= len(segments) <= 4 else None
        if resource is None:
            raise NotFound("There is nothing at this path.")
        verbs = _EVERYTHING if resource.is_writable else _READING
        if len(segments) == 3:
            scope[TEMPLATE] = resource.path
            await _chosen(verbs.rows, resource, scope)(resource, scope, receive, send)
            return
        name = segments[3]
        number = row_id(name)
        if number is not None:
            scope[TEMPLATE] = resource.row_path
            await _chosen(verbs.row, resource, scope)(resource, number, scope, receive, send)
            return
        named = verbs.named.get(name)
        if named is None:
            raise NotFound("There is nothing at this path.")
        scope[TEMPLATE] = f"{resource.path}/{name}"
        await _chosen(named, resource, scope)(resource, scope, receive, send)

    def _add(self, resource: Resource) -> None:
        route = resource.meta.route
        other = self._resources.setdefault(route, resource)
        if other is not resource:
            raise StartError(
                f"{other.meta.name} and {resource.meta.name} both want the path {resource.path}: "
                "give one of them another __route__"
            )


def _chosen(handlers: Mapping[str, AnyHandler], resource: Resource, scope: Scope) -> AnyHandler:
    handler = handlers.get(scope["method"])
    if handler is None:
        allowed = tuple(handlers)
        answers = f"This path answers {', '.join(allowed)}." if allowed else "This path answers nothing."
        if not resource.is_writable:
            elsewhere = resource.meta.cls.__written_at__
            remedy = f"; it is written at {elsewhere}" if elsewhere else ""
            answers = f"{resource.path} is read only here{remedy}. {answers}"
        raise MethodNotAllowed(answers, allowed=allowed)
    return handler
