"""Signing in, staying signed in, signing out."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.core.access import session_only
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.auth_token import actions, device_cookies
from services.auth_token.actions import Device, SignedIn
from services.auth_token.schemas import Credentials, RefreshRequest

SIGN_IN: Final = "/signin"

_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})

router_public = Router(tags=("sign-in",))
router_private = Router(tags=("sign-in",))


@router_public.post(SIGN_IN, body=Credentials)
async def sign_in(request: Request, body: Credentials) -> Reply[SignedIn]:
    """Sign in with login and password.

    401 in the same words for an unknown login, a wrong password and a disabled user; 429 when that happened
    too often. A cookie, which gives no rights, lets the device be known again: strangers who guess passwords
    cannot lock a user out of it.
    """
    device = _device(request)
    tokens = await actions.sign_in(body.login, body.password, device)
    cookie = _cookie(request, actions.device_cookie(body.login, device))
    return _unstored(tokens, {"Set-Cookie": cookie})


@router_public.post("/token/refresh", body=RefreshRequest)
async def refresh(request: Request, body: RefreshRequest) -> Reply[SignedIn]:
    """Get new tokens for a refresh token, which is good for one use.

    Within 10 seconds of its first use a repeat gets tokens of the same session, too; later it ends the
    session.
    """
    return _unstored(await actions.refresh_session(body.refresh_token, _device(request)))


@router_private.post("/logout")
async def sign_out(request: Request) -> None:
    """End the session that asks."""
    await actions.sign_out(session_only())


def _device(request: Request) -> Device:
    address = request.client.host if request.client is not None else None
    return Device(address, request.headers.get("user-agent"), request.cookies.get(device_cookies.NAME))


def _cookie(request: Request, value: str) -> str:
    path = f"{request.scope.get('root_path', '')}{SIGN_IN}"
    attributes = f"Max-Age={device_cookies.SECONDS}; Path={path}; HttpOnly; SameSite=Strict"
    secure = "; Secure" if request.url.scheme == "https" else ""
    return f"{device_cookies.NAME}={value}; {attributes}{secure}"


def _unstored(tokens: SignedIn, headers: Mapping[str, str] = _NO_HEADERS) -> Reply[SignedIn]:
    """The answer with tokens, which no cache may keep (RFC 6749, section 5.1)."""
    return Reply(tokens, headers={"Cache-Control": "no-store", **headers})
