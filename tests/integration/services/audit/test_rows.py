"""What a change of a row leaves in the log."""

import asyncpg
import msgspec
import pytest

from app.core.environment import Environment
from services.audit.models import AuditEntry
from tests.integration.services.audit.world import CANARY, Club, Member, Team, asking, entries


async def test_a_new_row_a_changed_one_and_a_removed_one(env: Environment) -> None:
    with asking():
        member = await Member.create(name="Bo", fee="1.50")
        await member.update(name="Bob", fee="1.50")
        await member.delete()

    created, updated, deleted = await entries(env)
    whole = {"id": 1, "name": "Bo", "secret": "[redacted]", "fee": 1.5, "club_id": None}
    assert (created["action"], created["before"], created["after"]) == ("create", None, whole)
    assert (updated["action"], updated["before"], updated["after"]) == (
        "update",
        {"id": 1, "name": "Bo"},
        {"id": 1, "name": "Bob"},
    )
    assert (deleted["action"], deleted["before"], deleted["after"]) == (
        "delete",
        whole | {"name": "Bob"},
        None,
    )
    for entry in (created, updated, deleted):
        assert entry["user_id"] == 7
        assert entry["request_id"] == "request-1"
        assert entry["model"] == "members"
        assert entry["record_id"] == 1
        assert entry["details"] is None
        assert entry["database_role"] == await env.db.fetchval("SELECT session_user::text")
    assert created["at"] < updated["at"] < deleted["at"]


async def test_an_update_that_changes_nothing_is_no_change(env: Environment) -> None:
    member = await Member.create(name="Bo", secret="x")
    await member.update(name="Bo", secret="x")

    assert [entry["action"] for entry in await entries(env)] == ["create"]


async def test_nobody_who_asks_is_nobody_in_the_log(env: Environment) -> None:
    with asking():
        await Member.create(name="Ada")
    await Member.create(name="Bo")
    with asking(None, "request-2"):
        await Member.create(name="Cy")

    written = [(entry["user_id"], entry["request_id"]) for entry in await entries(env)]
    assert written == [(7, "request-1"), (None, None), (None, "request-2")]


async def test_many_rows_at_once_are_as_many_entries(env: Environment) -> None:
    with asking():
        await Member.create_bulk([{"name": "Ada"}, {"name": "Bo"}, {"name": "Cy"}])
        await Member.upsert([{"name": "Bo", "fee": 2}, {"name": "Di", "fee": 3}], on=["name"])
        await Member.update_bulk([["name", "in", ["Ada", "Cy"]]], fee=4)
        await Member.delete_bulk([["fee", ">", 2]])

    found = await entries(env)
    changes = [(entry["action"], entry["record_id"]) for entry in found]
    di = found[4]["record_id"]
    assert changes[:5] == [("create", 1), ("create", 2), ("create", 3), ("update", 2), ("create", di)]
    assert sorted(changes[5:]) == sorted(
        [("update", 1), ("update", 3)] + [("delete", each) for each in (1, 3, di)]
    )
    assert {(entry["user_id"], entry["request_id"]) for entry in found} == {(7, "request-1")}


async def test_rows_written_through_another_model_are_logged(env: Environment) -> None:
    with asking():
        club = await Club.create(name="Rowing", members={"create": [{"name": "Ada"}, {"name": "Bo"}]})
        await club.update(members={"update": [{"id": 1, "name": "Ada L."}], "delete": [2]})

    found = await entries(env)
    changes = [(entry["action"], entry["record_id"]) for entry in found]
    assert changes[:2] == [("create", 1), ("create", 2)]
    assert sorted(changes[2:]) == [("delete", 2), ("update", 1)]
    assert {(entry["user_id"], entry["request_id"]) for entry in found} == {(7, "request-1")}


async def test_rows_that_go_with_another_row_are_logged_with_who_removed_it(env: Environment) -> None:
    club = await Club.create(name="Rowing", members={"create": [{"name": "Ada"}]})
    with asking():
        await club.delete()

    (*_, last) = await entries(env)
    assert (last["action"], last["model"], last["record_id"], last["user_id"]) == ("delete", "members", 1, 7)


@pytest.mark.parametrize("side", ["member", "team"])
async def test_links_are_logged_from_whichever_side_they_are_written(env: Environment, side: str) -> None:
    member, team = await Member.create(name="Ada"), await Team.create(name="Four")
    with asking():
        if side == "member":
            await member.update(teams={"link": [team.id]})
            await member.update(teams={"unlink": [team.id]})
        else:
            await team.update(members={"link": [member.id]})
            await team.update(members={"unlink": [member.id]})

    linked, unlinked = (await entries(env))[1:]
    link = {"member_id": member.id, "team_id": team.id}
    assert (linked["action"], linked["before"], linked["after"]) == ("create", None, link)
    assert (unlinked["action"], unlinked["before"], unlinked["after"]) == ("delete", link, None)
    for entry in (linked, unlinked):
        assert (entry["model"], entry["record_id"], entry["user_id"]) == ("member_teams", None, 7)


async def test_models_that_are_not_audited_leave_nothing(env: Environment) -> None:
    club = await Club.create(name="Rowing")
    await club.update(name="Sailing")
    await club.delete()

    assert await entries(env) == []


