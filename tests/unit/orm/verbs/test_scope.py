"""What a client of the API is bound to and the program is not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from orm import AccessDenied, FilterError, Grant, Operation, Registry, context
from orm.access import UNLIMITED, bind_asker, reset_asker
from orm.filters.parse import BoundFilter, parse_filter
from orm.metadata import ModelMeta
from orm.verbs.scope import Scope
from tests.support.models import SHOP, Category, Product

REGISTRY = Registry.compose(SHOP)
PRODUCT = REGISTRY.of(Product)
OWN = parse_filter(PRODUCT, [["stock", ">", 0]])
OTHER = parse_filter(PRODUCT, [["stock", ">", 5]])


class Grants:
    """A policy that has an answer for each operation on products; categories may be read."""

    def __init__(self, grants: dict[str, Grant]) -> None:
        self._grants = grants

    def grant(self, asker: object | None, model: ModelMeta, operation: Operation) -> Grant:
        """See AccessPolicy."""
        if model.table == "categories":
            return UNLIMITED
        if operation not in self._grants:
            raise AccessDenied(f"no right to {operation}")
        return self._grants[operation]


class Home:
    """A home without a database: nothing in here asks one."""

    registry = REGISTRY
    db: Any = None

    def __init__(self, grants: dict[str, Grant] | None) -> None:
        self.policy = Grants(grants) if grants is not None else None

    def marks(self) -> Mapping[str, str]:
        """See Home."""
        return {}


@contextmanager
def rights(grants: dict[str, Grant] | None) -> Iterator[None]:
    token = bind_asker("somebody")
    try:
        with context.bind(Home(grants)):
            yield
    finally:
        reset_asker(token)


@pytest.mark.parametrize("grants", [None, {"read": UNLIMITED}, {"read": Grant(hidden=frozenset({"price"}))}])
def test_a_private_field_is_hidden_from_the_api_whoever_asks_and_not_from_the_program(
    grants: dict[str, Grant] | None,
) -> None:
    with rights(grants):
        hidden = Scope(Product, "read").grant.hidden
        assert "secret" not in hidden
        assert Scope(Product, "read", api=True).grant.hidden == hidden | {"secret"}


def test_a_private_field_behind_a_relation_is_hidden_from_the_api_too() -> None:
    with rights(None):
        assert Scope(Category, "read").related is None
        related = Scope(Category, "read", api=True).related
        assert related is not None
        assert related(PRODUCT).hidden == {"secret"}


def test_filters_of_the_api_are_limited_and_say_where_they_are_wrong() -> None:
    many = [["id", "in", list(range(1001))]]
    with rights(None):
        assert len(Scope(Product, "read").parse(many).values[0]) == 1001
        with pytest.raises(FilterError) as caught:
            Scope(Product, "read", api=True).parse(many)
    assert [place.pointer for place in caught.value.errors] == ["/filter/0/2"]


@pytest.mark.parametrize(
    ("read", "write", "api", "sight"),
    [
        (OWN, OWN, True, BoundFilter()),  # one rule for both: once is enough
        (parse_filter(PRODUCT, [["stock", ">", 0]]), OWN, True, BoundFilter()),  # the same, made anew
        (OWN, OTHER, True, OWN),
        (OWN, None, True, OWN),
        (None, OWN, True, BoundFilter()),
        (None, None, True, BoundFilter()),
        (OWN, OTHER, False, BoundFilter()),
    ],
)
def test_who_writes_over_the_api_must_see_the_row_by_the_rule_for_reading(
    read: BoundFilter | None, write: BoundFilter | None, api: bool, sight: BoundFilter
) -> None:
    with rights({"read": Grant(read), "update": Grant(write)}):
        assert Scope(Product, "update", api=api).sight() == sight


def test_who_may_not_read_cannot_change_over_the_api() -> None:
    with rights({"update": UNLIMITED, "create": UNLIMITED}):
        assert Scope(Product, "update").sight() == BoundFilter()
        with pytest.raises(AccessDenied):
            Scope(Product, "update", api=True).sight()
        assert Scope(Product, "create", api=True).shown().names == ("id",)


def test_what_was_written_is_shown_as_far_as_it_may_be_read() -> None:
    with rights({"read": Grant(hidden=frozenset({"price"})), "create": UNLIMITED}):
        shown = Scope(Product, "create", api=True).shown().names
    assert set(PRODUCT.columns) - set(shown) == {"price", "secret"}
