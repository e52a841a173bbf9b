"""How models are composed: extended, resolved, and kept apart from each other's registries."""

import re

import pytest

from orm import Char, DeclarationError, DotModel, Integer, Many2many, Many2one, Ref, Registry, UsageError
from tests.support.models import SHOP, Category, Product


class Colour(DotModel):
    colour: str | None = Char()


class Size(DotModel):
    size: int | None = Integer()

    def is_large(self) -> bool:
        return bool(self.size and self.size > 10)


def test_a_module_adds_fields_and_methods_to_another_ones_model() -> None:
    registry = Registry.compose(SHOP, {"products": [Colour, Size]})
    composed = registry.names()["product"]
    assert issubclass(composed, Product)
    assert {"colour", "size", "name"} <= set(composed.__fields__)
    large = composed(size=11)
    assert isinstance(large, Size)
    assert large.is_large()
    assert "colour" not in Product.__fields__


def test_two_registries_share_nothing() -> None:
    plain, extended = Registry.compose(SHOP), Registry.compose(SHOP, {"products": [Colour]})
    assert "colour" not in plain.model("product").fields
    assert "colour" in extended.model("product").fields
    assert plain.model("product").targets["category_id"] is plain.model("category")
    assert extended.model("product").targets["category_id"] is extended.model("category")


def test_the_declared_class_leads_to_the_composed_one() -> None:
    registry = Registry.compose(SHOP)
    assert registry.of(Product) is registry.model("product")
    assert registry.of(registry.names()["product"]) is registry.model("product")


def test_a_model_of_no_registry_is_named() -> None:
    registry = Registry.compose({"category": Category})
    with pytest.raises(UsageError, match="Product is not among the Models"):
        registry.of(Product)


class Lost(DotModel):
    __table__ = "losts"
    other_id: int | None = Many2one("nowhere")


class Unnamed(DotModel):
    name: str | None = Char()


class SameTable(DotModel):
    __table__ = "categories"


class BadTable(DotModel):
    __table__ = "Bad Table"


class BadIndex(DotModel):
    __table__ = "bads"
    __indexes__ = (("nothing",),)


class BadCrud(DotModel):
    __table__ = "bads"
    __auto_crud__ = "write"  # type: ignore[assignment]


class NameAgain(DotModel):
    name: str | None = Char()


class WithTable(DotModel):
    __table__ = "tables"


class SameRoute(DotModel):
    __table__ = "bads"
    __route__ = "categories"


class Ghost(DotModel):
    __table__ = "ghosts"
    other_id: int | None = Many2one(lambda: Undefined)  # type: ignore[name-defined]  # noqa: F821


class Linked(DotModel):
    __table__ = "linkeds"
    ones: list["Category"] = Many2many("categories", table="links", column1="a_id", column2="b_id")
    twos: list["Category"] = Many2many("categories", table="links", column1="a_id", column2="c_id")


class Tabled(DotModel):
    __table__ = "tableds"
    ones: list["Category"] = Many2many("categories", table="categories", column1="a_id", column2="b_id")


@pytest.mark.parametrize(
    ("models", "extensions", "sentence"),
    [
        ({"lost": Lost}, {}, "Lost.other_id points at table 'nowhere'"),
        ({"unnamed": Unnamed}, {}, "Unnamed has no __table__"),
        ({"a": Category, "b": SameTable}, {}, "both use table 'categories'"),
        ({"bad": BadTable}, {}, "BadTable.__table__ is 'Bad Table'"),
        ({"bad": BadIndex}, {}, "BadIndex.__indexes__ names 'nothing'"),
        ({"bad": BadCrud}, {}, "BadCrud.__auto_crud__ is 'write'"),
        ({"a": Category, "b": SameRoute}, {}, "SameRoute and Category both have the route 'categories'"),
        (
            {"ghost": Ghost},
            {},
            "Ghost.other_id: the model that it points at cannot be told: name 'Undefined'",
        ),
        ({"a": Category, "b": Linked}, {}, "Linked.twos and Linked.ones both use the link table 'links'"),
        ({"a": Category, "b": Tabled}, {}, "Tabled.ones: table='categories' is the table of Category"),
        ({"text": str}, {}, "only DotModel classes can be registered"),
        (SHOP, {"products": [NameAgain]}, "NameAgain.name: Product has a field 'name' already"),
        (SHOP, {"products": [WithTable]}, "an extension has none"),
        (SHOP, {"nowhere": [Colour]}, "extends table 'nowhere'"),
    ],
)
def test_models_that_cannot_be_composed_are_refused(models: dict, extensions: dict, sentence: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(DeclarationError) as refusal:
        Registry.compose(models, extensions)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize("route", ["a/b", "/a", "a b", "é", "{id}", ".hidden"])
def test_a_route_is_one_plain_segment(route: str) -> None:
    class Odd(DotModel):
        __table__ = "odd"
        __route__ = route

    with pytest.raises(DeclarationError, match=r"Odd\.__route__ is"):
        Registry.compose({"odd": Odd})


class Hen(DotModel):
    __table__ = "hens"
    egg_id: Ref["Egg"] = Many2one("eggs", required=True)


class Egg(DotModel):
    __table__ = "eggs"
    nest_id: Ref["Nest"] = Many2one("nests", required=True)


class Nest(DotModel):
    __table__ = "nests"
    hen_id: Ref["Hen"] = Many2one("hens", required=True)


class Own(DotModel):
    __table__ = "owns"
    own_id: Ref["Own"] = Many2one("owns", required=True)


@pytest.mark.parametrize(
    ("models", "chain"),
    [
        ({"hen": Hen, "egg": Egg, "nest": Nest}, "Hen.egg_id -> Egg.nest_id -> Nest.hen_id -> Hen"),
        ({"own": Own}, "Own.own_id -> Own"),
    ],
)
def test_rows_that_need_each_other_first_are_refused(models: dict[str, type[DotModel]], chain: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(f"{chain}: each row needs another one first")):
        Registry.compose(models)
