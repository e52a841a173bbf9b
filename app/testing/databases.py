"""Databases of a run: each project is migrated once, on a template, and each test gets a copy of it."""

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from app.testing.application import StarlingApp, started
from app.testing.project import Project


class Databases:
    """Makes databases on one server. Those of tests are gone with the test, templates by `drop_templates`."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._templates: dict[Project, str] = {}

    @asynccontextmanager
    async def application(self, project: Project, environ: Mapping[str, str]) -> AsyncIterator[StarlingApp]:
        """The project, started on a copy of its template, with settings `environ` besides the usual ones."""
        template = self._templates.get(project)
        if template is None:
            template = self._templates[project] = await self._migrated(project)
        name = await self._make(template)
        try:
            with tempfile.TemporaryDirectory(prefix="starling-test-") as folder:
                data_dir = Path(folder) / "data"
                async with started(project, self._url(name), data_dir, environ) as running:
                    yield running
        finally:
            await self._drop(name)

    async def drop_templates(self) -> None:
        """The templates are gone."""
        for name in self._templates.values():
            await self._drop(name)
        self._templates.clear()

    async def _migrated(self, project: Project) -> str:
        """The name of a database that the project has been started on once: its tables, its default data."""
        name = await self._make("template0")
        try:
            with tempfile.TemporaryDirectory(prefix="starling-test-") as folder:
                async with started(project, self._url(name), Path(folder) / "data", {}):
                    pass
        except BaseException:
            await self._drop(name)
            raise
        return name

    async def _make(self, template: str) -> str:
        name = f"starling_test_{secrets.token_hex(6)}"
        await self._command(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    async def _drop(self, name: str) -> None:
        await self._command(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _url(self, name: str) -> str:
        return urlunsplit(urlsplit(self._server_url)._replace(path=f"/{name}"))

    async def _command(self, sql: str) -> None:
        connection = await asyncpg.connect(self._server_url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextmanager
def databases_on(server_url: str) -> Iterator[Databases]:
    """Databases on that server; the templates are dropped after the block."""
    databases = Databases(server_url)
    try:
        yield databases
    finally:
        with asyncio.Runner() as runner:  # outside of any test's event loop
            runner.run(databases.drop_templates())
