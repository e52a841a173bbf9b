"""Compiled projections are kept for the fields and rights that they were made for, and not without bound."""

from orm import Grant, Operation, Registry
from orm.access import UNLIMITED
from orm.filters.parse import parse_filter
from orm.metadata import ModelMeta
from orm.projection import Projection, ProjectionCache, Related
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
    assert (of_one.joins, of_other.joins) == (["a"], ["b"])


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
