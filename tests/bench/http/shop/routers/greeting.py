"""A route that everybody may ask, signed in or not: the two differ by what a token costs."""

from app.http.bodies import Request
from app.http.routing import Router

router_public = Router(prefix="/greeting")


@router_public.get("")
async def greet(request: Request) -> dict[str, str]:
    """Hello."""
    return {"hello": "everybody"}
