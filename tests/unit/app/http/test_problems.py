from collections.abc import Iterator

import msgspec
import pytest
from starlette.exceptions import HTTPException

from app.core import errors
from app.http.problems import DULL_SENTENCE, KINDS, is_expected, problem_object, problem_response
from orm.errors import Place, Problem


def every_problem(base: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for subclass in base.__subclasses__():
        if subclass.__module__.startswith(("app.", "orm.", "services.")):
            yield subclass
            yield from every_problem(subclass)


@pytest.mark.parametrize("problem", sorted(set(every_problem()), key=str))
def test_every_problem_has_a_code_of_the_table(problem: type[Problem]) -> None:
    assert problem.code in KINDS
    assert problem.code != "internal"


def test_statuses_are_those_of_the_contract() -> None:
    assert {code: kind.status for code, kind in KINDS.items()} == {
        "malformed": 400,
        "unauthenticated": 401,
        "denied": 403,
        "not_found": 404,
        "method_not_allowed": 405,
        "request_timeout": 408,
        "conflict": 409,
        "precondition_failed": 412,
        "too_large": 413,
        "unsupported_media_type": 415,
        "invalid": 422,
        "precondition_required": 428,
        "too_many_requests": 429,
        "headers_too_large": 431,
        "internal": 500,
        "unavailable": 503,
        "database_timeout": 504,
    }


@pytest.mark.parametrize("code", KINDS)
def test_every_code_is_shown_in_the_same_shape(code: str) -> None:
    problem = type("OfThatCode", (Problem,), {"code": code})(
        "a sentence", errors=[Place("/a", "type", "wrong")]
    )
    status, headers, body = problem_response(problem, "request-1")
    shown = msgspec.json.decode(body)
    is_told = code != "internal"
    assert shown == {
        "type": f"urn:starling:{code}",
        "title": KINDS[code].title,
        "status": KINDS[code].status,
        "detail": "a sentence" if is_told else DULL_SENTENCE,
        "instance": "request-1",
        "errors": [{"pointer": "/a", "code": "type", "message": "wrong"}] if is_told else [],
    }
    assert status == KINDS[code].status
    assert dict(headers)[b"content-type"] == b"application/problem+json"
    assert dict(headers)[b"content-length"] == str(len(body)).encode()


def test_a_problem_without_a_sentence_shows_its_title() -> None:
    assert problem_object(errors.NotFound(), None).detail == "Not found"


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (errors.Unauthenticated(), b"www-authenticate", b"Bearer"),
        (errors.MethodNotAllowed(allowed=["GET", "HEAD"]), b"allow", b"GET, HEAD"),
        (errors.TooManyRequests(retry_after_seconds=30), b"retry-after", b"30"),
        (errors.Unavailable(retry_after_seconds=7), b"retry-after", b"7"),
        (HTTPException(503), b"retry-after", b"1"),
        (HTTPException(503, headers={"Retry-After": "9"}), b"retry-after", b"9"),
        (HTTPException(401), b"www-authenticate", b"Bearer"),
        (HTTPException(405, headers={"Allow": "GET"}), b"allow", b"GET"),
    ],
)
def test_headers_that_belong_to_a_status(error: Exception, header: bytes, value: bytes) -> None:
    _, headers, _ = problem_response(error, None)
    assert [found for name, found in headers if name == header] == [value]


@pytest.mark.parametrize(
    ("status", "code", "title"),
    [
        (404, "not_found", "Not found"),
        (413, "too_large", "Body too large"),
        (410, "gone", "Gone"),
        (418, "im_a_teapot", "I'm a Teapot"),
        (451, "unavailable_for_legal_reasons", "Unavailable For Legal Reasons"),
        (499, "status_499", "Status 499"),
    ],
)
def test_a_starlette_exception_is_translated_by_its_status(status: int, code: str, title: str) -> None:
    shown = problem_object(HTTPException(status, detail="why"), "x")
    assert (shown.type, shown.title, shown.status, shown.detail) == (
        f"urn:starling:{code}",
        title,
        status,
        "why",
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a secret"),
        HTTPException(500, detail="a secret"),
        HTTPException(302, detail="a secret"),
        Problem("a secret"),
        type("Made", (Problem,), {"code": "made_up"})(
            "a secret", errors=[Place("/a secret", "x", "a secret")]
        ),
    ],
)
def test_what_is_not_expected_tells_nothing(error: Exception) -> None:
    status, _, body = problem_response(error, "x")
    assert not is_expected(error)
    assert status == 500
    assert b"secret" not in body
    assert msgspec.json.decode(body)["detail"] == DULL_SENTENCE
