"""The models of one home, composed and frozen.

Composition makes, for every registered model, one class of its own: a subclass of the declared class with
the fields that other modules add to it and with its metadata. Two registries in one process therefore
never share state, and no attribute is ever set on a class that a program declared."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

from orm.builder.cache import TextCache
from orm.declaration import ModelType
from orm.errors import DeclarationError, UsageError
from orm.fields.relations import Many2oneField
from orm.metadata import ModelMeta
from orm.model import DotModel
from orm.projection import ProjectionCache
from orm.schema.indexes import named_indexes, partial_uniques
from orm.totals import Totals


class Registry:
    """The composed models by the name they were registered under, by table and by declared class."""

    def __init__(self, models: Mapping[str, ModelMeta]) -> None:
        self._by_name = dict(models)
        self._by_table = {meta.table: meta for meta in models.values()}
        self._by_class: dict[type[DotModel], ModelMeta] = {}
        self.texts = TextCache()
        """Statement texts by shape, for every model of this registry."""
        self.projections = ProjectionCache()
        """Compiled lists of fields, likewise."""
        self.totals = Totals()
        """How much searches find, likewise."""
        self.cursor_key = secrets.token_bytes(32)
        """Signs cursors. Of this process alone until `bring_up` has read that of the database, which every
        process shares."""

    @classmethod
    def compose(
        cls,
        models: Mapping[str, type[DotModel]],
        extensions: Mapping[str, Sequence[type[DotModel]]] = MappingProxyType({}),
    ) -> "Registry":
        """A registry of `models` (name -> class) with `extensions` (table -> mixins whose fields are
        added), all relations resolved.

        Raises DeclarationError, naming model and field, for a class without table, a table or a route used
        twice, an extension of an unknown table, a field that is added twice, a relation that points nowhere,
        or a link table that is something else as well."""
        composed: dict[str, ModelMeta] = {}
        tables: dict[str, ModelMeta] = {}
        for name, declared in models.items():
            _check_declared(name, declared)
            meta = _compose_one(declared, extensions.get(declared.__table__, ()))
            if meta.table in tables:
                other = tables[meta.table]
                raise DeclarationError(
                    f"{meta.name} and {other.name} both use table {meta.table!r}; give each its own"
                )
            composed[name] = tables[meta.table] = meta
        for table in extensions:
            if table not in tables:
                raise DeclarationError(f"a module extends table {table!r}, which no registered model has")
        for meta in tables.values():
            meta.resolve(tables)
        for meta in tables.values():
            named_indexes(meta)  # a condition that none can have is refused here rather than in the database
            meta.partial_uniques = dict(partial_uniques(meta))
        _check_routes(tables.values())
        _check_links(tables)
        _check_first_rows(tables.values())
        _find_audited_deletes(tables.values())
        return cls(composed)

    def model(self, name: str) -> ModelMeta:
        """The model registered under `name`. Raises KeyError."""
        return self._by_name[name]

    def table(self, table: str) -> ModelMeta | None:
        """The model on `table`, or None."""
        return self._by_table.get(table)

    def of(self, cls: type[DotModel]) -> ModelMeta:
        """The composed model of a declared or composed class. Raises UsageError when it is not registered
        here."""
        meta = self._by_class.get(cls)
        if meta is None:
            meta = self._by_table.get(cls.__table__)
            if meta is None or not (issubclass(meta.cls, cls) or issubclass(cls, meta.cls)):
                raise UsageError(
                    f"{cls.__name__} is not among the Models of the bound environment; register it there"
                )
            self._by_class[cls] = meta
        return meta

    def names(self) -> Mapping[str, type[DotModel]]:
        """The composed classes by the name they were registered under."""
        return {name: meta.cls for name, meta in self._by_name.items()}

    def __iter__(self) -> Iterator[ModelMeta]:
        return iter(self._by_name.values())


def _check_routes(models: Iterable[ModelMeta]) -> None:
    """Raise DeclarationError for two models that the API would answer for at one path."""
    routes: dict[str, ModelMeta] = {}
    for meta in models:
        other = routes.setdefault(meta.route, meta) if meta.auto_crud else meta
        if other is not meta:
            raise DeclarationError(
                f"{meta.name} and {other.name} both have the route {meta.route!r}; "
                "give one of them another __route__"
            )


def _check_links(tables: Mapping[str, ModelMeta]) -> None:
    """Raise DeclarationError for a link table that is a model's, or that two relations see differently."""
    links: dict[str, tuple[str, frozenset[tuple[str, str]]]] = {}
    for meta in tables.values():
        for link in meta.links:
            where = f"{meta.name}.{link.name}"
            if link.table in tables:
                raise DeclarationError(
                    f"{where}: table={link.table!r} is the table of {tables[link.table].name}; "
                    "a link table holds links and nothing else, give it another name"
                )
            sides = frozenset(((link.column1, meta.table), (link.column2, meta.targets[link.name].table)))
            other, known = links.setdefault(link.table, (where, sides))
            if known != sides:
                raise DeclarationError(
                    f"{where} and {other} both use the link table {link.table!r}, with other columns or "
                    "other models: they are two sides of one relation, or each needs a table of its own"
                )