async def test_a_private_value_is_nowhere_in_the_log_and_its_change_is(env: Environment) -> None:
    member = await Member.create(name="Ada", secret=CANARY)
    await member.update(secret=f"another {CANARY}")
    await member.update(secret=None)
    await member.update(name="Ada L.", secret=CANARY)
    await Member.upsert([{"name": "Ada L.", "secret": f"upserted {CANARY}"}], on=["name"])
    await member.delete()

    updates = [entry for entry in await entries(env) if entry["action"] == "update"]
    hidden = {"id": 1, "secret": "[redacted]"}
    assert [(entry["before"], entry["after"]) for entry in updates] == [
        (hidden, hidden),
        (hidden, hidden),
        (hidden | {"name": "Ada"}, hidden | {"name": "Ada L."}),
        (hidden, hidden),
    ]
    log = await env.db.fetch("SELECT row_to_json(e)::text FROM audit_log e")
    assert len(log) == 6
    assert CANARY not in msgspec.json.encode([row[0] for row in log]).decode()


async def test_what_is_rolled_back_leaves_nothing(env: Environment) -> None:
    with pytest.raises(ZeroDivisionError):
        async with env.db.transaction():
            await Member.create(name="Ada")
            raise ZeroDivisionError

    assert await entries(env) == []
    assert await env.db.fetchval("SELECT count(*) FROM audit_waiting") == 0


async def test_of_a_savepoint_that_is_rolled_back_nothing_is_left(env: Environment) -> None:
    with asking():
        async with env.db.transaction():
            await Member.create(name="Ada")
            with pytest.raises(ZeroDivisionError):
                async with env.db.transaction():
                    await Member.create(name="Bo")
                    raise ZeroDivisionError
            await Member.create(name="Cy")

    found = await entries(env)
    assert [(entry["after"]["name"], entry["user_id"]) for entry in found] == [("Ada", 7), ("Cy", 7)]
    assert await env.db.fetchval("SELECT count(*) FROM audit_waiting") == 2


async def test_a_hand_written_statement_says_who_when_it_was_announced(env: Environment) -> None:
    with asking():
        async with env.db.transaction():
            await env.db.announce()
            await env.db.execute("INSERT INTO members (name) VALUES ('Ada')")

    (entry,) = await entries(env)
    assert (entry["user_id"], entry["request_id"]) == (7, "request-1")


async def test_a_write_at_the_database_itself_has_its_role_and_nobody(env: Environment) -> None:
    with asking():
        await Member.create(name="Ada")  # leaves its settings on the connection, empty
    await env.db.execute("UPDATE members SET name = 'Eve'")
    connection = await env.db.connect()
    try:
        await connection.execute("DELETE FROM members")
    finally:
        await connection.close()

    role = await env.db.fetchval("SELECT session_user::text")
    assert [(e["action"], e["user_id"], e["request_id"], e["database_role"]) for e in await entries(env)] == [
        ("create", 7, "request-1", role),
        ("update", None, None, role),
        ("delete", None, None, role),
    ]


async def test_emptying_a_table_is_logged(env: Environment) -> None:
    await env.db.execute("TRUNCATE members CASCADE")

    assert sorted((entry["action"], entry["model"]) for entry in await entries(env)) == [
        ("truncate", "member_teams"),
        ("truncate", "members"),
    ]


async def test_texts_in_the_log_do_not_depend_on_the_session_that_wrote(env: Environment) -> None:
    await env.db.execute("ALTER TABLE members ADD at timestamptz, ADD raw bytea, ADD ratio float8")
    insert = (
        "INSERT INTO members (name, at, raw, ratio) "
        "VALUES ($1, '2026-11-23T16:00:00Z', '\\x00ff', 0.1::float8 + 0.2)"
    )
    connection = await env.db.connect()
    try:
        await connection.execute(insert, "Ada")
        await connection.execute(
            "SET timezone = 'Asia/Tokyo'; SET bytea_output = 'escape'; SET extra_float_digits = 0; "
            "SET datestyle = 'German'; SET search_path = pg_catalog, " + await _schema(connection)
        )
        await connection.execute(insert, "Bo")
    finally:
        await connection.close()

    ada, bo = (entry["after"] for entry in await entries(env))
    assert bo == ada | {"id": 2, "name": "Bo"}
    assert ada["at"] == "2026-11-23T16:00:00+00:00"


async def test_a_temporary_table_of_the_same_name_takes_no_entries_in(env: Environment) -> None:
    connection = await env.db.connect()
    try:
        await connection.execute("CREATE TEMP TABLE audit_log (LIKE audit_log)")
        await connection.execute("CREATE TEMP TABLE audit_waiting (entry_id bigint)")
        await connection.execute("INSERT INTO members (name) VALUES ('Ada')")
    finally:
        await connection.close()

    assert len(await entries(env)) == 1


async def test_when_and_by_which_role_is_not_for_the_writer_to_say(env: Environment) -> None:
    await env.db.execute(
        "INSERT INTO audit_log (action, at, database_role) VALUES ('forged', '2001-01-01', 'somebody else')"
    )

    (entry,) = await entries(env)
    assert entry["at"].year > 2001
    assert entry["database_role"] == await env.db.fetchval("SELECT session_user::text")


@pytest.mark.parametrize("table", ["audit_log", "audit_chain"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET {}", "DELETE FROM {}", "TRUNCATE {}"])
async def test_what_is_written_stays(env: Environment, table: str, statement: str) -> None:
    change = {"audit_log": "action = 'x'", "audit_chain": "position = 7"}[table]

    with pytest.raises(
        asyncpg.PostgresError, match=f"of {table} is refused: the audit log is only ever added to"
    ):
        await env.db.execute(statement.format(table, change))


async def test_not_even_the_verbs_change_the_log(env: Environment) -> None:
    await Member.create(name="Ada")
    (entry,) = await AuditEntry.search()

    with pytest.raises(asyncpg.PostgresError, match="is refused"):
        await entry.update(action="nothing")
    with pytest.raises(asyncpg.PostgresError, match="is refused"):
        await entry.delete()


async def _schema(connection: "asyncpg.Connection[asyncpg.Record]") -> str:
    return str(await connection.fetchval("SELECT quote_ident(current_schema())"))
