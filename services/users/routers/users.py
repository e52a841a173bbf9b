"""Users, for administrators. Reading is made from the model; every write goes through the actions."""

from app.crud.preconditions import versions_named
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.users import actions
from services.users.models import User
from services.users.schemas import NewUser, UserChanges

router_private = Router(prefix="/api/users", tags=("users",))


@router_private.post("", body=NewUser, status=201)
async def create_user(request: Request, body: NewUser) -> Reply[User]:
    """Make a user. The password is never shown again."""
    user = await actions.create_user(
        login=body.login,
        password=body.password,
        name=body.name,
        is_admin=body.is_admin,
        role_ids=body.role_ids,
    )
    return Reply(user, headers={"Location": f"/api/users/{user.id}"})


@router_private.patch("/{id:int}", body=UserChanges, responses={412: None})
async def update_user(request: Request, body: UserChanges) -> User:
    """Change a user.

    A new password, or `active: false`, ends all sessions of the user. `role_ids` are all his roles from then
    on. 409 when no active administrator would be left.
    """
    return await actions.update_user(
        request.path_params["id"],
        login=body.login,
        name=body.name,
        password=body.password,
        is_admin=body.is_admin,
        active=body.active,
        role_ids=body.role_ids,
        versions=versions_named(request.scope),
    )


@router_private.delete("/{id:int}", responses={412: None})
async def delete_user(request: Request) -> None:
    """Remove a user whom nothing refers to. 409 when something does; then disable the user instead."""
    await actions.delete_user(request.path_params["id"], versions=versions_named(request.scope))
