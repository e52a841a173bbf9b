"""The plan of the house, checked: which package may import which, read from the source of every module.

The arrows are in `ARROWS`. Beside them: no cycle between modules, no import within a function, and a service
reaches another one only when its manifest lists it in `depends`, and never its closed rooms.
"""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("app", "orm", "services", "sql")

# package -> what it may import of ours, besides itself. The longest name that fits a module is its package.
ARROWS: Mapping[str, frozenset[str]] = {
    "app": frozenset(),
    "app.core": frozenset({"orm"}),
    "app.http": frozenset({"app.core", "orm"}),
    "app.realtime": frozenset({"app.core", "orm", "sql"}),
    "app.crud": frozenset({"app.http", "app.core", "orm"}),
    "app.openapi": frozenset({"app.crud", "app.http", "app.core", "orm"}),
    "app.project_setup": frozenset({"app.core", "app.http", "app.realtime", "services"}),
    "app.main": frozenset({"app.project_setup", "app.core", "app.http"}),
    "app.server": frozenset(
        {"app", "app.main", "app.project_setup", "app.core", "app.http", "app.realtime", "orm"}
    ),
    "app.testing": frozenset({"app.main", "app.project_setup", "app.server", "app.core", "app.http", "orm"}),
    "app.cli": frozenset(
        {"app", "app.server", "app.main", "app.project_setup", "app.openapi", "app.core", "orm", "services"}
    ),
    "orm": frozenset({"sql"}),
    "services": frozenset(
        {"app", "app.core", "app.http", "app.realtime", "app.crud", "app.openapi", "orm", "sql", "services"}
    ),
    "sql": frozenset(),
}

# The ORM can be lifted out and published: this is all that it needs from outside. Its own statements,
# sql/orm, and their loader go with it.
OUTSIDE_OF_ORM = frozenset({"asyncpg", "msgspec", "sql"})

# What a service keeps to itself even from those that depend on it: how it speaks to clients. They use its
# models, its verbs and what it tells.
CLOSED_ROOMS = frozenset({"routers", "schemas", "websocket"})


class Import(NamedTuple):
    """One imported module, by whom and where. `is_typing` is True below `if TYPE_CHECKING`."""

    importer: str
    imported: str
    line: int
    is_typing: bool
    is_late: bool

    def __str__(self) -> str:
        return f"{self.importer}, line {self.line}: imports {self.imported}"


def _modules() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


MODULES = _modules()


