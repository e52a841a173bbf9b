"""Signing in, staying signed in, signing out."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.auth_token import actions
from services.auth_token.actions import Device, SignedIn
from services.auth_token.schemas import Credentials, RefreshRequest

router_public = Router(tags=("sign-in",))
router_private = Router(tags=("sign-in",))


@router_public.post("/signin", body=Credentials)
async def sign_in(request: Request, body: Credentials) -> Reply:
    """Sign in with login and password.

    401 in the same words for an unknown login, a wrong password and a disabled user.
    """
    return _unstored(await actions.sign_in(body.login, body.password, _device(request)))


@router_public.post("/token/refresh", body=RefreshRequest)
async def refresh(request: Request, body: RefreshRequest) -> Reply:
    """Get new tokens for a refresh token, which is good for one use.

    Within 10 seconds of its first use a repeat gets tokens of the same session, too; later it ends the
    session.
    """
    return _unstored(await actions.refresh_session(body.refresh_token, _device(request)))


@router_private.post("/logout")
async def sign_out(request: Request) -> None:
    """End the session that asks."""
    await actions.sign_out(access_session())


def _device(request: Request) -> Device:
    address = request.client.host if request.client is not None else None
    return Device(address=address, user_agent=request.headers.get("user-agent"))


def _unstored(tokens: SignedIn) -> Reply:
    """The answer with tokens, which no cache may keep (RFC 6749, section 5.1)."""
    return Reply(tokens, headers={"Cache-Control": "no-store"})
