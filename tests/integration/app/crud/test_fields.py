"""Every kind of field, there and back: what goes in as JSON comes out as the same JSON."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.app.crud.world import World, company
from tests.support.databases import fresh_database
from tests.support.models import SHOP

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(server_url: str) -> AsyncIterator[World]:
    async with fresh_database(server_url) as url, company(url, models=SHOP) as world:
        assert (await world.ask("admin", "POST", "/api/categories", {"name": "tools"})).status == 201
        yield world


VALUES = [
    ("name", 'ä\u2603\U0001f600 "quoted" \\ <b>'),
    ("code", "ABC"),
    ("kind", "service"),
    ("price", "0.01"),
    ("price", "99999999.99"),
    ("price", "0.00"),
    ("stock", -100),
    ("weight", 1.5e300),
    ("weight", -0.1),
    ("rating", -(2**15)),
    ("views", 2**63 - 1),
    ("active", False),
    ("note", "line\nline\t\u2028" * 1000),
    ("data", {"z": [1, 2.5, None, True, {"": []}], "a": "\u2603"}),
    ("data", "a text"),
    ("data", 12345678901234567890),
    ("data", []),
    ("blob", "AAECAwT/"),
    ("blob", ""),
    ("token", "12345678-1234-5678-1234-567812345678"),
    ("day", "0001-01-01"),
    ("day", "9999-12-31"),
    ("hour", "00:00:00"),
    ("hour", "23:59:59.999999"),
    ("created_at", "2026-02-28T12:34:56.789000Z"),
    ("created_at", "1970-01-01T00:00:00Z"),
    ("created_at", "9999-12-31T23:59:59Z"),
    ("category_id", 1),
]


@pytest.mark.parametrize(("name", "value"), VALUES, ids=lambda value: str(value)[:24])
async def test_a_value_comes_out_as_it_went_in_on_every_path(shop: World, name: str, value: Any) -> None:
    made = await shop.ask("admin", "POST", "/api/products", {"name": "a"} | {name: value})
    assert made.status == 201, made.body
    row = made.json()
    assert row[name] == value
    path = f"/api/products/{row['id']}"
    assert (await shop.ask("admin", "PATCH", path, {name: value})).json() == row
    assert (await shop.ask("admin", "GET", path)).json() == row
    many = await shop.ask("admin", "POST", "/api/products", [{"name": "a"} | {name: value}])
    assert many.json()["data"][0][name] == value
    listed = await shop.get(f'/api/products?filter=[["id","=",{row["id"]}]]&fields={name}')
    assert listed["data"] == [{"id": row["id"], name: value}]


NULLABLE = (
    "code",
    "price",
    "weight",
    "rating",
    "note",
    "data",
    "blob",
    "token",
    "day",
    "hour",
    "category_id",
)


async def test_null_comes_out_as_null_where_a_field_may_be_null(shop: World) -> None:
    nulls = dict.fromkeys(NULLABLE)
    made = (await shop.ask("admin", "POST", "/api/products", {"name": "a"} | nulls)).json()
    found = await shop.get(f"/api/products/{made['id']}?fields=category_id.name," + ",".join(NULLABLE))
    for row in (made, found):
        assert {name: row[name] for name in NULLABLE} == nulls


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, value in VALUES if name not in ("data", "blob")],
    ids=lambda value: str(value)[:24],
)
async def test_a_value_finds_its_row_as_it_went_in(shop: World, name: str, value: Any) -> None:
    made = (await shop.ask("admin", "POST", "/api/products", {"name": "a"} | {name: value})).json()
    condition = [[name, "=", value], ["id", "=", made["id"]]]
    found = await shop.ask("admin", "POST", "/api/products/search", {"filter": condition})
    assert [row["id"] for row in found.json()["data"]] == [made["id"]]
