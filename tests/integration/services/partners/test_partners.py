"""Partners over HTTP: who may do what with which, stamps, and parents that form trees."""

import asyncio
import datetime as dt
from typing import Any

import pytest

from app.core.access_presets import ACL
from app.testing.access_matrix import AssertAccessMatrix
from app.testing.application import AsUser, StarlingApp
from app.testing.client import Client
from services.partners.models import Partner

Json = dict[str, Any]


async def make(client: Client, *, expect: int = 201, **values: object) -> Json:
    answer = await client.post("/api/partners", json={"name": "Acme", **values})
    assert answer.status_code == expect, answer.text
    made: Json = answer.json()
    return made


async def change(client: Client, partner: Json, *, expect: int = 200, **values: object) -> Json:
    answer = await client.patch(f"/api/partners/{partner['id']}", json=values)
    assert answer.status_code == expect, answer.text
    changed: Json = answer.json()
    return changed


async def test_rights_on_partners_and_categories(
    as_user: AsUser, assert_access_matrix: AssertAccessMatrix
) -> None:
    ada, bob, mia = await as_user("ada"), await as_user("bob"), await as_user("mia", roles=["manager"])
    hers, his, nobodys = await make(ada), await make(bob), await make(mia, owner_id=None)

    await assert_access_matrix(
        {
            "base_user": {"partners": "crud", "partner_categories": "r"},
            "manager": {"partners": ACL.FULL, "partner_categories": ACL.FULL},
        },
        rows={
            "partners": {
                hers["id"]: {"base_user": "rud", "manager": "rud"},
                his["id"]: {"base_user": "r", "manager": "rud"},
                nobodys["id"]: {"base_user": "r", "manager": "rud"},
            }
        },
        users={"base_user": ada, "manager": mia},
    )


async def test_a_partner_belongs_to_whoever_made_it_unless_a_manager_says_otherwise(as_user: AsUser) -> None:
    ada, bob, mia = await as_user("ada"), await as_user("bob"), await as_user("mia", roles=["manager"])

    partner = await make(ada)
    assert partner["owner_id"] == ada.id
    await make(ada, owner_id=ada.id)
    await make(ada, owner_id=bob.id, expect=403)
    await make(ada, owner_id=None, expect=403)
    await change(ada, partner, owner_id=bob.id, expect=403)
    await change(bob, partner, note="mine now", expect=403)

    assert (await change(mia, partner, owner_id=bob.id))["owner_id"] == bob.id
    assert (await change(bob, partner, note="mine now"))["note"] == "mine now"
    answer = await ada.post("/api/partners", json=[{"name": "a"}, {"name": "b", "owner_id": bob.id}])
    assert answer.status_code == 403
    assert answer.json()["errors"] == [] or answer.json()["errors"][0]["pointer"].startswith("/1")
    assert len((await ada.get("/api/partners")).json()["data"]) == 2


async def test_a_credit_limit_is_read_and_written_by_managers_only(as_user: AsUser) -> None:
    ada, mia = await as_user("ada"), await as_user("mia", roles=["manager"])
    partner = await make(ada)

    assert (await change(mia, partner, credit_limit="1234.50"))["credit_limit"] == "1234.50"
    assert (await make(mia, credit_limit="0.00"))["credit_limit"] == "0.00"
    await change(mia, partner, credit_limit="-1", expect=422)
    await change(ada, partner, credit_limit="9", expect=403)
    await make(ada, credit_limit="9", expect=403)
    assert "credit_limit" not in (await ada.get(f"/api/partners/{partner['id']}")).json()
    for query in ("fields=id,credit_limit", "order=credit_limit", 'filter=[["credit_limit",">",0]]'):
        assert (await ada.get(f"/api/partners?{query}")).status_code == 403


