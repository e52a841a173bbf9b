"""The list of a project's models, as declared and as composed."""

from collections.abc import Mapping

from app.core.errors import StartError
from orm.model import DotModel


class ModelsCore:
    """Base of a project's `Models`: one attribute for each model, and its name is the model's name in this
    project.

    `env.models` is an instance: `env.models.user` is the composed class, with the fields that other modules
    add.
    """

    def __init__(self, composed: Mapping[str, type[DotModel]]) -> None:
        self.__dict__.update(composed)

    def __getattr__(self, name: str) -> type[DotModel]:
        raise AttributeError(
            f"there is no model {name!r} in Models; there are: {', '.join(sorted(self.__dict__)) or 'none'}"
        )


def declared_models(models: type[ModelsCore]) -> dict[str, type[DotModel]]:
    """The models that `models` and its bases list, in order of declaration. Raises StartError for anything
    else in the list.
    """
    declared: dict[str, type[DotModel]] = {}
    for base in reversed(models.__mro__):
        if base is ModelsCore or not issubclass(base, ModelsCore):
            continue
        for name, value in vars(base).items():
            if name.startswith("_"):
                continue
            if not (isinstance(value, type) and issubclass(value, DotModel)):
                raise StartError(
                    f"{base.__name__}.{name} is not a model: list only subclasses of DotModel there"
                )
            declared[name] = value
    return declared
