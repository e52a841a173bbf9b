"""/openapi.json, and the page that shows it."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.environment import Environment
from app.http.files import PAGE_POLICY, file_answer
from app.http.routing import Content, Router
from app.openapi import Documentation
from services.dotorm_crud_auto.app import CrudAutoService

router_public = Router(tags=("documentation",))

_POLICY: Final = f"{PAGE_POLICY}; require-trusted-types-for 'script'; trusted-types 'none'"
"""Trusted types without any policy: the browser itself refuses to make markup of a text."""


@router_public.get("/openapi.json", responses={200: Content("application/json", dict), 304: None})
async def openapi(request: Request) -> Response:
    """This document (OpenAPI 3.1). Packed by gzip for who accepts it."""
    return file_answer(request, await _documentation(request).document())


@router_public.get("/docs", responses={200: Content("text/html"), 304: None})
async def docs(request: Request) -> Response:
    """This document, for people: a page that needs nothing from elsewhere."""
    return file_answer(request, _documentation(request).page, policy=_POLICY)


async def docs_file(request: Request) -> Response:
    """A script or a style sheet of the page."""
    return file_answer(request, _documentation(request).file(request.path_params["name"]), policy=_POLICY)


router_public.routes.append(Route("/docs/{name}", docs_file, include_in_schema=False))


def _documentation(request: Request) -> Documentation:
    env: Environment = request.app.state.env
    return env.service(CrudAutoService).documentation
