"""What an access matrix may say, and how differences are told; no application answers but a made-up one."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest

from app.core.access_presets import ACL
from app.testing.access_matrix import matrix_of
from app.testing.application import StarlingApp
from app.testing.client import Client
from orm import Char, DotModel, Many2one, Ref, Registry


class Shelf(DotModel):
    __table__ = "shelves"

    name: str = Char(max_length=20, required=True)


class Jar(DotModel):
    __table__ = "jars"

    shelf_id: Ref[Shelf] = Many2one(Shelf, required=True, ondelete="cascade")


class Receipt(DotModel):
    __table__ = "receipts"
    __auto_crud__ = "read"

    code: str = Char(max_length=5, required=True)


class Vault(DotModel):
    __table__ = "vaults"
    __auto_crud__ = False

    code: str = Char(max_length=5, required=True)


MODELS = {"shelf": Shelf, "jar": Jar, "receipt": Receipt, "vault": Vault}


class Database:
    """Its transactions are counted."""

    def __init__(self) -> None:
        self.rolled_back = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """See Database."""
        try:
            yield
        except BaseException:
            self.rolled_back += 1
            raise


class Somebody:
    """A client for whom every method has one status, wherever it asks."""

    def __init__(self, statuses: Mapping[str, int]) -> None:
        self.asked: list[tuple[str, str]] = []
        self._statuses = statuses

    async def request(self, method: str, url: str, *, json: Any = None) -> httpx.Response:
        """See httpx."""
        self.asked.append((method, url))
        return httpx.Response(self._statuses[method], json={"data": [], "total": 0, "count": 0})


def starling() -> Any:
    env = SimpleNamespace(registry=Registry.compose(MODELS), db=Database())
    return cast(StarlingApp, SimpleNamespace(env=env))


def user(**statuses: int) -> Any:
    return cast(Client, Somebody(statuses))


READER = {"GET": 200, "POST": 403, "PATCH": 403, "DELETE": 403}


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"shelfs": "r"}, "no API for shelfs; there is one for: jars, receipts, shelves"),
        ({"vaults": ""}, "no API for vaults"),
        ({"shelves": "rx"}, "'rx' are no rights: write some of c r u d"),
        ({"receipts": "ru"}, "receipts is only read in the API made from its model"),
        ({"jars": "c"}, r"a row of jars cannot be made up: give samples=\{'jars': \{...\}\}"),
    ],
)
async def test_a_table_that_cannot_be_compared_is_refused(tables: dict[str, str], sentence: str) -> None:
    with pytest.raises(AssertionError, match=sentence):
        await matrix_of(starling())({"clerk": tables}, users={"clerk": user(**READER)})


async def test_all_differences_are_told_at_once_in_a_table() -> None:
    app = starling()

    with pytest.raises(AssertionError) as told:
        await matrix_of(app)(
            {"clerk": {"shelves": "cr"}}, users={"clerk": user(GET=404, POST=403, PATCH=403, DELETE=204)}
        )

    lines = str(told.value).splitlines()
    assert lines[0] == "9 of 13 answers differ from the access matrix"
    assert lines[2].split() == ["role", "table", "operation", "path", "expected", "answered"]
    assert [line.split()[2:] for line in lines[3:]] == [
        ["read", "GET", "/api/shelves?limit=1", "allowed", "404"],
        ["read", "GET", "/api/shelves?limit=1&count=exact", "allowed", "404"],
        ["read", "POST", "/api/shelves/search", "allowed", "403"],
        ["read", "POST", "/api/shelves/aggregate", "allowed", "403"],
        ["read", "GET", "/api/shelves/export?format=jsonl&limit=1", "allowed", "404"],
        ["create", "GET", "/api/shelves/defaults", "allowed", "404"],
        ["create", "POST", "/api/shelves", "allowed", "403"],
        ["create", "POST", "/api/shelves", "allowed", "403"],
        ["delete", "DELETE", "/api/shelves/4611686018427387904", "denied", "204"],
    ]
    assert app.env.db.rolled_back == 7  # whatever writes


async def test_a_star_is_every_other_table_of_the_api() -> None:
    client = user(GET=403, POST=403, PATCH=403, DELETE=403)

    await matrix_of(starling())({"clerk": {"jars": "", "*": ""}}, users={"clerk": client})

    assert {url.split("?")[0].split("/")[2] for _, url in client.asked} == {"jars", "receipts", "shelves"}


async def test_an_acl_says_the_same_as_letters() -> None:
    nobody = user(GET=403, POST=403, PATCH=403, DELETE=403)

    await matrix_of(starling())({"clerk": {"shelves": ACL.NO_ACCESS}}, users={"clerk": nobody})
    with pytest.raises(AssertionError, match="6 of 13 answers differ"):
        await matrix_of(starling())({"clerk": {"shelves": ACL.READ_ONLY}}, users={"clerk": nobody})


async def test_rows_are_looked_for_one_by_one_and_in_lists() -> None:
    client = user(GET=404, POST=200, PATCH=404, DELETE=404)

    with pytest.raises(AssertionError) as told:
        await matrix_of(starling())(
            {"clerk": {"receipts": "r"}}, rows={"receipts": {7: {"clerk": "r"}}}, users={"clerk": client}
        )

    assert "GET /api/receipts/7" in str(told.value)
    assert "row 7 listed  absent" in str(told.value)
