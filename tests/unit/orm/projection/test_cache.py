"""Compiled projections are kept for the fields and rights that they were made for, and not without bound."""

import itertools
import math
from typing import Any

import pytest

from orm import FilterError, Grant, Operation, Registry
from orm.access import UNLIMITED
from orm.filters.parse import parse_filter
from orm.metadata import ModelMeta
from orm.projection import Projection, ProjectionCache, Related
from tests.support.library import LIBRARY
from tests.support.models import SHOP

REGISTRY = Registry.compose(SHOP)
PRODUCT, CATEGORY = REGISTRY.model("product"), REGISTRY.model("category")
FIELDS = ("name", "category_id.name")


def under(name: str) -> Related:
    """The rights of somebody who may read the categories that are called so."""

    def related(model: ModelMeta, operation: Operation = "read") -> Grant:
        return Grant(parse_filter(CATEGORY, [["name", "=", name]]))

    return related


def not_seeing(*hidden: str) -> Related:
    """The rights of somebody who may not read some fields of categories."""

    def related(model: ModelMeta, operation: Operation = "read") -> Grant:
        return Grant(hidden=frozenset(hidden))

    return related


def kept(cache: ProjectionCache, related: Related | None, fields: tuple[str, ...] = FIELDS) -> Projection:
    return cache.get(PRODUCT, fields, grant=UNLIMITED, related=related)[0]


def test_askers_under_rules_of_one_shape_share_a_projection_and_have_values_of_their_own() -> None:
    cache = ProjectionCache()
    one, of_one = cache.get(PRODUCT, FIELDS, grant=UNLIMITED, related=under("a"))
    other, of_other = cache.get(PRODUCT, FIELDS, grant=UNLIMITED, related=under("b"))
    assert one is other
    assert (of_one.joins, of_other.joins) == (("a",), ("b",))


def test_askers_whose_rights_differ_do_not_drive_each_others_projections_out() -> None:
    cache = ProjectionCache()
    askers = [None, under("a"), not_seeing("parent_id")]
    first = [kept(cache, asker) for asker in askers]
    assert len(set(map(id, first))) == 3
    assert [kept(cache, asker) for asker in askers] == first


def test_only_so_many_variants_and_lists_of_fields_are_kept() -> None:
    cache = ProjectionCache(capacity=2, variants=2)
    oldest = kept(cache, None)
    for asker in (under("a"), not_seeing("parent_id")):
        kept(cache, asker)
    assert kept(cache, None) is not oldest

    recent = kept(cache, None)
    for fields in (("name",), ("price",)):
        kept(cache, None, fields)
    assert kept(cache, None) is not recent


def test_a_number_that_is_none_is_not_null_among_the_options_of_a_relation() -> None:
    cache = ProjectionCache()
    author = Registry.compose(LIBRARY).model("author")

    def refined(value: Any) -> Projection:
        nested = {"books": {"filter": [["price", "=", value]]}}
        return cache.get(author, None, grant=UNLIMITED, related=None, nested=nested)[0]

    assert refined(None) is refined(None)
    with pytest.raises(FilterError):
        refined(math.nan)
    assert refined(5) is not refined(None)


def test_an_order_is_worked_out_once_and_not_without_bound() -> None:
    projection = kept(ProjectionCache(), None)
    ordered = projection.ordered(["-price", "name"])
    assert projection.ordered(["-price", "name"]) is ordered
    assert ordered.extra == ("price",)
    assert ordered.positions == (projection.width, projection.names.index("name"), 0)
    names = ["code", "kind", "price", "stock", "weight", "rating", "views"]
    for one, other in itertools.permutations(names, 2):
        for sign in ("", "-"):
            projection.ordered([one, f"{sign}{other}"])
    assert projection.ordered(["-price", "name"]) is not ordered
