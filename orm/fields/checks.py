"""What a declaration says of a field beside its type: parameters that there are, and an annotation that does
not contradict it."""

from collections.abc import Collection
from typing import Any, Final

_FLAGS: Final = frozenset({"required", "unique", "index", "readonly", "private"})
_ROLES: Final = frozenset({"role_read", "role_create", "role_update"})

_PLAIN: Final = frozenset(
    {"bool", "bytes", "date", "datetime", "Decimal", "float", "int", "list", "str", "time", "UUID"}
)
"""Names in annotations that leave no doubt about what is meant."""

_NUMBERS: Final = frozenset({"Decimal", "float", "int"})


def wrong_option(option: str, value: Any, known: Collection[str]) -> str | None:
    """What is wrong with a parameter that every field takes, `known` are all of them; None for nothing."""
    if option not in known:
        return f"{option}={value!r}: there is no such parameter here; every field takes {', '.join(known)}"
    if option in _FLAGS and not isinstance(value, bool):
        return f"{option}={value!r}: it is True or False"
    if option == "description" and not isinstance(value, str):
        return f"description={value!r}: it is a text"
    if option in _ROLES and not _are_codes(value):
        return f"{option}={value!r}: it is the code of a role, or a list of them"
    return None


def contradiction(hint: Any, python_type: Any) -> str | None:
    """What an annotation says against the type of the values; None for nothing.

    Only plain types are looked at, and numbers of one kind pass for another: the rest is for type checkers
    to say."""
    names, own = plain_names(hint), getattr(python_type, "__name__", "")
    like = _NUMBERS if own in _NUMBERS else {own}
    if own not in _PLAIN or len(names) != 1 or names.isdisjoint(_PLAIN - like):
        return None
    return f"the annotation says {names.pop()}, the values of the field are {own}"


def plain_names(hint: Any) -> set[str]:
    """The last names of the types that an annotation, a type or its text, is a choice of, None left out."""
    text = hint if isinstance(hint, str) else hint.__name__ if isinstance(hint, type) else str(hint)
    return {part.strip().rpartition(".")[2] for part in text.split("|")} - {"None", "NoneType"}


def codes(roles: Any) -> frozenset[str]:
    """The codes of roles; none for what are no codes, which `wrong_option` tells."""
    if not _are_codes(roles):
        return frozenset()
    return frozenset((roles,)) if isinstance(roles, str) else frozenset(roles)


def _are_codes(roles: Any) -> bool:
    if isinstance(roles, str):
        return True
    return isinstance(roles, list | tuple | set | frozenset) and all(isinstance(one, str) for one in roles)
