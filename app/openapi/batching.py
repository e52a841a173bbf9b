"""The operation that carries out several requests as one."""

from typing import Annotated, Final

from msgspec import Meta

from app.crud.batch import MOST_ENTRIES, NAME, BatchAnswer, Entry
from app.crud.table import PREFIX
from app.http.problems import KINDS
from app.openapi.handwritten import BEARER
from app.openapi.operations import JSON, Operation, success
from app.openapi.refusals import refusals
from app.openapi.schemas import Described, Schema

ENTRIES: Final = Annotated[list[Entry], Meta(max_length=MOST_ENTRIES)]

TYPES: Final = (ENTRIES, BatchAnswer)
"""Types that the operation refers to."""

TAG: Final = "batch"

_OF_THE_SERVER: Final = frozenset({"request_timeout", "headers_too_large"})

_DESCRIPTION: Final = """\
All in one transaction. The first entry that fails ends it: its status is that of the answer, and pointers \
begin with its number, as in `/2/body/name`. `{"$ref": "0.id"}` as a value in a body, and `{0.id}` as a \
segment of a path, stand for what an earlier entry was answered.
"""


def batch(types: Described) -> Operation:
    """POST /api/batch."""
    schema: Schema = {
        "operationId": "batch",
        "tags": [TAG],
        "summary": "Several requests below /api as one: all are carried out, or none",
        "description": _DESCRIPTION,
        "requestBody": {"required": True, "content": {JSON: {"schema": types.of(ENTRIES)}}},
        "responses": {
            "200": success("What each was answered, in their order.", types.of(BatchAnswer)),
            **refusals(code for code in KINDS if code not in _OF_THE_SERVER),
        },
        "security": BEARER,
    }
    return Operation(f"/{PREFIX}/{NAME}", "POST", schema)
