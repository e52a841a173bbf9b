import pytest

from app.http.dispatch import Dispatcher
from app.http.routing import Router
from orm import DotModel
from orm.registry import Registry
from services.auth_token.scopes import route_names, scope_places

ROUTES = frozenset({"partners", "users", "me"})


class Partner(DotModel):
    __table__ = "partners"


class Price(DotModel):
    __table__ = "prices"
    __route__ = "price-list"


class Secret(DotModel):
    __table__ = "secrets"
    __auto_crud__ = False


async def answer(request: object) -> None:
    """Nothing."""


def test_routes_are_the_first_segments_of_private_paths_and_those_of_models() -> None:
    dispatcher = Dispatcher()
    private, public = Router(), Router()
    for path in ("/me", "/me/password", "/chats/{id:int}/messages", "/api/users/{id:int}", "/api/batch", "/"):
        private.get(path)(answer)
    public.get("/signin")(answer)
    dispatcher.include(private, private=True, module="m")
    dispatcher.include(public, private=False, module="m")
    models = Registry.compose({"partner": Partner, "price": Price, "secret": Secret})

    names = route_names(dispatcher.targets, models)

    assert names - {""} == {"me", "chats", "users", "batch", "partners", "price-list"}


@pytest.mark.parametrize(
    "scopes", [["partners:read"], ["*:read", "users:*"], ["*:*"], ["me:update", "me:update"], []]
)
def test_scopes_that_name_routes_are_right(scopes: list[str]) -> None:
    assert list(scope_places(scopes, ROUTES)) == []


def test_each_scope_that_is_none_or_names_nothing_is_told_at_its_place() -> None:
    places = list(scope_places(["partners:read", "partners", "partners:write", "partner:read", ""], ROUTES))

    assert [(place.pointer, place.code) for place in places] == [
        ("/scopes/1", "scope"),
        ("/scopes/2", "scope"),
        ("/scopes/3", "unknown"),
        ("/scopes/4", "scope"),
    ]
    assert places[2].message == "There is no route partner."