class _Imports(ast.NodeVisitor):
    def __init__(self, module: str, is_package: bool) -> None:
        self.found: list[Import] = []
        self._module = module
        self._package = module if is_package else module.rpartition(".")[0]
        self._is_typing = False
        self._is_late = False

    def visit_If(self, node: ast.If) -> None:
        before = self._is_typing
        self._is_typing = before or ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")
        for child in node.body:
            self.visit(child)
        self._is_typing = before
        for child in node.orelse:
            self.visit(child)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        before, self._is_late = self._is_late, True
        self.generic_visit(node)
        self._is_late = before

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self.visit_FunctionDef(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._note(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            parents = self._package.split(".")
            base = ".".join([*parents[: len(parents) - node.level + 1], *([base] if base else [])])
        for alias in node.names:
            # `from app.core import errors` is an import of the module, `from app.core.errors import
            # Malformed` of a name in it.
            submodule = f"{base}.{alias.name}"
            self._note(submodule if submodule in MODULES else base, node)

    def _note(self, imported: str, node: ast.Import | ast.ImportFrom) -> None:
        self.found.append(Import(self._module, imported, node.lineno, self._is_typing, self._is_late))


def _imports() -> list[Import]:
    found: list[Import] = []
    for module, file in MODULES.items():
        visitor = _Imports(module, is_package=file.name == "__init__.py")
        visitor.visit(ast.parse(file.read_text(encoding="utf-8")))
        found += visitor.found
    return found


IMPORTS = _imports()


def _is_within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def _package_of(module: str) -> str | None:
    return max((package for package in ARROWS if _is_within(module, package)), key=len, default=None)


def _service_of(module: str) -> str:
    return module.split(".")[1] if module.startswith("services.") else ""


def test_the_project_was_found() -> None:
    assert {_package_of(module) for module in MODULES} >= {"app.core", "app.http", "orm", "services", "sql"}
    assert all(_package_of(module) not in (None, "app") for module in MODULES if module != "app")


def test_imports_follow_the_arrows() -> None:
    against = [
        str(found)
        for found in IMPORTS
        if (target := _package_of(found.imported)) is not None
        and (source := _package_of(found.importer)) is not None
        and target != source
        and target not in ARROWS[source]
    ]

    assert against == []


def test_the_orm_needs_nothing_but_its_driver_and_msgspec() -> None:
    allowed = {"orm", *OUTSIDE_OF_ORM, *sys.stdlib_module_names}

    assert [
        str(found)
        for found in IMPORTS
        if _is_within(found.importer, "orm") and found.imported.split(".")[0] not in allowed
    ] == []


def test_no_import_stands_within_a_function() -> None:
    assert [str(found) for found in IMPORTS if found.is_late] == []


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {module: set() for module in MODULES}
    for found in IMPORTS:
        if not found.is_typing and found.imported in MODULES and found.imported != found.importer:
            graph[found.importer].add(found.imported)

    assert [" -> ".join(circle) for circle in _circles(graph)] == []


def test_a_service_reaches_only_services_that_it_depends_on() -> None:
    against = [
        str(found)
        for found in _between_services()
        if _service_of(found.imported) not in _depends(_service_of(found.importer))
    ]

    assert against == []


def test_a_service_leaves_the_closed_rooms_of_others_alone() -> None:
    against = [
        str(found) for found in _between_services() if CLOSED_ROOMS & set(found.imported.split(".")[2:3])
    ]

    assert against == []


def _between_services() -> Iterator[Import]:
    for found in IMPORTS:
        source, target = _service_of(found.importer), _service_of(found.imported)
        if source and target and source != target:
            yield found


def _depends(service: str) -> frozenset[str]:
    """What the manifest in the service's app.py lists, read without importing it."""
    manifest = ROOT / "services" / service / "app.py"
    assert manifest.exists(), f"services/{service} has no app.py"
    tree = ast.parse(manifest.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Info":
            return frozenset(
                next((ast.literal_eval(word.value) for word in node.keywords if word.arg == "depends"), ())
            )
    pytest.fail(f"services/{service}/app.py has no Info(...)")


def _circles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """A circle for each knot of the graph, found by walking it depth first."""
    done: set[str] = set()
    path: list[str] = []

    def walk(module: str) -> Iterator[list[str]]:
        if module in path:
            yield [*path[path.index(module) :], module]
            return
        if module in done:
            return
        done.add(module)
        path.append(module)
        for imported in sorted(graph[module]):
            yield from walk(imported)
        path.pop()

    for module in graph:
        yield from walk(module)


def test_a_circle_would_be_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set[str]()}

    assert list(_circles(graph)) == [["b", "c", "b"]]


def test_an_import_is_read_for_what_it_is() -> None:
    visitor = _Imports("app.core.service", is_package=False)
    visitor.visit(
        ast.parse(
            "from typing import TYPE_CHECKING\n"
            "from app.core import errors\n"
            "from . import access\n"
            "from .errors import Malformed\n"
            "if TYPE_CHECKING:\n    import app.main\n"
            "async def late():\n    import orm.errors\n"
        )
    )

    read = [(found.imported, found.is_typing, found.is_late) for found in visitor.found]
    assert read == [
        ("typing", False, False),
        ("app.core.errors", False, False),
        ("app.core.access", False, False),
        ("app.core.errors", False, False),
        ("app.main", True, False),
        ("orm.errors", False, True),
    ]
