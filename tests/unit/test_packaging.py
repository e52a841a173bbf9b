"""What is promised of an installation: few distributions, and a lock that names a version of each one."""

import re
import tomllib
from collections.abc import Callable
from importlib.metadata import distribution
from itertools import chain
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# Each one costs memory, start-up time and trust: see "Decisions" in the README before raising it.
MOST_DISTRIBUTIONS = 16


def with_all_extras() -> list[str]:
    return [*PROJECT["dependencies"], *chain.from_iterable(PROJECT["optional-dependencies"].values())]


def required(names: list[str], *, follow: Callable[[str], bool] = lambda name: True) -> set[str]:
    """What these requirements bring along, by canonical name, as far as `follow` wants to know of a name."""
    found: set[str] = set()
    waiting = [Requirement(name) for name in names]
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen or name == "starling":
            continue
        seen.add(str(requirement))
        found.add(name)
        for text in (distribution(name).requires or []) if follow(name) else []:
            needed = Requirement(text)
            extras = [{"extra": extra} for extra in ("", *requirement.extras)]
            if needed.marker is None or any(needed.marker.evaluate(extra) for extra in extras):
                waiting.append(needed)
    return found


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pairs = (line.partition("==") for line in lines if not line.startswith("#"))
    return {name: version for name, _, version in pairs}


def test_an_installation_without_extras_is_small() -> None:
    found = required(PROJECT["dependencies"])

    assert len(found) <= MOST_DISTRIBUTIONS, sorted(found)
    assert "uvloop" not in found


def test_the_lock_names_a_version_of_everything_that_development_needs() -> None:
    # An installation without the lock may have other versions, whose needs say nothing about those of the
    # lock.
    def is_as_locked(name: str) -> bool:
        return locked().get(name) == distribution(name).version

    assert sorted(required(with_all_extras(), follow=is_as_locked) - set(locked())) == []


def test_the_lock_is_sorted_and_holds_versions_only() -> None:
    names = list(locked())

    assert names == sorted(names)
    assert all(re.fullmatch(r"[0-9][0-9a-z.+]*", version) for version in locked().values())


def test_the_lock_satisfies_the_bounds_of_the_project() -> None:
    for requirement in map(Requirement, with_all_extras()):
        name = canonicalize_name(requirement.name)
        if name != "starling":
            assert requirement.specifier.contains(locked()[name]), requirement
