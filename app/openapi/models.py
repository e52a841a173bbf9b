"""Operations of the routes that `app.crud` makes of a model, in the words of a client.

A verb that is added to `app/crud/table.py` gets its operation in `reading` or `writing`.
"""

from collections.abc import Iterator
from typing import Final

from app.openapi.operations import Model, Operation
from app.openapi.reading import TYPES as READING_TYPES
from app.openapi.reading import reading
from app.openapi.writing import TYPES as WRITING_TYPES
from app.openapi.writing import acting, writing

SHARED_TYPES: Final = (*READING_TYPES, *WRITING_TYPES)
"""Types that the operations of every model refer to, by the names of their classes."""


def model_operations(model: Model) -> Iterator[Operation]:
    """The operations of one model."""
    yield from reading(model)
    if model.resource.is_writable:
        yield from writing(model)
    yield from acting(model)
