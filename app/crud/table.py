"""Which handler answers a path: one look-up by the model's route, one by what follows it, one by method."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import MethodNotAllowed, NotFound, StartError
from app.crud.acting import act
from app.crud.aggregating import aggregate_rows
from app.crud.batch import NAME as BATCH
from app.crud.batch import Batch
from app.crud.bodies import Bodies
from app.crud.describing import describe, tell_defaults
from app.crud.exporting import export_rows
from app.crud.exports import ExportLimits, Exports
from app.crud.incoming import row_id
from app.crud.reading import list_rows, read_row, search_rows
from app.crud.resource import Resource
from app.crud.writing import change_row, change_rows, create, remove_row, remove_rows
from app.http.access_log import TEMPLATE
from app.http.dispatch import route_path
from orm.access import Operation
from orm.errors import Invalid
from orm.metadata import ModelMeta
from orm.verbs.scope import Scope as OrmScope

PREFIX: Final = "api"
"""The first segment of every path."""

RowHandler = Callable[[Resource, int, Scope, Receive, Send], Awaitable[None]]
Handler = Callable[[Resource, Scope, Receive, Send], Awaitable[None]]
AnyHandler = TypeVar("AnyHandler", RowHandler, Handler)

_OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {"POST": "create", "PATCH": "update", "DELETE": "delete"}
)


class _Verbs(NamedTuple):
    """Who answers by method: a row's path, the model's own, and the paths named below it."""

    row: Mapping[str, RowHandler]
    rows: Mapping[str, Handler]
    named: Mapping[str, Mapping[str, Handler]]


def _fixed(**handlers: Any) -> Mapping[str, Any]:
    return MappingProxyType(handlers)


_NAMED: Final = _fixed(
    search=_fixed(POST=search_rows),
    aggregate=_fixed(POST=aggregate_rows),
    fields=_fixed(GET=describe, HEAD=describe),
    defaults=_fixed(GET=tell_defaults, HEAD=tell_defaults),
    export=_fixed(GET=export_rows, HEAD=export_rows),
)

_EVERYTHING: Final = _Verbs(
    row=_fixed(GET=read_row, HEAD=read_row, PATCH=change_row, DELETE=remove_row),
    rows=_fixed(GET=list_rows, HEAD=list_rows, POST=create, PATCH=change_rows),
    named=_fixed(**_NAMED, delete=_fixed(POST=remove_rows)),
)
_READING: Final = _Verbs(
    row=_fixed(GET=read_row, HEAD=read_row),
    rows=_fixed(GET=list_rows, HEAD=list_rows),
    named=_fixed(**_NAMED, delete=_fixed()),
)


class CrudTable:
    """The API of `models` as an ASGI application, to be mounted on PREFIX.

    A model has all verbs, only the reading ones (`__auto_crud__ = "read"`: the writing ones are 405), or none
    (False: as if it were not there). Raises NotFound and MethodNotAllowed rather than answering them. With a
    `dispatcher`, which answers their entries, there are batches. Making it raises StartError for two models
    on one route.
    """

    def __init__(
        self,
        models: Iterable[ModelMeta],
        *,
        exports: ExportLimits | None = None,
        dispatcher: ASGIApp | None = None,
        batch_seconds: float = 30,
    ) -> None:
        self._resources: dict[str, Resource] = {}
        self._batch: Batch | None = None
        if dispatcher is not None:
            self._batch = Batch(dispatcher, prefix=PREFIX, seconds=batch_seconds)
        bodies, places = Bodies(), Exports(exports)
        for meta in models:
            if meta.auto_crud:
                self._add(Resource(meta, PREFIX, bodies=bodies, exports=places))

    @property
    def resources(self) -> Mapping[str, Resource]:
        """The models that have an API, by route."""
        return MappingProxyType(self._resources)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotFound("There is no socket at this path.")
        # At most five pieces: "", the prefix, a route, a row or a name, and an action or what no path has.
        segments = route_path(scope).split("/", 4)
        resource = self._resources.get(segments[2]) if len(segments) >= 3 else None
        if resource is None:
            await self._answer_other(segments, scope, receive, send)
            return
        verbs = _EVERYTHING if resource.is_writable else _READING
        if len(segments) == 5:
            await _act(resource, row_id(segments[3]), segments[4], scope, receive, send)
            return
        is_about_all = len(segments) == 3
        name = "" if is_about_all else segments[3]
        number = row_id(name)
        try:
            if is_about_all:
                scope[TEMPLATE] = resource.path
                await _chosen(verbs.rows, resource, scope)(resource, scope, receive, send)
            elif number is not None:
                scope[TEMPLATE] = resource.row_path
                await _chosen(verbs.row, resource, scope)(resource, number, scope, receive, send)
            elif name in verbs.named:
                scope[TEMPLATE] = f"{resource.path}/{name}"
                await _chosen(verbs.named[name], resource, scope)(resource, scope, receive, send)
            else:
                raise NotFound("There is nothing at this path.")
        except Invalid:
            _refuse_outsiders(resource, scope["method"], name)
            raise

    async def _answer_other(
        self, segments: Sequence[str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """What is no model: the batch."""
        if self._batch is None or segments[2:] != [BATCH]:
            raise NotFound("There is nothing at this path.")
        scope[TEMPLATE] = f"/{PREFIX}/{BATCH}"
        if scope["method"] != "POST":
            raise MethodNotAllowed("This path answers POST.", allowed=("POST",))
        await self._batch(scope, receive, send)

    def _add(self, resource: Resource) -> None:
        route = resource.meta.route
        if route == BATCH:
            raise StartError(
                f"{resource.meta.name} wants the path {resource.path}, where batches are answered: "
                "give it another __route__"
            )
        self._resources[route] = resource


def _refuse_outsiders(resource: Resource, method: str, name: str) -> None:
    """Raise AccessDenied for who may not do this to any row at all: that comes before what else is wrong with
    what he sent. `name` is what follows the route."""
    operation = _OPERATIONS.get(method, "read")
    if method == "POST" and name:
        operation = "delete" if name == "delete" else "read"
    OrmScope(resource.cls, operation, api=True)


async def _act(
    resource: Resource, id: int | None, name: str, scope: Scope, receive: Receive, send: Send
) -> None:
    action = None if id is None else resource.actions.get(name)
    if id is None or action is None:
        raise NotFound("There is nothing at this path.")
    scope[TEMPLATE] = f"{resource.row_path}/{name}"
    if scope["method"] != "POST":
        raise MethodNotAllowed("This path answers POST.", allowed=("POST",))
    await act(resource, id, action, scope, receive, send)


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
