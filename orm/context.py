"""Which home the verbs of a model act in: the binding of a context to a database, a registry and a policy.

Two homes may live side by side in one process; a context (a request, a task, a test) is bound to one of
them at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Protocol

from orm.access import AccessPolicy
from orm.errors import Unbound

if TYPE_CHECKING:
    from orm.database import Database
    from orm.registry import Registry


class Home(Protocol):
    """What the verbs need. An application's environment is one."""

    @property
    def db(self) -> "Database":
        """The database that statements go to."""

    @property
    def registry(self) -> "Registry":
        """The composed models of this home."""

    @property
    def policy(self) -> AccessPolicy | None:
        """Who may do what; None installs no checks at all."""

    def marks(self) -> Mapping[str, str]:
        """Who writes in this context and why, for the triggers of audited tables: by name a text, empty
        where there is nothing to say. `Database.announce` makes them settings of the transaction."""


_home: ContextVar[Home | None] = ContextVar("starling_home", default=None)


def current() -> Home:
    """The home that this context is bound to. Raises Unbound when there is none."""
    home = _home.get()
    if home is None:
        raise Unbound(
            "no environment is bound to this context: "
            "call model verbs inside a request, the lifespan, or `with env.bind():`"
        )
    return home


def current_or_none() -> Home | None:
    """The home that this context is bound to, or None."""
    return _home.get()


def set_home(home: Home) -> Token[Home | None]:
    """Bind `home` to this context; give the token to `reset_home` when done."""
    return _home.set(home)


def reset_home(token: Token[Home | None]) -> None:
    """Put back the home that was bound before."""
    _home.reset(token)


@contextmanager
def bind(home: Home) -> Iterator[None]:
    """Inside the block the verbs of every model act in `home`."""
    token = _home.set(home)
    try:
        yield
    finally:
        _home.reset(token)
