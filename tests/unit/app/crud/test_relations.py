import pytest

from app.crud.relations import commands_of, given_by_relation, wants_if_match
from orm import Char, DotModel, Many2many, Many2one, One2many, Ref, Registry
from orm.verbs.relations import COMMANDS
from tests.integration.app.crud.world import MODELS

REGISTRY = Registry.compose(MODELS)


class Order(DotModel):
    __table__ = "orders"
    lines: list["Line"] = One2many("lines", "order_id")
    fixed: list["Line"] = One2many("lines", "fixed_order_id")
    secret: list["Line"] = One2many("lines", "secret_order_id")
    shown: list["Line"] = One2many("lines", "order_id", readonly=True)
    kept: list["Line"] = One2many("lines", "order_id", private=True)
    guarded: list["Guarded"] = Many2many("guarded", table="og", column1="order_id", column2="guarded_id")


class Line(DotModel):
    __table__ = "lines"
    name: str = Char(required=True)
    order_id: Ref[Order] | None = Many2one("orders")
    fixed_order_id: Ref[Order] | None = Many2one("orders", readonly=True)
    secret_order_id: Ref[Order] | None = Many2one("orders", private=True)


class Guarded(DotModel):
    __table__ = "guarded"
    __if_match__ = "required"


ORDERS = Registry.compose({"order": Order, "line": Line, "guarded": Guarded})

EVERYTHING = set(COMMANDS)


@pytest.mark.parametrize(
    ("registry", "model", "name", "commands"),
    [
        (REGISTRY, "person", "tasks", EVERYTHING),
        (REGISTRY, "task", "labels", EVERYTHING),
        (REGISTRY, "task", "notes", set()),  # only read in its own place
        (REGISTRY, "person", "accounts", {"create"}),  # changed by who names a version
        (ORDERS, "order", "lines", EVERYTHING),
        (ORDERS, "order", "fixed", {"create", "update", "delete"}),  # no row may be moved
        (ORDERS, "order", "secret", set()),
        (ORDERS, "order", "shown", set()),
        (ORDERS, "order", "kept", set()),
        (ORDERS, "order", "guarded", {"set", "unlink", "link", "create"}),
    ],
)
def test_a_relation_takes_what_its_rows_take_in_their_own_place(
    registry: Registry, model: str, name: str, commands: set[str]
) -> None:
    assert commands_of(registry.model(model), name) == commands


def test_the_relation_gives_the_reference_of_a_new_row() -> None:
    assert given_by_relation(REGISTRY.model("person"), "tasks") == "owner_id"
    assert given_by_relation(REGISTRY.model("task"), "labels") is None


def test_a_model_says_whether_it_wants_to_be_told_the_version() -> None:
    assert wants_if_match(REGISTRY.model("account"))
    assert not wants_if_match(REGISTRY.model("task"))
