"""What a document is made of."""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from app.core.environment import Environment
from app.crud.resource import Resource
from app.crud.table import CrudTable
from app.http.index import Target
from orm.registry import Registry

KEYED: Final = ("/api/", "/chats/")
"""The paths at and below which an Idempotency-Key counts."""


class Project(NamedTuple):
    """Hand-written routes, models with an API, all models, and a line about each module by name.

    `keyed` is where an Idempotency-Key counts.
    """

    title: str
    version: str
    targets: tuple[Target, ...]
    resources: tuple[Resource, ...]
    registry: Registry
    summaries: Mapping[str, str]
    keyed: tuple[str, ...] = KEYED


def project_of(env: Environment, targets: Iterable[Target], *, version: str) -> Project:
    """The project of an environment that has been set up, with the routes that its dispatcher has."""
    return Project(
        title="Starling",
        version=version,
        targets=tuple(targets),
        resources=tuple(CrudTable(env.registry).resources.values()),
        registry=env.registry,
        summaries={module.info.name: module.info.summary for module in env.apps},
    )
