"""DotModel: a declared table, and the verbs that read and write its rows.

The verbs only delegate; what they do lives in `orm/verbs/`, one verb a file.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from orm import context
from orm.declaration import IdField, ModelType, not_loaded
from orm.errors import ValidationError
from orm.fields.base import Field
from orm.hooks import Hooks
from orm.indexes import Index
from orm.metadata import ModelMeta
from orm.page import Page
from orm.verbs import aggregate, create, delete, iterate, read, update, upsert
from orm.verbs.scope import NOTHING

Filter = Sequence[Any]
Fields = Sequence[str]
Nested = Mapping[str, Any]
Lock = Literal["update", "no key update", "share", "key share"]

COUNT: Final[Mapping[str, Sequence[str]]] = MappingProxyType({"count": ("count", "id")})


class DotModel(Hooks, metaclass=ModelType):
    """A row of a table. Subclasses declare `__table__` and fields, and may override hooks: the class methods
    `before_create`, `after_create`, `before_update`, `after_update`, `before_delete` and `after_delete`,
    which every write calls (see orm/hooks.py).

    A record holds the values that a statement fetched or the program set, and nothing else: reading any
    other field raises FieldNotLoaded. The same class is the payload of a write: `Chat(name="x")` has only
    `name` set. Records are equal when they are the same row of the same model."""

    __table__: ClassVar[str] = ""
    __route__: ClassVar[str] = ""
    __auto_crud__: ClassVar[bool | Literal["read"]] = True
    __written_at__: ClassVar[str] = ""
    """Where rows are written of a model whose API only reads: a path, for the answer to those who try."""
    __if_match__: ClassVar[Literal["optional", "required"]] = "optional"
    """Whether over the API a row of this model is changed and deleted only by who says with If-Match which
    version he has read."""
    __audit__: ClassVar[bool] = False
    """Whether every write first tells the database who writes (see Database.announce), for triggers that
    keep a trail."""
    __indexes__: ClassVar[Sequence[Sequence[str] | Index]] = ()
    __unique__: ClassVar[Sequence[Sequence[str]]] = ()
    __fields__: ClassVar[Mapping[str, Field]]
    __slot_of__: ClassVar[Mapping[str, str]]
    __meta__: ClassVar[ModelMeta | None] = None

    id: int = IdField()  # type: ignore[assignment]

    def __new__(cls, /, **values: Any) -> Self:
        """An instance of the class that the bound environment composed of this one, with the fields of
        other modules."""
        if cls.__meta__ is None:
            home = context.current_or_none()
            meta = home.registry.table(cls.__table__) if home is not None else None
            if meta is not None and issubclass(meta.cls, cls):
                return object.__new__(meta.cls)
        return object.__new__(cls)

    def __init__(self, /, **values: Any) -> None:
        for name, value in values.items():
            if name not in self.__fields__:
                raise ValidationError(f"{type(self).__name__} has no field {name!r}")
            setattr(self, name, value)

    # -- creating -----------------------------------------------------------------------------------

    @classmethod
    async def create(cls, payload: "DotModel | Mapping[str, Any] | None" = None, /, **values: Any) -> Self:
        """A new row with `values` (or those of a payload), as stored, every column loaded.

        Defaults are filled in. Raises ValidationError, AccessDenied, UniqueViolation, ForeignKeyViolation.
        """
        return await create.create_one(cls, payload, values)

    @classmethod
    async def create_bulk(cls, records: "Sequence[DotModel | Mapping[str, Any]]") -> list[int]:
        """The ids of new rows, one for each of `records`, in their order: all of them or none."""
        return await create.create_many(cls, records)

    @classmethod
    async def upsert(
        cls, records: "Sequence[DotModel | Mapping[str, Any]]", on: str | Sequence[str]
    ) -> list[int]:
        """The ids of `records`, in their order: each created, or where a row has the same `on`, changed.

        `on` names fields that are unique together, or one that is by itself. A row that is there gets what
        its record names and keeps the rest, its id in any case."""
        return [row.id for row in await upsert.upsert(cls, records, on)]

    # -- reading ------------------------------------------------------------------------------------

    @classmethod
    async def get(
        cls, id: int, fields: Fields | None = None, nested: Nested = NOTHING, lock: Lock | None = None
    ) -> Self:
        """The row `id` with `fields` (default: every stored field that may be read; see `search`).

        `lock` holds the row until the transaction ends. Raises RecordNotFound when there is none, or none
        that may be seen."""
        record = await read.get(cls, id, fields, nested, lock)
        if record is None:
            raise read.absent(cls, id)
        return record

    @classmethod
    async def get_or_none(
        cls, id: int, fields: Fields | None = None, nested: Nested = NOTHING, lock: Lock | None = None
    ) -> Self | None:
        """The row `id`, or None when there is none, or none that may be seen."""
        return await read.get(cls, id, fields, nested, lock)

    @classmethod
    async def search(
        cls,
        filter: Filter = (),
        fields: Fields | None = None,
        nested: Nested = NOTHING,
        order: str | Sequence[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        after: str | None = None,
    ) -> Page[Self]:
        """The rows that pass `filter`, by `order` (names, a minus for descending; nulls last; the id
        breaks ties).

        `fields` are names, dotted through relations: to-one relations ride in the statement, each to-many
        relation and level costs one more. `nested` refines a to-many relation, for each row: `{"messages":
        {"fields": ["body"], "filter": [...], "order": "-id", "limit": 20}}`. `after` is the `next` of an
        earlier page of the same filter and order. Raises FilterError for a question that cannot be,
        CursorError, AccessDenied for a field that may not be read."""
        return await read.search(
            cls, filter, fields, nested=nested, order=order, limit=limit, offset=offset, after=after
        )

    @classmethod
    async def search_count(cls, filter: Filter = ()) -> int:
        """How many rows pass `filter`."""
        return await read.search_count(cls, filter)

    @classmethod
    async def exists(cls, filter: Filter = ()) -> bool:
        """Whether any row passes `filter`."""
        return await read.exists(cls, filter)

    @classmethod
    def iterate(
        cls,
        filter: Filter = (),
        fields: Fields | None = None,
        nested: Nested = NOTHING,
        order: str | Sequence[str] | None = None,
        batch: int = 1000,
    ) -> AsyncGenerator[Self, None]:
        """The rows that pass `filter`, one after the other, `batch` in memory at a time: `async for row in
        ...`.

        They are read through a cursor on the server, all of one moment, in the open transaction or one of
        the iteration's own. A loop that breaks off holds its connection until the iterator is closed
        (`aclose()`) or collected."""
        return iterate.iterate(cls, filter, fields, nested, order, batch)

    @classmethod
    async def aggregate(
        cls,
        filter: Filter = (),
        group_by: str | Sequence[str] | None = (),
        values: Mapping[str, Sequence[str]] = COUNT,
    ) -> list[dict[str, Any]]:
        """Figures over the rows that pass `filter`, a dictionary for each group, by its keys, nulls last.

        `group_by` are names, dotted through to-one relations, or with a unit of time cut in UTC
        (`created_at:month`). `values` are `{"total": ["sum", "price"]}`: count, sum, avg, min, max of a
        field; of whole numbers the sum is an int and the average a float. At most 10,000 groups."""
        return await aggregate.aggregate(cls, filter, group_by, values)

    # -- writing many -------------------------------------------------------------------------------

    @classmethod
    async def update_bulk(cls, filter: Filter = (), *, all: bool = False, **values: Any) -> int:
        """How many rows passed `filter` and now have `values`. An empty filter is refused unless
        `all=True`."""
        return await update.update_many(cls, filter, values, all)

    @classmethod
    async def delete_bulk(cls, filter: Filter = (), *, all: bool = False) -> int:
        """How many rows passed `filter` and are gone. An empty filter is refused unless `all=True`."""
        return await delete.delete_many(cls, filter, all)

    # -- one record ---------------------------------------------------------------------------------

    async def update(self, payload: "DotModel | Mapping[str, Any] | None" = None, /, **values: Any) -> Self:
        """This record, its row having `values` (or those of a payload) and nothing else changed; they are
        loaded as stored, and with them what the database computes. A to-many relation that was written is no
        longer loaded.

        Raises RecordNotFound when the row is gone or may not be changed, AccessDenied, ValidationError,
        UniqueViolation."""
        await update.update_one(self, payload, values)
        return self

    async def delete(self) -> None:
        """Remove the row. Raises RecordNotFound when it is gone or may not be removed, ForeignKeyViolation
        when it is in use."""
        await delete.delete_one(self)

    async def refresh(self, fields: Fields | None = None) -> Self:
        """This record with `fields` (default: every stored field) as they are in the database now."""
        await read.refresh(self, fields)
        return self

    def as_dict(self) -> dict[str, Any]:
        """The loaded fields by name, private ones left out; a to-one relation is its id, or a dict when
        more of it is loaded."""
        return _as_dict(self, ())

    if not TYPE_CHECKING:  # else every misspelt attribute would pass for Any

        def __getattr__(self, name: str) -> Any:
            # Python comes here only when the slot is empty or there is no such attribute
            public = name.removeprefix("_ref_")
            if public in type(self).__fields__:
                raise not_loaded(type(self).__name__, public)
            raise AttributeError(f"{type(self).__name__} has no field or attribute {name!r}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DotModel) or self.__table__ != other.__table__:
            return NotImplemented
        return self is other or (_is_set(self, "id") and _is_set(other, "id") and self.id == other.id)

    def __hash__(self) -> int:
        return hash((self.__table__, self.id)) if _is_set(self, "id") else object.__hash__(self)

    def __repr__(self) -> str:
        inner = " ".join(f"{name}={value!r}" for name, value in self.as_dict().items())
        return f"<{type(self).__name__} {inner}>"


def _is_set(record: DotModel, slot: str) -> bool:
    try:
        object.__getattribute__(record, slot)
    except AttributeError:
        return False
    return True


def _as_dict(record: DotModel, above: tuple[DotModel, ...]) -> dict[str, Any]:
    """`above` are the records that lead to this one."""
    values = {}
    for name, field in record.__fields__.items():
        slot = record.__slot_of__[name]
        if not field.private and _is_set(record, slot):
            values[name] = _plain(object.__getattribute__(record, slot), (*above, record))
    return values


def _plain(value: Any, above: tuple[DotModel, ...]) -> Any:
    if isinstance(value, DotModel):
        is_above = any(value is one for one in above)  # a way back, which has no end
        values = {} if is_above else _as_dict(value, above)
        return values if values.keys() - {"id"} or not _is_set(value, "id") else value.id
    if isinstance(value, list):
        return [_plain(one, above) for one in value]
    return value
