"""Fields that PostgreSQL computes from other columns of the same row, and stores."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Unpack

from orm.errors import DeclarationError
from orm.fields.base import Field, FieldOptions
from orm.fields.checks import plain_names
from orm.fields.numbers import BigInteger, Boolean, Float
from orm.fields.others import Uuid
from orm.fields.text import Text
from orm.fields.times import Date, Datetime, Time


class ComputedField(Field):
    """A stored generated column: `sql` over other columns of the row, its values being those of the field
    `of`.

    The expression must be immutable, as PostgreSQL demands of generated columns. It comes from the
    program's source."""

    kind = "computed"

    def __init__(self, *, sql: str, of: Field | None, **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        self.readonly = True
        self.sql = sql
        self._of = of

    def declare(self, model_name: str, name: str, *, optional: bool | None) -> None:
        if not self.sql.strip():
            raise DeclarationError(
                f"{model_name}.{name}: sql is empty; write an expression over other columns"
            )
        if self._of is None:
            self._of = self._field_of_hint()
        if not isinstance(self._of, Field) or not self._of.stored:
            raise DeclarationError(
                f"{model_name}.{name}: its type cannot be told from the annotation {self.hint!r}; "
                "say it with `of`, as in of=Decimal(12, 2)"
            )
        if self.required or self.has_default:
            raise DeclarationError(f"{model_name}.{name}: a computed column takes no default and no value")
        self.of.declare(model_name, name, optional=True)
        super().declare(model_name, name, optional=optional)
        self.takes_null = False

    @property
    def of(self) -> Field:
        """The field whose values this one has. Known once the class is declared."""
        assert self._of is not None, "found by declare"
        return self._of

    def _field_of_hint(self) -> Field | None:
        """A field for an annotation such as `int`, `int | None` or their text."""
        names = plain_names(self.hint)
        make = _BY_HINT.get(names.pop()) if len(names) == 1 else None
        return make() if make is not None else None

    @property
    def python_type(self) -> Any:
        return self.of.python_type

    @property
    def column_type(self) -> str:
        return self.of.column_type

    @property
    def parameter_type(self) -> str:
        return self.of.parameter_type

    @property
    def filter_type(self) -> str:
        return self.of.filter_type

    @property
    def is_ordered(self) -> bool:
        return self.of.is_ordered

    @property
    def is_text(self) -> bool:
        return self.of.is_text

    @property
    def must_be_given(self) -> bool:
        """Never: the database computes it."""
        return False

    def annotation(self) -> Any:
        return self.of.annotation()

    def decoder(self) -> Any:
        return self.of.decoder()

    def json_column(self, column: str) -> str:
        return self.of.json_column(column)

    def json_decoder(self) -> Any:
        return self.of.json_decoder()

    def to_filter(self, value: Any) -> Any:
        return self.of.to_filter(value)

    def to_column(self, value: Any) -> Any:
        raise self.invalid("is computed by the database and cannot be written")


_BY_HINT: Final[Mapping[str, Callable[[], Field]]] = {
    "int": BigInteger,
    "float": Float,
    "bool": Boolean,
    "str": Text,
    "date": Date,
    "time": Time,
    "datetime": Datetime,
    "UUID": Uuid,
}


def Computed(*, sql: str, of: Any = None, **options: Unpack[FieldOptions]) -> Any:
    """A stored generated column, read-only: `Computed(sql="price * stock", of=Decimal(14, 2))`.

    `of` says its type where the annotation (int, float, bool, str, date, time, datetime, UUID) does not.
    """
    return ComputedField(sql=sql, of=of, **options)
