from pathlib import Path

import msgspec
import pytest

from app.cli import main
from app.cli.routes import RouteLine, route_lines
from app.core.environment import Environment
from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.core.settings import SettingsCore
from tests.support.module_folders import module_folders

ROUTERS = """
from starlette.routing import Mount, Route, Router, WebSocketRoute


async def nothing(request):
    pass


router_public = Router([Route("/deals", nothing), Route("/deals", nothing, methods=["POST"])])
inner = Mount("/inner", routes=[Route("/{id:int}", nothing, methods=["PATCH"])])
router_private = Router([inner, WebSocketRoute("/live", nothing)])
"""


async def test_routes_are_listed_with_method_path_module_and_access(tmp_path: Path) -> None:
    with module_folders(tmp_path) as folders:
        folders.app("crm")
        folders.write("crm/routers/deals.py", ROUTERS)
        env = Environment(SettingsCore(), ModelsCore, type("Apps", (AppsCore,), {"installed": ("crm",)}))
        await env.setup_services()

        assert sorted(route_lines(env)) == [
            RouteLine("GET", "/deals", "crm", "public"),
            RouteLine("PATCH", "/inner/{id:int}", "crm", "private"),
            RouteLine("POST", "/deals", "crm", "public"),
            RouteLine("WEBSOCKET", "/live", "crm", "private"),
        ]


def test_the_command_lists_the_routes_of_this_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["routes", "--json"]) == 0
    rows = msgspec.json.decode(capsys.readouterr().out)["data"]
    assert all(set(row) == {"method", "path", "module", "access"} for row in rows)

    assert main(["routes"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(rows)
