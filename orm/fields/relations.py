"""Fields that point at other models.

A relation names its model by class, by a function that returns the class (for models that know each
other), or by table name (for models of other modules). The name is resolved when the models are composed,
never at import."""

from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Literal, TypeVar, Unpack, overload

from orm.builder.text import column, quote
from orm.errors import DeclarationError
from orm.fields.base import IDENTIFIER, Field, FieldOptions
from orm.fields.numbers import HIGHEST_ID, LOWEST_ID, fitting_64_bits, is_id

T_co = TypeVar("T_co", covariant=True)

Target = "type[DotModel] | Callable[[], type[DotModel]] | str"
OnDelete = Literal["restrict", "cascade", "set null"]

ON_DELETE: Final[tuple[str, ...]] = ("restrict", "cascade", "set null")


class Ref(Generic[T_co]):
    """The annotation of a to-one relation: reads as a T, is written with an id or a T. It exists for type
    checkers only."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> "Ref[T_co]": ...
        @overload
        def __get__(self, instance: object, owner: type) -> T_co: ...
        def __get__(self, instance: object | None, owner: type) -> Any: ...
        def __set__(self, instance: object, value: "T_co | int | None") -> None: ...


class RelationField(Field):
    """A field whose value is a record, or several, of another model."""

    def __init__(self, target: Any, **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        self._target = target

    def target_table(self) -> str:
        """The table of the model pointed at. Callable once every module is imported.

        Raises DeclarationError when the target is neither a model nor a name.
        """
        target = self._target
        if not isinstance(target, (str, type)) and callable(target):
            try:
                target = target()
            except (AttributeError, ImportError, NameError, TypeError) as error:
                raise self.wrong(f"the model that it points at cannot be told: {error}") from error
        table = target if isinstance(target, str) else getattr(target, "__table__", None)
        if not isinstance(table, str) or not table:
            raise self.wrong(
                f"points at {target!r}; name a model class, a function that returns one, or a table"
            )
        return table

    # How rows of the other model are found for a row here, in words that EXISTS, a batch and LATERAL
    # share: SELECT ... FROM {source} WHERE {key} = {the column `own` of this row}

    own: ClassVar[str] = "id"

    def source(self, alias: str, table: str) -> str:
        """FROM: rows of the other model, whose table is `table`, under `alias`."""
        return f"{quote(table)} {alias}"

    def key(self, alias: str) -> str:
        """The column of `source` that has to equal `own`."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is joined")


class Many2oneField(RelationField):
    """The id of one row of another table."""

    kind = "many2one"
    python_type = int

    def __init__(self, target: Any, *, ondelete: OnDelete, **options: Unpack[FieldOptions]) -> None:
        super().__init__(target, **options)
        self.ondelete = ondelete

    def check(self) -> None:
        if self.ondelete not in ON_DELETE:
            raise self.wrong(f"ondelete={self.ondelete!r}; it is one of {', '.join(ON_DELETE)}")
        if self.ondelete == "set null" and not self.nullable:
            raise self.wrong('ondelete="set null" needs a column that may be null; annotate it with `| None`')

    @property
    def own(self) -> str:  # type: ignore[override]
        """The column of this row that points at the other."""
        return self.name

    def key(self, alias: str) -> str:
        return column(alias, "id")

    @property
    def column_type(self) -> str:
        return "bigint"

    def fits(self, value: Any) -> bool:
        return value.__class__ is int and LOWEST_ID <= value <= HIGHEST_ID

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        return types == {int} and is_id(min(values)) and is_id(max(values))

    def to_column(self, value: Any) -> Any:
        return super().to_column(self._id_of(value))

    def to_filter(self, value: Any) -> Any:
        return fitting_64_bits(super().to_filter(self._id_of(value)))

    def constraints(self) -> dict[str, Any]:
        return {"ge": LOWEST_ID, "le": HIGHEST_ID}

    def _id_of(self, value: Any) -> Any:
        if value.__class__ is int:
            return value
        table = getattr(type(value), "__table__", None)
        if table is None:
            return value
        if table != self.target_table():
            raise self.invalid(f"takes a record of {self.target_table()!r}, not one of {table!r}")
        return value.id


class One2oneField(Many2oneField):
    """A Many2one that no two rows share."""

    kind = "one2one"

    def __init__(self, target: Any, *, ondelete: OnDelete, **options: Unpack[FieldOptions]) -> None:
        super().__init__(target, ondelete=ondelete, **options)
        self.unique = True


class ToManyField(RelationField):
    """Rows of another table, none of which stands in this one: there is no column."""

    python_type = list
    stored = False

    def declare(self, model_name: str, name: str, *, optional: bool | None) -> None:
        if self.required or self.has_default or self.unique or self.index:
            raise DeclarationError(
                f"{model_name}.{name}: a to-many relation has no column: "
                "required, default, unique and index mean nothing for it; drop them"
            )
        super().declare(model_name, name, optional=True)


class One2manyField(ToManyField):
    """The rows of another table whose `inverse`, a Many2one, points here."""

    kind = "one2many"

    def __init__(self, target: Any, inverse: str, **options: Unpack[FieldOptions]) -> None:
        super().__init__(target, **options)
        self.inverse = inverse

    def key(self, alias: str) -> str:
        return column(alias, self.inverse)


class Many2manyField(ToManyField):
    """The rows of another table that rows of a link table join with this one.

    The link table has the two columns, their pair is its primary key, and its rows go with either side.
    """

    kind = "many2many"

    def __init__(
        self, target: Any, *, table: str, column1: str, column2: str, **options: Unpack[FieldOptions]
    ) -> None:
        super().__init__(target, **options)
        self.table = table
        self.column1 = column1
        self.column2 = column2

    def source(self, alias: str, table: str) -> str:
        link = f"{alias}l"
        joined = f"{column(link, self.column2)} = {column(alias, 'id')}"
        return f"{quote(self.table)} {link} JOIN {quote(table)} {alias} ON {joined}"

    def key(self, alias: str) -> str:
        return column(f"{alias}l", self.column1)

    def check(self) -> None:
        for word, name in (("table", self.table), ("column1", self.column1), ("column2", self.column2)):
            if not IDENTIFIER.fullmatch(str(name)):
                raise self.wrong(f"{word}={name!r} is no name: lower case letters, digits and underscores")
        if self.column1 == self.column2:
            raise self.wrong(f"column1 and column2 are both {self.column1!r}; give each side its own")


def Many2one(target: Any, *, ondelete: OnDelete = "restrict", **options: Unpack[FieldOptions]) -> Any:
    """One row of another model; `ondelete` says what happens here when that row is deleted."""
    return Many2oneField(target, ondelete=ondelete, **options)


def One2one(target: Any, *, ondelete: OnDelete = "restrict", **options: Unpack[FieldOptions]) -> Any:
    """One row of another model that no other row here points at."""
    return One2oneField(target, ondelete=ondelete, **options)


def One2many(target: Any, inverse: str, **options: Unpack[FieldOptions]) -> Any:
    """The rows of another model whose field `inverse`, a Many2one, points at this one."""
    return One2manyField(target, inverse, **options)


def Many2many(target: Any, *, table: str, column1: str, column2: str, **options: Unpack[FieldOptions]) -> Any:
    """Rows of another model, joined by the link `table`.

    `column1` holds ids of this model, `column2` of the other one.
    """
    return Many2manyField(target, table=table, column1=column1, column2=column2, **options)
