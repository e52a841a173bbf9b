"""Writes that may be sent again under an Idempotency-Key: what this adds to their operations.

Keys count for whoever is signed in, whether a route is written by hand or made from a model: see
`app.http.idempotency`.
"""

from typing import Final

from app.openapi.headers import IDEMPOTENCY_KEY, REPLAYED, headers
from app.openapi.parameters import shared
from app.openapi.refusals import refusals
from app.openapi.schemas import Schema

_METHODS: Final = frozenset({"POST", "PATCH", "DELETE"})


def with_key(operation: Schema, path: str, method: str, prefixes: tuple[str, ...]) -> Schema:
    """The operation, with the parameter, the header and the refusals of a key where keys count: at and below
    the paths that `prefixes` name, with their slashes.
    """
    is_private = bool(operation.get("security"))
    if method not in _METHODS or not is_private or not f"{path}/".startswith(prefixes):
        return operation
    responses = {
        status: _replayable(response) if status < "300" else response
        for status, response in operation["responses"].items()
    }
    return {
        **operation,
        "parameters": [*operation.get("parameters", ()), *shared(IDEMPOTENCY_KEY)],
        "responses": dict(sorted((responses | refusals(("conflict", "invalid"))).items())),
    }


def _replayable(response: Schema) -> Schema:
    return response | {"headers": response["headers"] | headers(REPLAYED)}
