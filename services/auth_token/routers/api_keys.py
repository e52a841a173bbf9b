"""One's own API keys. No key can make, list or remove keys: that takes somebody who signed in."""

from app.core.access import session_only
from app.http.bodies import Request
from app.http.replies import Reply
from app.http.routing import Router
from services.auth_token import actions
from services.auth_token.actions import ApiKeyCard
from services.auth_token.schemas import ApiKeyList, NewApiKey

router_private = Router(prefix="/api_keys", tags=("API keys",))


@router_private.get("")
async def list_api_keys(request: Request) -> ApiKeyList:
    """One's own keys that are good, the newest first. The keys themselves are never shown again."""
    return ApiKeyList(await actions.own_api_keys(session_only()))


@router_private.post("", body=NewApiKey, status=201)
async def create_api_key(request: Request, body: NewApiKey) -> Reply[ApiKeyCard]:
    """Make a key that may do what one may oneself, as far as its scopes go.

    `key` in the answer is the key: it is shown this once. Send it as `Authorization: Bearer <key>`.
    """
    made = await actions.create_api_key(session_only(), body.name, body.scopes, body.expires_at)
    headers = {"Location": f"/api_keys/{made.id}", "Cache-Control": "no-store"}
    return Reply(made, headers=headers)


@router_private.delete("/{id:int}")
async def remove_api_key(request: Request) -> None:
    """Remove one of one's own keys. It is refused everywhere within a second."""
    await actions.revoke_api_key(session_only(), request.path_params["id"])
