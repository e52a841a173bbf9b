"""Who may do what, in plain SQL: what tests/integration/access/office/app.py and the modules' manifests say,
said once more by hand.

`t` is the row in question and $1 the id of the asker. An operation that is not named is denied on the whole
table. A table of the API that is not in here fails the tests: write down who may do what with it."""

from collections.abc import Mapping
from typing import Final

Predicates = Mapping[str, str]

EVERYTHING: Final[Predicates] = dict.fromkeys(("create", "read", "update", "delete"), "true")
NOTHING: Final[Predicates] = {}


def _writing(predicate: str) -> dict[str, str]:
    return dict.fromkeys(("create", "update", "delete"), predicate)


_UNSEALED: Final = "status <> 'sealed'"
_SEEN_BY_CLERK: Final = (
    "EXISTS (SELECT FROM folders f WHERE f.id = {0}.folder_id AND (f.owner_id = $1 OR f.is_open))"
)
_FILED: Final = "{0}.folder_id IS NOT NULL"


def _paper(alias: str, folder: str, *, is_own: bool = False) -> str:
    own = f" AND {alias}.author_id = $1" if is_own else ""
    return f"({alias}.{_UNSEALED} AND {folder.format(alias)}{own})"


def _line(folder: str, *, is_own: bool = False) -> str:
    return f"EXISTS (SELECT FROM papers p WHERE p.id = t.paper_id AND {_paper('p', folder, is_own=is_own)})"


_PARTNERS: Final[Mapping[str, Predicates]] = {
    "partners": {"read": "true", **_writing("t.owner_id = $1")},
    "partner_categories": {"read": "true"},
    "users": {"read": "t.active"},
}
_CHATS: Final[Mapping[str, Predicates]] = {
    "chats": {"read": "EXISTS (SELECT FROM chat_members m WHERE m.chat_id = t.id AND m.user_id = $1)"},
    "chat_members": {
        "read": "EXISTS (SELECT FROM chat_members m WHERE m.chat_id = t.chat_id AND m.user_id = $1)"
    },
    "chat_messages": {
        "read": "EXISTS (SELECT FROM chat_members m WHERE m.chat_id = t.chat_id AND m.user_id = $1"
        " AND (m.can_read OR m.is_admin))"
    },
}

BASE_USER: Final = {**_PARTNERS, **_CHATS}

CLERK: Final = {
    **BASE_USER,
    "folders": {"read": "t.owner_id = $1 OR t.is_open", **_writing("t.owner_id = $1")},
    "papers": {
        **_writing(_paper("t", _SEEN_BY_CLERK, is_own=True)),
        "create": _paper("t", _SEEN_BY_CLERK),
        "read": _paper("t", _SEEN_BY_CLERK),
    },
    "paper_lines": {"read": _line(_SEEN_BY_CLERK), **_writing(_line(_SEEN_BY_CLERK, is_own=True))},
    "tags": {"read": "t.is_public"},
    "drawers": _writing("true"),
}

AUDITOR: Final = {"folders": {"read": "true"}, "papers": {"read": f"t.{_UNSEALED}"}}

BOSS: Final = {
    **CLERK,
    "folders": {"read": "true", **_writing("t.owner_id = $1")},
    "papers": {
        **_writing(_paper("t", _FILED, is_own=True)),
        "create": _paper("t", _FILED),
        "read": f"t.{_UNSEALED}",
    },
    "paper_lines": {
        "read": f"EXISTS (SELECT FROM papers p WHERE p.id = t.paper_id AND p.{_UNSEALED})",
        **_writing(_line(_FILED, is_own=True)),
    },
    "tags": EVERYTHING,
}

MANAGER: Final = {**BASE_USER, "partners": EVERYTHING, "partner_categories": EVERYTHING}

_TABLES: Final = (
    *("folders", "papers", "paper_lines", "tags", "drawers", "partners", "partner_categories"),
    *("roles", "access_lists", "rules"),
)
ADMINISTRATOR: Final = {
    **dict.fromkeys(_TABLES, EVERYTHING),
    **_CHATS,  # whom no right makes a member
    "users": dict.fromkeys(("read", "update", "delete"), "true"),
    "audit_log": {"read": "true"},
}

KNOWN: Final = frozenset(ADMINISTRATOR)
"""Every table of the API."""

KEPT_FOR: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("folders", "budget"): frozenset({"auditor", "boss"}),
    ("papers", "grade"): frozenset({"auditor", "boss"}),
    ("partners", "credit_limit"): frozenset({"manager"}),
    **dict.fromkeys(
        [("users", name) for name in ("is_admin", "active", "role_ids", "created_at")], frozenset[str]()
    ),
}
"""Fields that only some kinds of askers, and administrators, read."""

WRITTEN_BY: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("folders", "budget"): frozenset({"boss"}),
    ("papers", "grade"): frozenset({"boss"}),
    ("partners", "credit_limit"): frozenset({"manager"}),
}
"""Fields that only some kinds of askers, and administrators, write."""

PRIVATE: Final = frozenset(
    {
        ("papers", "pin"),
        ("users", "password_hash"),
        ("users", "credentials_version"),
        ("chats", "last_message_id"),
        ("chats", "active_at"),
        ("chats", "direct_key"),
        ("chats", "gone_at"),
        ("chats", "message_count"),
        ("chat_members", "joined_seq"),
        ("chat_members", "admitted_at"),
        ("chat_members", "admitted_seq"),
        ("chat_members", "pinned_at"),
        ("chat_members", "read_count"),
        ("chat_messages", "nonce"),
        ("chat_messages", "number"),
        ("chat_messages", "words"),
        ("chat_messages", "seq"),
    }
)
"""Fields that nobody reads over the API."""
