"""The roles that users are given."""

from collections.abc import Sequence

from app.core.environment import current_environment
from orm.errors import Place, ValidationError
from services.security.models import Role
from services.users.app import BASE_USER


async def checked_role_ids(role_ids: Sequence[int]) -> set[int]:
    """The ids of roles as given. Raises ValidationError that points at each unknown one, AccessDenied."""
    if not role_ids:
        return set()
    wanted = set(role_ids)
    known = {role.id for role in await Role.search([("id", "in", list(wanted))], ["id"])}
    places = [
        Place(f"/role_ids/{number}", "unknown", f"There is no role {role_id}.")
        for number, role_id in enumerate(role_ids)
        if role_id not in known
    ]
    if places:
        raise ValidationError(places[0].message, errors=places)
    return wanted


async def role_ids_of_codes(codes: Sequence[str]) -> set[int]:
    """The ids of the roles with these codes. Raises ValidationError that names those that there are not."""
    found = {role.code: role.id for role in await Role.search([("code", "in", list(codes))], ["id", "code"])}
    missing = sorted(set(codes) - set(found))
    if missing:
        raise ValidationError(f"There is no role {', '.join(missing)}.")
    return set(found.values())


async def first_role_ids() -> set[int]:
    """The ids of the roles that every new user gets: `base_user`, unless somebody has removed it."""
    with current_environment().system():
        return {role.id for role in await Role.search([("code", "=", BASE_USER)], ["id"])}
