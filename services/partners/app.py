"""The manifest of the partners module."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from app.core.access_presets import ACL, RulePreset
from app.core.service import App, Info

_WRITING: Final = ACL.CREATE | ACL.UPDATE | ACL.DELETE


class Partners(App):
    """Everybody reads all partners and writes his own; managers write all of them, and the categories."""

    info = Info(
        name="partners",
        summary="People and companies that one deals with, in categories.",
        depends=("security", "users"),
    )
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = {
        "partners": {"base_user": ACL.FULL, "manager": ACL.FULL},
        "partner_categories": {"base_user": ACL.READ_ONLY, "manager": ACL.FULL},
    }
    rules: ClassVar[Sequence[RulePreset]] = (
        RulePreset(
            "partners_own",
            "partners",
            [["owner_id", "=", "{{user_id}}"]],
            role="base_user",
            operations=_WRITING,
        ),
        # A manager is a base user as well, and rules of one's roles are OR-ed: this one opens every row.
        RulePreset("partners_all", "partners", [], role="manager", operations=_WRITING),
    )
