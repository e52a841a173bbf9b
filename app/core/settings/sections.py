"""What a section of settings is, and the flat list of all variables that a composed `Settings` has."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Meta
from msgspec import inspect as msgspec_inspect

SECRET: Final = Meta(extra={"secret": True})
"""Marks a field whose value is never shown: `password: Annotated[str | None, SECRET, Meta(description="...")]
= None`.
"""


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every settings struct. Fields are checked one by one; `problems` adds what only several
    together can tell.
    """

    def problems(self) -> Iterable[str]:
        """One sentence for each thing that is wrong, with the variable's name and the remedy. Called on
        well-typed values.
        """
        return ()


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One variable: its name in the environment, where it lands, what it may be.

    `path` leads from the Settings to the field. `info` is msgspec's view of the type without annotations and
    without None; `default` is msgspec.NODEFAULT where a value is required.
    """

    name: str
    path: tuple[str, ...]
    type: Any
    info: msgspec_inspect.Type
    is_secret: bool
    default: Any
    help: str

    def value_in(self, settings: Section) -> Any:
        """This variable's value in `settings`."""
        value: Any = settings
        for name in self.path:
            value = getattr(value, name)
        return value


def catalog(settings: type[Section]) -> tuple[Setting, ...]:
    """Every variable of `settings`, in order of declaration. Raises TypeError for a field without help."""
    return tuple(_walk(settings, ()))


def subsections(section: type[Section]) -> dict[str, type[Section]]:
    """The fields of `section` that are sections themselves."""
    return {
        field.name: field.type
        for field in msgspec.structs.fields(section)
        if isinstance(field.type, type) and issubclass(field.type, Section)
    }


def _walk(section: type[Section], path: tuple[str, ...]) -> Iterator[Setting]:
    nested = subsections(section)
    for field in msgspec.structs.fields(section):
        here = (*path, field.name)
        if field.name in nested:
            yield from _walk(nested[field.name], here)
        else:
            yield _setting(section, field, here)


def _setting(section: type[Section], field: msgspec.structs.FieldInfo, path: tuple[str, ...]) -> Setting:
    info = msgspec_inspect.type_info(field.type)
    marks: dict[str, Any] = {}
    description = None
    while isinstance(info, msgspec_inspect.Metadata):
        marks |= info.extra or {}
        description = (info.extra_json_schema or {}).get("description", description)
        info = info.type
    if not description:
        raise TypeError(
            f"{section.__name__}.{field.name} has no line of help: annotate it with Meta(description=...)"
        )
    if isinstance(info, msgspec_inspect.UnionType) and info.includes_none:
        (info,) = (member for member in info.types if not isinstance(member, msgspec_inspect.NoneType))
    return Setting(
        name="__".join(path).upper(),
        path=path,
        type=field.type,
        info=info,
        is_secret=bool(marks.get("secret")),
        default=field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory(),
        help=description,
    )
