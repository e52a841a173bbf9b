"""app.testing as its users have it: a throw-away project with a module of its own, tested by pytest.

The inner runs are processes of their own on the server of the outer one."""

import subprocess
import sys
import textwrap
from typing import Final

import pytest

pytest_plugins = ("pytester",)

FILES: Final = {
    "mything/__init__.py": "",
    "mything/notes/__init__.py": "",
    "mything/notes/app.py": """
        from app.core.access_presets import ACL, RulePreset
        from app.core.service import App, Info


        class Notes(App):
            info = Info(name="notes", summary="Notes of one's own.", depends=("users", "security"))
            access = {"notes": {"base_user": ACL.NO_DELETE, "manager": ACL.FULL}}
            rules = (
                RulePreset("notes_own", "notes", [["author_id", "=", "{{user_id}}"]], role="base_user"),
                RulePreset("notes_all", "notes", [], role="manager"),
            )
    """,
    "mything/notes/note.py": """
        from app.core.stamps import asker_id
        from orm import Char, DotModel, Many2one, Ref
        from services.users.models import User


        class Note(DotModel):
            __table__ = "notes"
            title: str = Char(max_length=50, required=True, unique=True)
            author_id: Ref[User] | None = Many2one("users", ondelete="cascade", default=asker_id)
    """,
    "mything/setup.py": """
        from app.project_setup import Apps, Models, Settings
        from mything.notes.note import Note


        class MyModels(Models):
            note = Note


        class MyApps(Apps):
            installed = (*Apps.installed, "mything.notes")


        MySettings = Settings
    """,
    "test_notes.py": """
        import asyncio

        import pytest

        from app.core.access_presets import ACL

        MARK


        @pytest.mark.parametrize("time", [1, 2])
        async def test_each_test_has_a_database_of_its_own(as_user, time):
            ada = await as_user("ada")
            made = await ada.post("/api/notes", json={"title": "the same one each time"})
            assert made.status_code == 201
            assert [note["id"] for note in (await ada.get("/api/notes")).json()["data"]] == [1]


        async def test_a_user_has_the_roles_that_are_named(starling, as_user):
            ada, bob, admin = await as_user(), await as_user(roles=["manager"]), await as_user(is_admin=True)
            note = (await ada.post("/api/notes", json={"title": "mine"})).json()
            path = f"/api/notes/{note['id']}"
            assert note["author_id"] == ada.id
            assert (await ada.delete(path)).status_code == 403
            assert (await (await as_user(roles=[])).get(path)).status_code == 403
            assert (await admin.get("/api/users")).status_code == 200
            assert (await bob.delete(path)).status_code == 204
            assert (await (await starling.client()).get(path)).status_code == 401
            assert (await (await as_user(ada.user["login"])).get("/me")).json()["id"] == ada.id
            with pytest.raises(AssertionError, match="there is no role bishop; there are: .*manager"):
                await as_user(roles=["bishop"])
            with starling.env.system():
                assert await starling.env.models.note.search_count() == 0


        async def test_the_table_is_what_happens(as_user, assert_access_matrix):
            ada = await as_user("ada", roles=["base_user"])
            bob = await as_user("bob", roles=["base_user"])
            mine, his = [
                (await one.post("/api/notes", json={"title": one.user["login"]})).json()["id"]
                for one in (ada, bob)
            ]
            await assert_access_matrix(
                {"base_user": {"notes": "cru"}, "manager": {"notes": ACL.FULL}},
                rows={
                    "notes": {
                        mine: {"base_user": "ru", "manager": "rud"},
                        his: {"manager": ACL.NO_CREATE},
                    }
                },
                users={"base_user": ada},
            )
            listed = (await bob.get("/api/notes")).json()["data"]
            assert [note["title"] for note in listed] == ["bob"]


        async def test_all_differences_are_told_at_once(as_user, assert_access_matrix):
            ada = await as_user("ada", roles=["base_user"])
            mine = (await ada.post("/api/notes", json={"title": "mine"})).json()["id"]
            with pytest.raises(AssertionError) as told:
                await assert_access_matrix(
                    {"base_user": {"notes": "rd"}},
                    rows={"notes": {mine: {"base_user": "d"}}},
                    users={"base_user": ada},
                )
            head, _, header, *lines = str(told.value).splitlines()
            assert head.endswith("answers differ from the access matrix")
            assert header.split() == ["role", "table", "operation", "path", "expected", "answered"]
            told = [line.split()[2:] for line in lines]
            assert ["create", "POST", "/api/notes", "denied", "201"] in told
            assert ["update", "PATCH", "/api/notes/1", "denied", "200"] in told
            assert ["delete", "DELETE", "/api/notes/1", "allowed", "403"] in told
            assert any(line.endswith("row 1 absent  listed") for line in lines)


        async def test_a_socket_waits_for_what_is_told(as_user):
            ada, bob = await as_user("ada"), await as_user("bob")
            body = {"chat_type": "group", "name": "A chat", "user_ids": [bob.id]}
            chat = (await ada.post("/chats", json=body)).json()["id"]
            async with bob.socket() as socket:
                assert (await socket.ask({"type": "ping"})) == {"type": "pong"}
                await socket.send({"type": "subscribe", "chat_id": chat})
                await socket.expect("subscribed", chat_id=chat)
                said = asyncio.create_task(ada.post(f"/chats/{chat}/messages", json={"body": "hello"}))
                heard = await socket.expect("new_message", chat_id=chat)
                assert heard["message"]["body"] == "hello"
                await said
                await socket.expect_silence()
                await bob.post("/logout")
                assert await socket.close_code() == 4401


        async def test_what_did_not_come_is_told_with_what_came_instead(as_user):
            async with (await as_user()).socket() as socket:
                await socket.send({"type": "ping"})
                with pytest.raises(AssertionError, match=r"(?s)new_message.* did not come.*what came:.*pong"):
                    await socket.expect("new_message", within_seconds=0.05)


        @pytest.mark.asyncio(loop_scope="module")
        async def test_another_event_loop_is_told_apart(as_user):
            with pytest.raises(AssertionError, match="another event loop"):
                await as_user("ada")


        @pytest.fixture
        def starling_environ():
            return {"CHAT__MAX_BODY_CHARS": "5"}


        async def test_settings_of_the_test_hold(starling):
            assert starling.env.settings.chat.max_body_chars == 5
    """,
}


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server_url: str) -> pytest.Pytester:
    """A folder with the project in it."""
    for path, text in FILES.items():
        file = pytester.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    monkeypatch.setenv("TEST_DATABASE_URL", server_url)
    monkeypatch.setenv("DATABASE__URL", "postgresql://nobody.invalid/not-this-one")
    return pytester


