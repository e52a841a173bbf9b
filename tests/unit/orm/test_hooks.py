"""Which hooks a model has, and declarations of them that cannot work."""

from collections.abc import Sequence
from typing import Any

import pytest

from orm import Char, DeclarationError, DotModel, Registry
from orm.hooks import HOOKS


class Plain(DotModel):
    __table__ = "plains"

    name: str | None = Char()


class Stamped(DotModel):
    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        await super().before_update(ids, values)


class Careful(Stamped):
    __table__ = "careful"

    @classmethod
    async def after_delete(cls, ids: Sequence[int]) -> None:
        await super().after_delete(ids)


def test_a_model_knows_which_hooks_it_or_a_mixin_has() -> None:
    registry = Registry.compose({"plain": Plain, "careful": Careful})
    assert registry.of(Plain).hooks == frozenset()
    assert registry.of(Plain).attended == frozenset()
    assert registry.of(Careful).hooks == {"before_update", "after_delete"}
    assert registry.of(Careful).attended == {"update", "delete"}


def test_a_hook_of_an_extension_counts() -> None:
    registry = Registry.compose({"plain": Plain}, {"plains": [Stamped]})
    assert registry.of(Plain).hooks == {"before_update"}


@pytest.mark.parametrize("name", HOOKS)
def test_a_field_cannot_be_named_like_a_hook(name: str) -> None:
    with pytest.raises(DeclarationError, match=f"named like the verb `{name}`"):
        type("Wrong", (DotModel,), {"__table__": "wrong", name: Char()})


async def _without_class(self: Any, ids: Any) -> None:
    pass


def _not_awaitable(cls: Any, ids: Any) -> None:
    pass


@pytest.mark.parametrize(
    "hook", [_without_class, classmethod(_not_awaitable), None], ids=["plain", "sync", "none"]
)
def test_a_hook_that_cannot_be_awaited_on_the_class_is_refused(hook: Any) -> None:
    wrong = type("Wrong", (DotModel,), {"__table__": "wrong", "after_delete": hook})
    with pytest.raises(DeclarationError, match=r"Wrong\.after_delete is a hook: declare it as `@classmethod"):
        Registry.compose({"wrong": wrong})


def test_an_audit_that_is_neither_on_nor_off_is_refused() -> None:
    wrong = type("Wrong", (DotModel,), {"__table__": "wrong", "__audit__": "yes"})
    with pytest.raises(DeclarationError, match=r"Wrong\.__audit__ is 'yes'"):
        Registry.compose({"wrong": wrong})


def test_a_word_about_versions_that_is_none_is_refused() -> None:
    wrong = type("Wrong", (DotModel,), {"__table__": "wrong", "__if_match__": "always"})
    with pytest.raises(DeclarationError, match=r"Wrong\.__if_match__ is 'always'"):
        Registry.compose({"wrong": wrong})


@pytest.mark.parametrize("name", ["xmin", "ctid", "tableoid"])
def test_a_field_cannot_be_named_like_a_column_that_every_table_has(name: str) -> None:
    with pytest.raises(DeclarationError, match="has a column"):
        type("Wrong", (DotModel,), {"__table__": "wrong", name: Char()})
