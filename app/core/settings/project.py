"""The struct that every project's `Settings` starts from."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final, Self, TypeVar

from msgspec import Meta

from app.core.errors import SettingsError, StartError
from app.core.redaction import url_passwords
from app.core.settings.sections import Section, catalog
from app.core.settings.source import read
from app.core.settings.values import NotAValueError, check_value

SectionT = TypeVar("SectionT", bound=Section)

ENV_FILE: Final = Path(".env")
"""The optional file beside the program that gives what the environment does not."""


class SettingsCore(Section, frozen=True, kw_only=True):
    """Base of a project's `Settings`, which adds the sections of its modules."""

    data_dir: Annotated[
        Path, Meta(description="Folder of the embedded database and of the generated secret.")
    ] = Path(".starling")

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, *, env_file: Path | None = ENV_FILE) -> Self:
        """The settings that `environ` (os.environ when None) and `env_file` (no file when None) describe.

        Raises SettingsError with every problem at once.
        """
        return read(cls, os.environ if environ is None else environ, env_file=env_file).settings

    def section(self, kind: type[SectionT]) -> SectionT:
        """The section of that class. Raises StartError when this project's Settings has none."""
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, kind):
                return value
        raise StartError(
            f"Settings has no section {kind.__name__}: add one to Settings in app/project_setup.py"
        )


def check(settings: SettingsCore) -> None:
    """Raise SettingsError unless settings that were made in code, not loaded, keep every limit."""
    problems: list[str] = []
    for setting in catalog(type(settings)):
        try:
            check_value(setting, setting.value_in(settings))
        except NotAValueError as problem:
            problems.append(str(problem))
    if problems or (problems := [*_cross_checks(settings)]):
        raise SettingsError(problems)


def secret_values(settings: SettingsCore) -> frozenset[str]:
    """The texts in `settings` that must not be seen: secrets, the keys within them, passwords within URLs."""
    values: set[str] = set()
    for setting in catalog(type(settings)):
        value = setting.value_in(settings)
        if isinstance(value, str):
            values.update(url_passwords(value))
            if setting.is_secret:
                values.update((value, *re.split("[:,]", value)))
    return frozenset(values)


def _cross_checks(section: Section) -> Iterable[str]:
    for name in section.__struct_fields__:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _cross_checks(value)
    yield from section.problems()
