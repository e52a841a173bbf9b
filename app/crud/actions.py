"""Verbs of a model's own, beside create, read, update and delete: methods that become routes.

    class Partner(DotModel):
        @action(body=Reason)
        async def archive(self, body: Reason) -> None:
            \"\"\"Put the partner aside.\"\"\"
            await self.update(active=False, note=body.reason)

answers POST /api/partners/{id}/archive. The method runs in a transaction, on the row as the asker may read
it, with his rights in every verb that it calls; what it raises takes everything back. What it returns becomes
JSON, None becomes 204.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Final, Literal, TypeVar

import msgspec

from app.http.bodies import BodyDecoder
from orm.errors import DeclarationError
from orm.model import DotModel

Needs = Literal["read", "update", "delete"]

Method = TypeVar("Method", bound=Callable[..., Awaitable[Any]])

_MARK: Final = "__starling_action__"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One action: what handlers and documentation need to know of it.

    `body` is None where nothing is read. `needs` is the right on the row that the asker must have besides
    reading it. `status` is that of an answer with a body. `summary` and `description` are the method's
    docstring, first line and rest.
    """

    name: str
    method: Callable[..., Awaitable[Any]]
    body: BodyDecoder[Any] | None
    needs: Needs
    status: int
    summary: str
    description: str

    @property
    def returns(self) -> Any:
        """The method's return annotation, resolved; `Any` where it has none."""
        return inspect.get_annotations(self.method, eval_str=True).get("return", Any)


def action(*, body: Any = None, needs: Needs = "update", status: int = 200) -> Callable[[Method], Method]:
    """The decorated method of a model is an action, named like the method; it takes a `body` of that type, or
    nothing. In Python it stays an ordinary method.

    Raises DeclarationError for a method that cannot be called that way.
    """

    def declare(method: Method) -> Method:
        _check(method, needs, takes_body=body is not None)
        summary, _, description = (inspect.getdoc(method) or "").partition("\n")
        declared = Action(
            name=method.__name__,
            method=method,
            body=None if body is None else BodyDecoder(body),
            needs=needs,
            status=status,
            summary=summary,
            description=description.strip(),
        )
        setattr(method, _MARK, declared)
        return method

    return declare


def actions_of(cls: type[DotModel]) -> tuple[Action, ...]:
    """The actions of a model, by name."""
    members = (inspect.getattr_static(cls, name, None) for name in sorted(dir(cls)))
    return tuple(found for member in members if (found := getattr(member, _MARK, None)) is not None)


def _check(method: Callable[..., Awaitable[Any]], needs: str, *, takes_body: bool) -> None:
    where = f"the action {method.__qualname__}"
    if not inspect.iscoroutinefunction(method):
        raise DeclarationError(f"{where} must be an async method")
    if needs not in ("read", "update", "delete"):
        raise DeclarationError(f'{where}: needs={needs!r}; it is "read", "update" or "delete"')
    try:
        inspect.signature(method).bind(*([None, None] if takes_body else [None]))
    except TypeError as error:
        takes = "the record and the body" if takes_body else "the record only: no body= is declared"
        raise DeclarationError(f"{where} must take {takes}") from error
