"""Who may do what in the office. tests/integration/access/oracle.py says the same in SQL."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from app.core.access_presets import ACL, RolePreset, RulePreset
from app.core.service import App, Info

_OWN: Final = [["owner_id", "=", "{{user_id}}"]]
_CHANGE: Final = ACL.UPDATE | ACL.DELETE


class Office(App):
    """See the package."""

    info = Info(name="office", summary="For the access matrix.", depends=("security", "users"))
    roles: ClassVar[Sequence[RolePreset]] = (
        RolePreset("clerk", "Clerk", based_on=("base_user",)),
        RolePreset("auditor", "Auditor"),
        RolePreset("boss", "Boss", based_on=("auditor", "clerk")),
    )
    access: ClassVar[Mapping[str, Mapping[str, ACL]]] = {
        "folders": {"clerk": ACL.FULL, "auditor": ACL.READ_ONLY},
        "papers": {"clerk": ACL.FULL, "auditor": ACL.READ_ONLY},
        "paper_lines": {"clerk": ACL.FULL},
        "tags": {"clerk": ACL.READ_ONLY, "boss": ACL.FULL},
        "drawers": {"clerk": ACL.CREATE | ACL.UPDATE | ACL.DELETE},
    }
    rules: ClassVar[Sequence[RulePreset]] = (
        RulePreset(
            "folders_seen",
            "folders",
            [["or", *_OWN, ["is_open", "=", True]]],
            role="clerk",
            operations=ACL.READ,
        ),
        RulePreset("folders_own", "folders", _OWN, role="clerk", operations=ACL.CREATE | _CHANGE),
        RulePreset("folders_audited", "folders", [], role="auditor", operations=ACL.READ),
        RulePreset(
            "papers_filed",
            "papers",
            [["folder_id", "allowed", "read"]],
            role="clerk",
            operations=ACL.CREATE | ACL.READ,
        ),
        RulePreset(
            "papers_written",
            "papers",
            [["author_id", "=", "{{user_id}}"], ["folder_id", "allowed", "read"]],
            role="clerk",
            operations=_CHANGE,
        ),
        RulePreset("papers_audited", "papers", [], role="auditor", operations=ACL.READ),
        RulePreset("papers_unsealed", "papers", [["status", "!=", "sealed"]]),
        RulePreset("lines_read", "paper_lines", [["paper_id", "allowed", "read"]], operations=ACL.READ),
        RulePreset(
            "lines_written",
            "paper_lines",
            [["paper_id", "allowed", "update"]],
            role="clerk",
            operations=ACL.CREATE | _CHANGE,
        ),
        RulePreset("tags_public", "tags", [["is_public", "=", True]], role="clerk"),
        RulePreset("tags_all", "tags", [], role="boss"),
    )
