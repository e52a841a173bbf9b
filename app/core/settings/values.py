"""Turns the text of one variable into its value, and says in words what a variable may be."""

import math
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as msgspec_inspect

from app.core.redaction import REDACTED, redact_urls
from app.core.settings.sections import Setting

_BOOLEANS = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off"), False),
}
_LONGEST_SHOWN = 60


class NotAValueError(Exception):
    """A text or a value that a setting cannot take; its text is the whole sentence."""


def parse(setting: Setting, text: str) -> Any:
    """The value of a variable's text. Raises NotAValueError.

    An empty text empties a list and is refused for everything else: it is nearly always a variable that was
    meant to be filled in, and the default would be a surprise (an embedded database, a generated secret).
    """
    info = setting.info
    if isinstance(info, msgspec_inspect.VarTupleType):
        return _checked(
            setting, tuple(item for part in text.split(",") if (item := part.strip())), shown=text
        )
    if not text.strip():
        raise NotAValueError(
            f"{setting.name} is empty: write {expectation(setting)}, or leave the name out for the default"
        )
    if isinstance(info, msgspec_inspect.BoolType):
        return _checked(setting, _BOOLEANS.get(text.strip().lower(), text), shown=text)
    if isinstance(info, msgspec_inspect.LiteralType):
        return _checked(setting, text.strip().lower(), shown=text)
    if isinstance(info, msgspec_inspect.IntType | msgspec_inspect.FloatType):
        return _checked(setting, text.strip(), shown=text)
    if _is_path(info):
        try:
            return Path(text).expanduser()
        except RuntimeError as error:
            raise NotAValueError(
                f"{setting.name} is {text!r}, but {str(error).rstrip('.').lower()}: write it out"
            ) from error
    return _checked(setting, text, shown=text)


def check_value(setting: Setting, value: Any) -> None:
    """Raise NotAValueError unless `value`, made in code, is one that the setting may have."""
    try:
        msgspec.convert(value, setting.type, dec_hook=_same)
    except msgspec.ValidationError as error:
        raise NotAValueError(_refusal(setting, value)) from error


def expectation(setting: Setting) -> str:
    """What to write for this variable, in words: "a whole number from 1 to 64"."""
    return _expectation(setting.info)


def shown_value(setting: Setting, value: Any) -> Any:
    """`value` as JSON-ready data that is safe to show: secrets are stars, passwords within URLs too."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if setting.is_secret:
        return REDACTED
    if isinstance(value, tuple):
        return [redact_urls(str(item)) for item in value]
    return redact_urls(str(value))


def _checked(setting: Setting, value: Any, *, shown: str) -> Any:
    try:
        # Not strict is what reads "10" as a number; for text it would read "null" as None.
        is_strict = isinstance(setting.info, msgspec_inspect.StrType)
        converted = msgspec.convert(value, setting.type, strict=is_strict, dec_hook=_same)
    except msgspec.ValidationError as error:
        raise NotAValueError(_refusal(setting, shown)) from error
    if isinstance(converted, float) and not math.isfinite(converted):
        raise NotAValueError(_refusal(setting, shown))
    return converted


def _refusal(setting: Setting, value: object) -> str:
    if setting.is_secret:
        return f"{setting.name} has a value that it cannot have: write {expectation(setting)}"
    text = redact_urls(value if isinstance(value, str) else repr(value))
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "..."
    return f"{setting.name} is {text!r}: write {expectation(setting)}"


def _expectation(info: msgspec_inspect.Type) -> str:
    if isinstance(info, msgspec_inspect.BoolType):
        return "true or false"
    if isinstance(info, msgspec_inspect.IntType | msgspec_inspect.FloatType):
        noun = "a whole number" if isinstance(info, msgspec_inspect.IntType) else "a number"
        return noun + _limits(info)
    if isinstance(info, msgspec_inspect.LiteralType):
        return "one of " + ", ".join(str(value) for value in info.values)
    if isinstance(info, msgspec_inspect.VarTupleType):
        return "a list with commas between its items"
    return "a path" if _is_path(info) else "some text"


def _limits(info: msgspec_inspect.IntType | msgspec_inspect.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:g} to {info.le:g}"
    if info.ge is not None:
        return f", {info.ge:g} or more"
    if info.gt is not None:
        return f" greater than {info.gt:g}"
    return ""


def _is_path(info: msgspec_inspect.Type) -> bool:
    return isinstance(info, msgspec_inspect.CustomType) and info.cls is Path


def _same(kind: type, value: Any) -> Any:
    """A type that msgspec does not know (Path) is made elsewhere; its value passes if it is one."""
    if isinstance(value, kind):
        return value
    raise TypeError(f"expected a {kind.__name__}")
