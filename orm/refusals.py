"""What is said of a question that cannot be asked: one sentence, one place, one code."""

from orm.errors import AccessDenied, FilterError, Place
from orm.metadata import ModelMeta


def wrong(pointer: str, code: str, sentence: str) -> FilterError:
    """A FilterError about one place of the input."""
    return FilterError(sentence, errors=(Place(pointer, code, sentence),))


def unknown_field(meta: ModelMeta, name: object, pointer: str) -> FilterError:
    """For a name that no field of the model has."""
    return wrong(pointer, "unknown_field", f"{meta.name} has no field {name!r}")


def hidden_field(meta: ModelMeta, name: str, pointer: str) -> AccessDenied:
    """For a field that the asker may not read."""
    sentence = f"you may not read {meta.name}.{name}"
    return AccessDenied(sentence, errors=(Place(pointer, "denied", sentence),))
