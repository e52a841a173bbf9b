"""Reads settings from an environment and an optional `.env`, and reports every problem at once."""

import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from app.core.errors import SettingsError
from app.core.settings import dotenv
from app.core.settings.sections import Section, Setting, catalog, subsections
from app.core.settings.values import NotAValueError, expectation, parse

SectionT = TypeVar("SectionT", bound=Section)

_FILE = "_FILE"


class Loaded(msgspec.Struct, Generic[SectionT], frozen=True, kw_only=True):
    """Settings, and for each variable where its value came from: "default", "environment", ".env" or "file
    <path>".
    """

    settings: SectionT
    origins: Mapping[str, str]


def read(settings: type[SectionT], environ: Mapping[str, str], *, env_file: Path | None) -> Loaded[SectionT]:
    """The settings that the two sources describe; `environ` wins over the file, and None is no file.

    NAME_FILE gives the path of a file that holds the value of NAME, less one newline at its end. Raises
    SettingsError.
    """
    reading = _Reading(catalog(settings), environ, env_file)
    made = reading.build(settings, ())
    reading.report_unknown(_prefixes(settings))
    if reading.problems or made is None:
        raise SettingsError(reading.problems)
    return Loaded(settings=made, origins=reading.origins)


class _Reading:
    """One pass over the sources: collects texts, values, origins and problems."""

    def __init__(
        self, settings: tuple[Setting, ...], environ: Mapping[str, str], env_file: Path | None
    ) -> None:
        self.problems: list[str] = []
        self.origins: dict[str, str] = {}
        self._settings = {setting.path: setting for setting in settings}
        self._texts = {name: (text, ".env") for name, text in self._dotenv(env_file).items()}
        for name in environ:
            # Whichever of NAME and NAME_FILE the environment gives replaces both of the file's.
            self._texts.pop(name + _FILE, None)
            if name.endswith(_FILE):
                self._texts.pop(name.removesuffix(_FILE), None)
        self._texts |= {name: (text, "environment") for name, text in environ.items()}

    def build(self, section: type[SectionT], path: tuple[str, ...]) -> SectionT | None:
        """The section with its values; problems are noted. Instead of a value that cannot be read it has the
        default, so that what is wrong besides is told too; None where there is no default."""
        nested = subsections(section)
        values: dict[str, Any] = {}
        for name in section.__struct_fields__:
            here = (*path, name)
            if name in nested:
                made = self.build(nested[name], here)
                if made is not None:
                    values[name] = made
                continue
            setting = self._settings[here]
            try:
                values[name] = self._value(setting)
            except NotAValueError as problem:
                self.problems.append(str(problem))
                if setting.default is not msgspec.NODEFAULT:
                    values[name] = setting.default
        if len(values) < len(section.__struct_fields__):
            return None
        whole = section(**values)
        self.problems += whole.problems()
        return whole

    def report_unknown(self, prefixes: tuple[str, ...]) -> None:
        """Note every variable that stands under a section's prefix and is no setting."""
        names = [setting.name for setting in self._settings.values()]
        known = {*names, *(name + _FILE for name in names)}
        for name, (_, origin) in sorted(self._texts.items()):
            prefix = next((prefix for prefix in prefixes if name.upper().startswith(prefix)), None)
            if prefix is None or name in known:
                continue
            near = _nearest(name.upper(), known, prefix)
            remedy = f"did you mean {near}?" if near else "take it out, or see `starling config show`"
            self.problems.append(f"{name} ({origin}) is not a setting: {remedy}")

    def _value(self, setting: Setting) -> Any:
        name, file_name = setting.name, setting.name + _FILE
        if name in self._texts and file_name in self._texts:
            raise NotAValueError(f"{name} and {file_name} are both given: keep one of them")
        if name in self._texts:
            text, self.origins[name] = self._texts[name]
            return parse(setting, text)
        if file_name in self._texts:
            path = self._texts[file_name][0]
            self.origins[name] = f"file {path}"
            return parse(setting, _file_text(file_name, path))
        if setting.default is msgspec.NODEFAULT:
            raise NotAValueError(f"{name} is required: write {expectation(setting)}")
        self.origins[name] = "default"
        return setting.default

    def _dotenv(self, path: Path | None) -> Mapping[str, str]:
        if path is None:
            return {}
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(f"{path} cannot be read ({_reason(error)}): mend it, or take it away")
            return {}
        values, problems = dotenv.parse(text)
        self.problems += [f"{path} {problem}" for problem in problems]
        return values


def _nearest(name: str, known: Iterable[str], prefix: str) -> str | None:
    """The setting below `prefix` whose name is most like `name`; what all of them share tells nothing."""
    rest = {candidate.removeprefix(prefix): candidate for candidate in known if candidate.startswith(prefix)}
    near = difflib.get_close_matches(name.removeprefix(prefix), rest, n=1)
    return rest[near[0]] if near else None


def _file_text(name: str, path: str) -> str:
    try:
        text = Path(path).read_bytes().decode()
    except (OSError, ValueError) as error:
        raise NotAValueError(
            f"{name} names {path!r}, which cannot be read ({_reason(error)}): check the path and its mode"
        ) from error
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)


def _prefixes(settings: type[Section]) -> tuple[str, ...]:
    return tuple(f"{name.upper()}__" for name in subsections(settings))
