"""One's own sessions, and the password that opens them: for those who signed in, not for API keys."""

from app.core.access import session_only
from app.http.bodies import Request
from app.http.routing import Router
from services.auth_token import actions
from services.auth_token.schemas import PasswordChangeRequest, SessionList, Termination

router_private = Router(tags=("sessions",))


@router_private.get("/sessions")
async def list_sessions(request: Request) -> SessionList:
    """Where one is signed in, the session seen last first."""
    return SessionList(await actions.own_sessions(session_only()))


@router_private.delete("/sessions/{id:int}")
async def end_session(request: Request) -> None:
    """End one of one's own sessions."""
    await actions.end_session(session_only(), request.path_params["id"])


@router_private.post("/sessions/terminate_all", query=Termination)
async def end_all_sessions(request: Request, query: Termination) -> None:
    """End all of one's sessions, this one included unless `keep_current=true`."""
    await actions.end_all_sessions(session_only(), keep_current=query.keep_current)


@router_private.post("/me/password", body=PasswordChangeRequest)
async def change_password(request: Request, body: PasswordChangeRequest) -> None:
    """Change one's own password. All other sessions end."""
    await actions.change_password(session_only(), body.old, body.new)
