"""Which project is under test."""

from pkgutil import resolve_name
from typing import Any

import msgspec
import pytest

from app.core.models import ModelsCore
from app.core.service import AppsCore
from app.core.settings import SettingsCore


class Project(msgspec.Struct, frozen=True):
    """What a project is made of, as it stands in its project_setup.py."""

    settings: type[SettingsCore]
    models: type[ModelsCore]
    apps: type[AppsCore]


def named_project(text: str) -> Project:
    """The project of "module:Settings,Models,Apps"; fails the test with a sentence when there is none."""
    module, _, names = text.partition(":")
    parts = [name.strip() for name in names.split(",")]
    if not module or len(parts) != 3 or not all(parts):
        pytest.fail(f"starling_project is {text!r}: write module:Settings,Models,Apps", pytrace=False)
    settings, models, apps = parts
    return Project(
        _named(module, settings, SettingsCore),
        _named(module, models, ModelsCore),
        _named(module, apps, AppsCore),
    )


def _named(module: str, name: str, base: type) -> Any:
    try:
        found = resolve_name(f"{module}:{name}")
    except ModuleNotFoundError as error:
        pytest.fail(
            f"starling_project names {module}, and {error}: check the spelling, and that pytest's "
            "`pythonpath` leads to your project",
            pytrace=False,
        )
    except AttributeError:
        pytest.fail(f"starling_project names {name}, which {module} does not have", pytrace=False)
    if not (isinstance(found, type) and issubclass(found, base)):
        pytest.fail(f"starling_project: {module}.{name} is no {base.__name__}", pytrace=False)
    return found
