import pytest

from app.core.errors import PreconditionRequired
from app.crud.preconditions import on_version, refuse_blind_write, versions_wanted
from app.crud.resource import Resource
from orm import Registry
from orm.errors import RecordNotFound, StaleRow
from tests.integration.app.crud.world import MODELS
from tests.support.asgi import http_scope

REGISTRY = Registry.compose(MODELS)
TASKS, ACCOUNTS = (Resource(REGISTRY.model(name), "api") for name in ("task", "account"))
TAG = '"7-0123456789abcdef"'


class Row:
    """A row of version 7."""

    def __init__(self) -> None:
        self.tried: list[str | None] = []

    async def write(self, version: str | None) -> str:
        self.tried.append(version)
        if version not in (None, "7"):
            raise StaleRow("changed")
        return "written"


@pytest.mark.parametrize(
    ("versions", "tried"),
    [(None, [None]), (("7",), ["7"]), (("1", "7", "8"), ["1", "7"]), (("8", "7"), ["8", "7"])],
)
async def test_a_row_is_written_on_the_version_that_it_has(
    versions: tuple[str, ...] | None, tried: list[str | None]
) -> None:
    row = Row()
    assert await on_version(versions, row.write) == "written"
    assert row.tried == tried


@pytest.mark.parametrize("versions", [(), ("1",), ("1", "2")])
async def test_a_row_of_another_version_is_not_written(versions: tuple[str, ...]) -> None:
    with pytest.raises(StaleRow):
        await on_version(versions, Row().write)


async def test_a_row_that_is_not_there_is_looked_for_once() -> None:
    tried = []

    async def absent(version: str | None) -> None:
        tried.append(version)
        raise RecordNotFound

    with pytest.raises(RecordNotFound):
        await on_version(("1", "2"), absent)
    assert tried == ["1"]


def test_what_is_wanted_of_a_row_stands_in_if_match() -> None:
    for header, versions in ((TAG, ("7",)), ("*", None), ('"x"', ())):
        scope = http_scope("PATCH", "/", headers=[("if-match", header)])
        assert versions_wanted(TASKS, scope) == versions
    both = http_scope("PATCH", "/", headers=[("if-match", TAG), ("if-match", '"8-0123456789abcdef"')])
    assert versions_wanted(TASKS, both) == ("7", "8")
    assert versions_wanted(TASKS, http_scope("PATCH", "/")) is None


def test_a_model_that_wants_to_be_told_a_version_is_not_content_with_any() -> None:
    for headers in ([], [("if-match", "*")]):
        with pytest.raises(PreconditionRequired):
            versions_wanted(ACCOUNTS, http_scope("PATCH", "/", headers=headers))
    assert versions_wanted(ACCOUNTS, http_scope("PATCH", "/", headers=[("if-match", TAG)])) == ("7",)
    with pytest.raises(PreconditionRequired):
        refuse_blind_write(ACCOUNTS)
    refuse_blind_write(TASKS)
