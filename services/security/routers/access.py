"""Why a row can, or cannot, be seen and changed by somebody; for administrators."""

import msgspec

from app.core.access import access_session
from app.core.environment import current_environment
from app.core.errors import NotFound
from app.http.bodies import Request
from app.http.routing import Router
from orm.access import OPERATIONS, Operation
from orm.errors import AccessDenied
from services.security.app import SecurityService
from services.security.explain import Explanation, explain

router_private = Router(prefix="/api", tags=("access",))


class AccessQuery(msgspec.Struct, frozen=True):
    """About whom, by id or login (by default the asker), and about which operation (by default all that a
    row can be asked about)."""

    user_id: int | None = None
    login: str | None = None
    operation: Operation | None = None


@router_private.get("/{route}/{id:int}/access", query=AccessQuery)
async def explain_row(request: Request, query: AccessQuery) -> Explanation:
    """Which role, access list and rule let a user get at a row, or hid it from him.

    A row that does not exist is an answer, too. Administrators only.
    """
    asker = access_session()
    if not asker.is_admin:
        raise AccessDenied("Only administrators may ask why somebody has access.")
    env = current_environment()
    route = request.path_params["route"]
    meta = next((one for one in env.registry if one.route == route and one.auto_crud), None)
    if meta is None:
        raise NotFound("There is nothing at this path.")
    is_oneself = query.user_id is None and query.login is None
    return await explain(
        env.db,
        env.service(SecurityService).every_guard,
        meta,
        user_id=asker.user_id if is_oneself else query.user_id,
        login=query.login,
        id=request.path_params["id"],
        operations=OPERATIONS[1:] if query.operation is None else (query.operation,),
    )