def _check_first_rows(models: Iterable[ModelMeta]) -> None:
    """Raise DeclarationError for models that need rows of each other: no first row could ever be made."""
    done: set[str] = set()

    def follow(meta: ModelMeta, path: tuple[str, ...], tables: tuple[str, ...]) -> None:
        for name in meta.foreign_keys:
            field, target = meta.fields[name], meta.targets[name]
            if field.nullable or target.table in done:
                continue
            here = (*path, f"{meta.name}.{name}")
            if target.table in tables:
                chain = " -> ".join((*here[tables.index(target.table) :], target.name))
                raise DeclarationError(
                    f"{chain}: each row needs another one first, so that none can be made; "
                    "let one of these references be null"
                )
            follow(target, here, (*tables, target.table))
        done.add(meta.table)

    for meta in models:
        follow(meta, (), (meta.table,))


def _find_audited_deletes(models: Iterable[ModelMeta]) -> None:
    """Note which models lose or change rows of an audited table together with their own: by ON DELETE, also
    of links, and also by way of others."""
    found = True
    while found:
        found = False
        for meta, target in _models_changed_by_delete(models):
            if meta.audits_delete and not target.audits_delete:
                target.audits_delete = found = True


def _models_changed_by_delete(models: Iterable[ModelMeta]) -> Iterator[tuple[ModelMeta, ModelMeta]]:
    """Pairs of a model, and one whose deleted rows change its rows or links."""
    for meta in models:
        for name in meta.foreign_keys:
            field = meta.fields[name]
            assert isinstance(field, Many2oneField)
            if field.ondelete == "cascade" or (field.ondelete == "set null" and meta.audit):
                yield meta, meta.targets[name]
        for link in meta.links:
            target = meta.targets[link.name]
            if meta.audit or target.audit:
                yield from ((meta, target), (target, meta))


def _check_declared(name: str, declared: Any) -> None:
    if not isinstance(declared, ModelType) or not issubclass(declared, DotModel):
        raise DeclarationError(f"Models.{name} is {declared!r}: only DotModel classes can be registered")
    if not declared.__table__:
        raise DeclarationError(
            f'{declared.__name__} has no __table__; name its table, as in __table__ = "{name}s"'
        )


def _compose_one(declared: type[DotModel], mixins: Sequence[type[DotModel]]) -> ModelMeta:
    known = set(declared.__fields__)
    for mixin in mixins:
        if mixin.__table__:
            raise DeclarationError(
                f"{mixin.__name__} extends {declared.__name__} and has a __table__; an extension has none"
            )
        for field in mixin.__fields__:
            if field != "id" and field in known:
                raise DeclarationError(
                    f"{mixin.__name__}.{field}: {declared.__name__} has a field {field!r} already"
                )
            known.add(field)
    bases = (*mixins, declared)
    namespace = {
        "__module__": declared.__module__,
        "__qualname__": declared.__qualname__,
        "__doc__": declared.__doc__,
    }
    composed = cast("type[DotModel]", ModelType(declared.__name__, bases, namespace))
    meta = ModelMeta(composed, module=declared.__module__)
    composed.__meta__ = meta
    return meta
