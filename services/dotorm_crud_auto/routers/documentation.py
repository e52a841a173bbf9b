"""/openapi.json, and the page that shows it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.core.environment import Environment
from app.http.files import file_answer
from app.http.routing import Router
from app.openapi import Documentation
from services.dotorm_crud_auto.app import CrudAutoService

router_public = Router(tags=("documentation",))


@router_public.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """This document (OpenAPI 3.1)."""
    return file_answer(request, await _documentation(request).document())


@router_public.get("/docs")
async def docs(request: Request) -> Response:
    """This document, for people: a page that needs nothing from elsewhere."""
    return file_answer(request, _documentation(request).page)


async def docs_file(request: Request) -> Response:
    """A script or a style sheet of the page."""
    return file_answer(request, _documentation(request).file(request.path_params["name"]))


router_public.routes.append(Route("/docs/{name}", docs_file, include_in_schema=False))


def _documentation(request: Request) -> Documentation:
    env: Environment = request.app.state.env
    return env.service(CrudAutoService).documentation
