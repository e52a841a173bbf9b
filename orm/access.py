"""What the ORM asks before it does anything: the interface of an access policy, and who is asking.

The ORM knows nothing of users or roles. A policy answers, without a query, what the asker may do with a
model; the asker is whatever object the application bound to the context. With a policy installed and
nobody bound, the answer is AccessDenied; `system()` is the one way around it and can be found with
grep."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from orm.errors import AccessDenied

if TYPE_CHECKING:
    from orm.filters.parse import BoundFilter
    from orm.metadata import ModelMeta

Operation = Literal["create", "read", "update", "delete"]

OPERATIONS: Final[tuple[Operation, ...]] = ("create", "read", "update", "delete")


@dataclass(frozen=True, slots=True)
class System:
    """The asker that passes every check: the program itself. `behalf` is who asked when it took over."""

    behalf: object | None = None


SYSTEM: Final = System()

_asker: ContextVar[object | None] = ContextVar("starling_asker", default=None)


def bind_asker(asker: object | None) -> Token[object | None]:
    """Make `asker` the one on whose behalf this context acts; give the token to `reset_asker` when
    done."""
    return _asker.set(asker)


def reset_asker(token: Token[object | None]) -> None:
    """Put back whoever was asking before."""
    _asker.reset(token)


def current_asker() -> object | None:
    """The bound asker, or None when nobody is."""
    return _asker.get()


@contextmanager
def system() -> Iterator[None]:
    """Inside the block nothing is checked: for start-up work and for code that checked by itself.

    Who asks is not forgotten: an access session stays at hand.
    """
    asker = _asker.get()
    token = _asker.set(asker if isinstance(asker, System) else System(asker))
    try:
        yield
    finally:
        _asker.reset(token)


class Grant(msgspec.Struct, frozen=True):
    """What an asker may do with one model in one operation.

    `rule` narrows the rows: it becomes part of the WHERE of every statement; None means every row.
    `hidden` are the fields that may not be read (for "read") or written (for "create" and "update"). A
    grant is only ever given for something that is allowed at all: the rest is AccessDenied."""

    rule: "BoundFilter | None" = None
    hidden: frozenset[str] = frozenset()


UNLIMITED: Final = Grant()


class AccessPolicy(Protocol):
    """Decides, without a query and without awaiting, what an asker may do."""

    def grant(self, asker: object | None, model: "ModelMeta", operation: Operation) -> Grant:
        """What `asker` may do with `model`. Raises AccessDenied when that is nothing, or when `asker` is
        None.

        Never called for a System. The same asker and model give an equal grant until rights change.
        """


def grant_for(policy: AccessPolicy | None, model: "ModelMeta", operation: Operation) -> Grant:
    """The grant of whoever asks in this context: the one door that every verb goes through."""
    if policy is None:
        return UNLIMITED
    asker = _asker.get()
    if isinstance(asker, System):
        return UNLIMITED
    if asker is None:
        raise AccessDenied(
            f"{model.name}.{operation}: nobody is signed in here; bind a session, "
            "or use `with env.system():` for the program's own work"
        )
    return policy.grant(asker, model, operation)
