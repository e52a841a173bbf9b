"""The problems that only a server has, and the errors that keep it from starting.

Problems of data (not found, denied, invalid, conflict, ...) are in `orm.errors`. Both families are turned
into a status in one place, `app/http/problems.py`.
"""

import traceback
from collections.abc import Sequence

from orm.errors import DeclarationError, Place, Problem, UsageError
from orm.errors import (
    Unavailable as Unavailable,
)  # one class for both floors: the database is away, or we are draining


class Malformed(Problem):
    """The request cannot be read at all: broken JSON, a broken request line. Nothing was done."""

    code = "malformed"


class Unauthenticated(Problem):
    """Nobody is signed in, or the token is wrong, expired or revoked. Sign in again."""

    code = "unauthenticated"


class NotFound(Problem):
    """No such path."""

    code = "not_found"


class MethodNotAllowed(Problem):
    """The path exists, but not with this method; `allowed` are the ones that it has."""

    code = "method_not_allowed"

    def __init__(self, detail: str = "", *, allowed: Sequence[str] = ()) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class RequestTimeout(Problem):
    """The client took longer than the deadline to send its request."""

    code = "request_timeout"


class PayloadTooLarge(Problem):
    """The body is longer than HTTP__MAX_BODY_BYTES."""

    code = "too_large"


class UnsupportedMediaType(Problem):
    """The body is not of a type that the route reads."""

    code = "unsupported_media_type"


class PreconditionRequired(Problem):
    """This write must say with If-Match which version it means."""

    code = "precondition_required"


class TooManyRequests(Problem):
    """The caller is over a limit; `retry_after_seconds` says when to come back."""

    code = "too_many_requests"

    def __init__(
        self, detail: str = "", *, retry_after_seconds: int = 1, errors: Sequence[Place] = ()
    ) -> None:
        super().__init__(detail, errors=errors)
        self.retry_after_seconds = retry_after_seconds


class HeadersTooLarge(Problem):
    """The head of the request is longer than HTTP__MAX_HEADER_BYTES."""

    code = "headers_too_large"


class StartError(Exception):
    """A start that cannot succeed. Its text is the one sentence that a person needs, without a stack."""


class SettingsError(StartError):
    """Settings are wrong; `problems` holds one sentence for each, all of them at once."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            "\n".join(["the settings are wrong:", *(f"  {problem}" for problem in self.problems)])
        )


class ModuleStartError(StartError):
    """A module could not be loaded, started or initialised; `module` and `phase` say which and when."""

    def __init__(self, module: str, phase: str, reason: str) -> None:
        self.module = module
        self.phase = phase
        super().__init__(f"module {module} failed in {phase}: {reason}")


def described(error: BaseException) -> str:
    """An error in one line: one of ours speaks for itself, others show class, text, file and line."""
    if isinstance(error, Problem | UsageError | DeclarationError):
        return str(error)
    if isinstance(error, SyntaxError):
        where = f"{error.filename}, line {error.lineno}"
        return f"{type(error).__name__}: {error.msg} ({where})"
    # The innermost frame that is a file: the import system's own frames say nothing.
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")
    ]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"
