"""The field that messages are found by: the words of a text, as PostgreSQL's full text search has them."""

from typing import Any, ClassVar

from orm import Computed
from orm.fields.base import Field


class WordsField(Field):
    """A tsvector. It is looked at by hand-written statements only, and read by nobody."""

    kind: ClassVar[str] = "words"
    python_type: ClassVar[Any] = str

    @property
    def column_type(self) -> str:
        """See Field."""
        return "tsvector"

    @property
    def is_ordered(self) -> bool:
        """See Field."""
        return False


def Words(*, sql: str) -> Any:  # noqa: N802  # reads as a type in a declaration, like Char
    """The words that an expression over other columns gives, stored, never shown."""
    return Computed(sql=sql, of=WordsField(), private=True)
