"""One's own sessions, and the password that opens them."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.query import query
from app.http.routing import Router
from services.auth_token import actions
from services.auth_token.schemas import PasswordChangeRequest, SessionList, Termination

router_private = Router(tags=("sessions",))


@router_private.get("/sessions")
async def list_sessions(request: Request) -> SessionList:
    """Where one is signed in, the session seen last first."""
    return SessionList(await actions.own_sessions(access_session()))


@router_private.delete("/sessions/{id:int}")
async def end_session(request: Request) -> None:
    """End one of one's own sessions."""
    await actions.end_session(access_session(), request.path_params["id"])


@router_private.post("/sessions/terminate_all")
async def end_all_sessions(request: Request) -> None:
    """End all of one's sessions, this one included unless `keep_current=true`."""
    await actions.end_all_sessions(access_session(), keep_current=query(request, Termination).keep_current)


@router_private.post("/me/password", body=PasswordChangeRequest)
async def change_password(request: Request, body: PasswordChangeRequest) -> None:
    """Change one's own password. All other sessions end."""
    await actions.change_password(access_session(), body.old, body.new)
