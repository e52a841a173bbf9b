"""The log over HTTP: read by administrators, written by nobody."""

from tests.support.application import running_application


async def test_administrators_read_the_log_and_nobody_else_does(database_url: str) -> None:
    async with running_application(database_url) as running:
        admin, ada = await running.as_admin(), await running.as_user("ada")
        await running.env.db.fetch("INSERT INTO audit_log (action, details) VALUES ('tested', '{\"n\": 1}')")

        tested = '[["action", "=", "tested"]]'
        read = await admin.get(
            "/api/audit_log", params={"filter": tested, "fields": "action,details,user_id"}
        )
        assert read.status_code == 200, read.text
        (entry,) = read.json()["data"]
        assert {name: entry[name] for name in ("action", "details", "user_id")} == {
            "action": "tested",
            "details": {"n": 1},
            "user_id": None,
        }
        one = f"/api/audit_log/{entry['id']}"
        assert (await ada.get("/api/audit_log")).status_code == 403
        assert (await ada.get(one)).status_code == 403
        for client in (admin, ada):
            assert (await client.post("/api/audit_log", json={"action": "forged"})).status_code == 405
            assert (await client.patch(one, json={"action": "forged"})).status_code == 405
            assert (await client.delete(one)).status_code == 405
