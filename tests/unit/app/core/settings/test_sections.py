from typing import Annotated

import msgspec
import pytest
from msgspec import Meta

from app.core.settings import SECRET, Section, catalog


class _Inner(Section, frozen=True, kw_only=True):
    secret: Annotated[str | None, SECRET, Meta(description="Opens it.")] = None
    size: Annotated[int, Meta(description="In metres.")]


class _Outer(Section, frozen=True, kw_only=True):
    inner: _Inner
    items: Annotated[tuple[str, ...], Meta(description="What is in it.")] = ()


def test_the_catalog_lists_every_variable_with_its_name_path_and_help() -> None:
    found = [(setting.name, setting.path, setting.help) for setting in catalog(_Outer)]

    assert found == [
        ("INNER__SECRET", ("inner", "secret"), "Opens it."),
        ("INNER__SIZE", ("inner", "size"), "In metres."),
        ("ITEMS", ("items",), "What is in it."),
    ]


def test_the_catalog_knows_secrets_and_defaults() -> None:
    secret, size, items = catalog(_Outer)

    assert (secret.is_secret, size.is_secret) == (True, False)
    assert (secret.default, size.default, items.default) == (None, msgspec.NODEFAULT, ())


def test_a_setting_finds_its_value() -> None:
    settings = _Outer(inner=_Inner(size=5))

    assert [setting.value_in(settings) for setting in catalog(_Outer)] == [None, 5, ()]


def test_a_field_without_a_line_of_help_is_refused() -> None:
    class Mute(Section, frozen=True, kw_only=True):
        size: int = 1

    with pytest.raises(TypeError, match=r"Mute\.size has no line of help"):
        catalog(Mute)
