"""POST /api/{route}/{id}/{action}: runs a model's own verb on one row."""

from typing import Any

from msgspec import Raw
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.crud.actions import Action
from app.crud.incoming import read_body, refuse_query
from app.crud.preconditions import on_version, versions_wanted
from app.crud.resource import Resource
from app.http.json import encode
from app.http.replies import Reply, send_answer
from orm.verbs.row import locked_ids, refusal, row_named
from orm.verbs.scope import Scope as RowScope


async def act(
    resource: Resource, id: int, action: Action, scope: Scope, receive: Receive, send: Send
) -> None:
    """Answer with what the action returns, once everything that it did is committed."""
    refuse_query(scope)
    versions = None if action.needs == "read" else versions_wanted(resource, scope)
    arguments: list[Any] = []
    if action.body is not None:
        arguments.append(action.body.decode(await read_body(scope, receive)))
    needed = RowScope(resource.cls, action.needs, api=True)
    needed.sight()  # whoever may not read the rows is told so before anything is sent
    async with needed.db.transaction():
        if action.needs != "read":
            await on_version(versions, lambda version: _hold(needed, id, version))
        record = await resource.cls.get(id)
        outcome = _encoded(await action.method(record, *arguments))
    await send_answer(outcome, action.status, scope, receive, send)


async def _hold(scope: RowScope, id: int, version: str | None) -> None:
    """The row passes the rules of `scope`, has that version, and stays as it is until the end.

    Raises RecordNotFound, AccessDenied, StaleRow."""
    if not await locked_ids(scope, row_named(id, version)):
        raise await refusal(scope, id, version)


def _encoded(outcome: object) -> object:
    """`outcome`, its JSON made now: what cannot be written as JSON must not be found out after the commit."""
    if outcome is None or isinstance(outcome, Response):
        return outcome
    if isinstance(outcome, Reply):
        return (
            outcome
            if outcome.body is None
            else Reply(Raw(encode(outcome.body)), outcome.status, outcome.headers)
        )
    return Raw(encode(outcome))
