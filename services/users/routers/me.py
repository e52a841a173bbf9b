"""The user who is signed in."""

from app.core.access import access_session
from app.http.bodies import Request
from app.http.routing import Router
from services.users import actions
from services.users.actions import UserCard
from services.users.schemas import OwnChanges

router_private = Router(tags=("me",))


@router_private.get("/me", any_key=True)
async def read_me(request: Request) -> UserCard:
    """Who is signed in, or whose key it is."""
    return await actions.own_card(access_session().user_id)


@router_private.patch("/me", body=OwnChanges)
async def update_me(request: Request, body: OwnChanges) -> UserCard:
    """Change one's own name."""
    return await actions.rename_oneself(access_session().user_id, body.name)
