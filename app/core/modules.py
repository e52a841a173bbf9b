"""Finds what a module folder holds, its manifest class and its routers, by importing it when the start asks.

Something missing inside a module (a library that is not installed) is never mistaken for a missing module.
"""

import inspect
import pkgutil
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import msgspec

from app.core.errors import ModuleStartError, StartError, described
from app.core.service import App, Info


class ModuleRouter(msgspec.Struct, frozen=True, kw_only=True):
    """A router that a file of a module exports; `source` is that file's dotted name."""

    module: str
    source: str
    router: Any
    is_private: bool


def load_manifests(installed: Sequence[str]) -> dict[str, type[App]]:
    """The manifest class of each installed package, by module name, in the same order. Raises StartError."""
    manifests: dict[str, type[App]] = {}
    packages: dict[str, str] = {}
    for package in installed:
        name = package.rpartition(".")[2]
        if name in packages:
            raise StartError(
                f"Apps.installed has two modules called {name} ({packages[name]} and {package}): "
                "keep one, or rename its folder"
            )
        packages[name] = package
        manifests[name] = _manifest(package, name)
    return manifests


def load_routers(package: str, module: str) -> Iterator[ModuleRouter]:
    """The routers in the package's `routers` folder: files by name, the public one of a file first."""
    folder = f"{package}.routers"
    spec = find_spec(folder)
    if spec is None:
        return
    for found in sorted(pkgutil.iter_modules(spec.submodule_search_locations), key=lambda entry: entry.name):
        file = _imported(f"{folder}.{found.name}", module, "load_routers")
        for attribute, is_private in (("router_public", False), ("router_private", True)):
            router = getattr(file, attribute, None)
            if router is not None:
                yield ModuleRouter(module=module, source=file.__name__, router=router, is_private=is_private)


def _manifest(package: str, name: str) -> type[App]:
    try:
        spec = find_spec(f"{package}.app")
    except ModuleNotFoundError as error:
        if not _is_part_of(package, error.name):
            raise _import_failure(name, "setup_services", error) from error
        raise StartError(
            f"Apps.installed names {package}, and there is no such package: check the spelling"
        ) from error
    except Exception as error:
        raise _import_failure(name, "setup_services", error) from error
    if spec is None:
        raise StartError(
            f"module {name} has no app.py: add {package}/app.py with a class derived from App or Service"
        )
    file = _imported(f"{package}.app", name, "setup_services")
    classes = [
        value
        for value in vars(file).values()
        if isinstance(value, type)
        and issubclass(value, App)
        and value.__module__ == file.__name__
        and not inspect.isabstract(value)
    ]
    if len(classes) != 1:
        names = ", ".join(found.__name__ for found in classes) or "none"
        raise StartError(
            f"{package}/app.py must have exactly one class derived from App or Service; it has {names}"
        )
    (manifest,) = classes
    info = getattr(manifest, "info", None)
    if not isinstance(info, Info):
        raise StartError(
            f"{manifest.__name__} in {package}/app.py has no info: add `info = Info(name={name!r}, ...)`"
        )
    if info.name != name:
        raise StartError(
            f"module {package} calls itself {info.name} in its info: folder and name must be the same word"
        )
    return manifest


def _imported(dotted: str, module: str, phase: str) -> ModuleType:
    try:
        return import_module(dotted)
    except Exception as error:
        raise _import_failure(module, phase, error) from error


def _import_failure(module: str, phase: str, error: Exception) -> ModuleStartError:
    return ModuleStartError(module, phase, str(error) if isinstance(error, StartError) else described(error))


def _is_part_of(package: str, missing: str | None) -> bool:
    """Whether the import system looked in vain for the package itself or for one of its parents."""
    return missing is not None and f"{package}.".startswith(f"{missing}.")