async def test_stamps_tell_who_made_and_changed_a_partner_and_when(as_user: AsUser) -> None:
    ada, mia = await as_user("ada"), await as_user("mia", roles=["manager"])

    made = await make(ada)
    changed = await change(mia, made, note="seen")
    answer = await mia.patch(
        "/api/partners", json={"filter": [["id", "=", made["id"]]], "values": {"note": ""}}
    )
    assert answer.json() == {"count": 1}
    late = (await ada.get(f"/api/partners/{made['id']}")).json()

    assert made["created_by"] == made["updated_by"] == changed["created_by"] == late["created_by"] == ada.id
    assert changed["updated_by"] == late["updated_by"] == mia.id
    times = [dt.datetime.fromisoformat(one["updated_at"]) for one in (made, changed, late)]
    assert times == sorted(set(times))
    assert made["created_at"] == made["updated_at"] == changed["created_at"] == late["created_at"]
    assert (await ada.patch(f"/api/partners/{made['id']}", json={"created_by": mia.id})).status_code == 422
    assert (await ada.post("/api/partners", json={"name": "a", "updated_at": None})).status_code == 422


async def test_deleting_a_user_leaves_stamps_without_him_and_is_refused_while_he_owns_partners(
    starling: StarlingApp, as_user: AsUser
) -> None:
    ada, mia, admin = await as_user("ada"), await as_user("mia", roles=["manager"]), await starling.as_admin()
    partner = await make(ada)

    assert (await admin.delete(f"/api/users/{ada.id}")).status_code == 409
    await change(mia, partner, owner_id=mia.id)
    assert (await admin.delete(f"/api/users/{ada.id}")).status_code == 204
    left = (await mia.get(f"/api/partners/{partner['id']}")).json()
    assert (left["created_by"], left["updated_by"]) == (None, mia.id)


async def test_partners_form_trees(as_user: AsUser) -> None:
    ada = await as_user("ada")
    root = await make(ada, name="root")
    child = await make(ada, name="child", parent_id=root["id"])
    grandchild = await make(ada, name="grandchild", parent_id=child["id"])

    for below in (root, child, grandchild):
        answer = await ada.patch(f"/api/partners/{root['id']}", json={"parent_id": below["id"]})
        assert answer.status_code == 422
        assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
            ("/parent_id", "circle")
        ]
    several = {"filter": [["id", "in", [root["id"], child["id"]]]], "values": {"parent_id": grandchild["id"]}}
    answer = await ada.patch("/api/partners", json=several)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/values/parent_id"

    assert (await change(ada, grandchild, parent_id=root["id"]))["parent_id"] == root["id"]
    assert (await change(ada, child, parent_id=grandchild["id"]))["parent_id"] == grandchild["id"]
    assert (await change(ada, child, parent_id=None))["parent_id"] is None


async def test_two_changes_at_once_close_no_circle(starling: StarlingApp) -> None:
    with starling.env.system():
        for _ in range(10):
            one, other = [await Partner.create(name=name) for name in ("one", "other")]
            done = await asyncio.gather(
                one.update(parent_id=other.id), other.update(parent_id=one.id), return_exceptions=True
            )
            assert sum(isinstance(result, Exception) for result in done) == 1
            assert (
                await Partner.search_count([["id", "in", [one.id, other.id]], ["parent_id", "is null"]]) == 1
            )


async def test_categories_join_partners(as_user: AsUser) -> None:
    ada, mia = await as_user("ada"), await as_user("mia", roles=["manager"])
    category = (await mia.post("/api/partner_categories", json={"name": "Friends", "color": "teal"})).json()
    partner = await make(mia, category_ids={"link": [category["id"]]})

    query = 'filter=[["category_ids.name","=","Friends"]]&fields=name,category_ids.name'
    found = (await ada.get(f"/api/partners?{query}")).json()["data"]

    assert found == [
        {"id": partner["id"], "name": "Acme", "category_ids": [{"id": category["id"], "name": "Friends"}]}
    ]
    assert (await mia.post("/api/partner_categories", json={"name": "Friends"})).status_code == 409
    assert (await mia.post("/api/partner_categories", json={"name": "b", "color": "#12"})).status_code == 422


@pytest.mark.parametrize("name", ["", "  "])
async def test_a_partner_has_a_name(as_user: AsUser, name: str) -> None:
    await make(await as_user("ada"), name=name, expect=422)
