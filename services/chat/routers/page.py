"""/chat and its files: the page, as plain files of this package. Public, because signing in is in it."""

from typing import Final

from starlette.responses import Response

from app.core.errors import NotFound
from app.http.bodies import Request
from app.http.files import PAGE_POLICY, file_answer, read_files
from app.http.routing import Content, Router

router_public = Router(prefix="/chat", tags=("page",))

CONTENT_SECURITY_POLICY: Final = f"{PAGE_POLICY}; require-trusted-types-for 'script'; trusted-types 'none'"
"""Trusted types without any policy: the browser itself refuses to make markup of a text."""

FILES: Final = read_files("services.chat", "page")
"""What is served, by name."""


@router_public.get("", name="chat_page", responses={200: Content("text/html"), 304: None})
async def page(request: Request) -> Response:
    """The page where people chat."""
    return file_answer(request, FILES["index.html"], policy=CONTENT_SECURITY_POLICY)


@router_public.get("/{file}", name="chat_page_file", responses={304: None})
async def page_file(request: Request) -> Response:
    """A script, a style or an image of the page."""
    found = FILES.get(request.path_params["file"])
    if found is None:
        raise NotFound("The page has no such file.")
    return file_answer(request, found, policy=CONTENT_SECURITY_POLICY)