# For the dozens of people who sign in.
CHEAP_PASSWORDS: Final = """
    import pytest

    from services.users import passwords


    @pytest.fixture(scope="session", autouse=True)
    def cheap_passwords():
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(passwords, "MEMORY_KIB", 64)
            patch.setattr(passwords, "PASSES", 1)
            yield
"""
PROJECT: Final = "starling_project = mything.setup:MySettings, MyModels, MyApps"
# Plugins of others, which cost a second to load.
STRANGERS: Final = ("cacheprovider", "hypothesispytest", "anyio", "schemathesis", "xdist")
QUICK: Final = ("-q", *(f"-pno:{name}" for name in STRANGERS))


def write_tests(project: pytest.Pytester, mark: str) -> None:
    project.makeconftest(CHEAP_PASSWORDS)
    file = project.path / "test_notes.py"
    file.write_text(file.read_text().replace("MARK", mark))


def configure(project: pytest.Pytester, *lines: str) -> None:
    usual = ["pythonpath = .", "filterwarnings = error", "asyncio_default_fixture_loop_scope = function"]
    project.makeini("\n".join(["[pytest]", *usual, *lines]))


def test_a_project_of_ones_own_is_tested(project: pytest.Pytester) -> None:
    write_tests(project, "pytestmark = pytest.mark.asyncio")
    configure(project, "asyncio_mode = strict", PROJECT)

    result = project.runpytest_subprocess(*QUICK)

    result.assert_outcomes(passed=9)


def test_the_mode_of_pytest_asyncio_and_its_event_loop_are_the_projects_own(project: pytest.Pytester) -> None:
    write_tests(project, "")
    configure(project, "asyncio_mode = auto", "asyncio_default_test_loop_scope = module", PROJECT)

    result = project.runpytest_subprocess(*QUICK, "-k", "database_of_its_own or settings_of_the_test")

    result.assert_outcomes(passed=3, deselected=6)


def test_without_a_library_the_fixtures_say_what_to_install(project: pytest.Pytester) -> None:
    configure(project)
    project.makeconftest("import sys; sys.modules['httpx'] = None")
    project.makepyfile(test_notes="def test_it(starling_project): ...")

    result = project.runpytest_inprocess(*QUICK)

    result.stdout.fnmatch_lines(["the fixtures of app.testing need httpx: pip install 'starling?test?'"])
    result.assert_outcomes(errors=1)


def test_without_pytest_asyncio_the_fixtures_say_what_to_install(project: pytest.Pytester) -> None:
    project.makeini("[pytest]")
    project.makepyfile(test_notes="def test_it(starling): ...")

    result = project.runpytest_inprocess(*QUICK, "-p", "no:asyncio")

    result.stdout.fnmatch_lines(["*pytest-asyncio is not loaded or too old: pip install 'starling?test?'"])
    result.assert_outcomes(errors=1)


def test_to_be_loaded_by_every_run_costs_no_more_than_a_few_names() -> None:
    program = "import sys, pytest, app.testing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    ours = {name for name in loaded.stdout.split() if name.split(".")[0] in ("app", "orm", "services", "sql")}
    assert ours == {"app", "app.testing", "app.testing.fixtures"}
    assert not {"asyncpg", "httpx", "msgspec", "starlette"} & set(loaded.stdout.split())
