"""The manifest of the shop."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from app.core.access_presets import ACL, RulePreset
from app.core.service import App, Info


class Shop(App):
    """Everybody has products of his own, and sees nobody else's."""

    info = Info(name="shop", summary="Products of a benchmark.", depends=("security", "users"))
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = {
        "products": {"base_user": ACL.FULL},
        "categories": {"base_user": ACL.READ_ONLY},
    }
    rules: ClassVar[Sequence[RulePreset]] = (
        RulePreset("products_own", "products", [["owner_id", "=", "{{user_id}}"]], role="base_user"),
    )
