"""Writes module folders for a test: packages that an Environment can install, forgotten afterwards."""

import importlib
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ModuleFolders:
    """A folder on the import path. Packages written here are importable until the test is over."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, source: str = "") -> None:
        """Put a file at `path`, "crm/routers/deals.py", with an `__init__.py` in the top folder."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        (self.root / path.partition("/")[0] / "__init__.py").touch()
        file.write_text(textwrap.dedent(source))
        # The import system remembers what was in a folder a moment ago.
        importlib.invalidate_caches()

    def app(self, name: str, *, depends: tuple[str, ...] = (), body: str = "pass") -> str:
        """A module without anything to start; the name to install it by."""
        return self._manifest("App", name, depends, body)

    def service(self, name: str, *, depends: tuple[str, ...] = (), body: str = "") -> str:
        """A service that notes its startup and shutdown in `app.state.events`, and has `body` besides."""
        noting = f"""
            async def startup(self, app):
                app.state.events.append("start {name}")

            async def shutdown(self, app):
                app.state.events.append("stop {name}")
        """
        return self._manifest("Service", name, depends, textwrap.dedent(noting) + textwrap.dedent(body))

    def _manifest(self, base: str, name: str, depends: tuple[str, ...], body: str) -> str:
        head = f"""\
            import asyncio

            from app.core.errors import StartError
            from app.core.service import App, Info, Service


            class Manifest({base}):
                info = Info(name={name!r}, summary="For a test.", depends={depends!r})
        """
        self.write(f"{name}/app.py", textwrap.dedent(head) + textwrap.indent(textwrap.dedent(body), "    "))
        return name


@contextmanager
def module_folders(root: Path) -> Iterator[ModuleFolders]:
    """Module folders below `root`, importable inside the block."""
    known = set(sys.modules)
    sys.path.insert(0, str(root))
    try:
        yield ModuleFolders(root)
    finally:
        sys.path.remove(str(root))
        for name in set(sys.modules) - known:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if Path(file).is_relative_to(root) or (root / name.partition(".")[0]).exists():
                del sys.modules[name]
