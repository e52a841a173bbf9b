"""The document and the page of one application, as files to serve."""

import asyncio
from typing import Final

from app.core.errors import NotFound
from app.http.files import File, read_files
from app.openapi.document import openapi_document
from app.openapi.project import Project

_PAGE: Final = "page.html"
_FILES: Final = read_files("app.openapi", "static")


class Documentation:
    """What /openapi.json and /docs answer.

    The document is made when it is first asked for, which most processes never are, and in a thread: it takes
    some milliseconds for each model (Python 3.11), and other requests should not wait for all of them. It is
    kept packed, too: it repeats itself so much that a fortieth is left.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._made: File | None = None
        self._making = asyncio.Lock()

    async def document(self) -> File:
        """The OpenAPI document."""
        async with self._making:
            if self._made is None:
                self._made = await asyncio.to_thread(_make, self._project)
        return self._made

    @property
    def page(self) -> File:
        """The page that shows the document; it loads the files below `docs/`."""
        return _FILES[_PAGE]

    def file(self, name: str) -> File:
        """A file that the page loads. Raises NotFound."""
        found = _FILES.get(name)
        if found is None or name == _PAGE:
            raise NotFound("There is nothing at this path.")
        return found


def _make(project: Project) -> File:
    return File.of(openapi_document(project), "application/json")
