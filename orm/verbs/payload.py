"""From what a caller gives to the values of columns: checked, converted, and allowed to be written."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from orm.errors import AccessDenied, Place, Problem, UsageError, ValidationError
from orm.fields.base import INVALID, Field
from orm.metadata import ModelMeta
from orm.verbs.scope import NOTHING, Scope

if TYPE_CHECKING:
    from orm.model import DotModel


NO_NAMES: Final[frozenset[str]] = frozenset()


def given_values(
    meta: ModelMeta, payload: "DotModel | Mapping[str, Any] | None", values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The values of a payload (a record's set fields, or a mapping) and of keywords, the keywords last.

    It may be the mapping that was given: it is looked at and not changed.
    """
    if payload is None:
        return values
    if isinstance(payload, Mapping):
        return {**payload, **values} if values else payload
    if getattr(payload, "__table__", None) != meta.table:
        raise UsageError(
            f"a payload for {meta.name} is a {meta.name}, a mapping or keywords, not {payload!r}"
        )
    given = {}
    for name, slot in payload.__slot_of__.items():
        try:
            given[name] = object.__getattribute__(payload, slot)
        except AttributeError:
            continue  # not set: not part of the payload
    return {**given, **values}


def given_record(meta: ModelMeta, record: "DotModel | Mapping[str, Any]") -> Mapping[str, Any]:
    """The values of one of several records. Raises UsageError for what is none."""
    if record is None:
        raise UsageError(f"a record of {meta.name} is a {meta.name} or a mapping, not None")
    return given_values(meta, record, NOTHING)


def checked(scope: Scope, given: Mapping[str, Any], *, ours: frozenset[str] = NO_NAMES) -> dict[str, Any]:
    """The columns of `given` as the driver takes them. `ours` are fields that the program gives and not the
    asker: his rights are not asked about them.

    Raises ValidationError with a place for every value that is wrong, AccessDenied for a field that the
    asker may not write."""
    stored = scope.meta.stored
    unwritable = scope.unwritable
    if ours:
        unwritable -= ours
    columns: dict[str, Any] = {}
    places: list[Place] = []
    for name, value in given.items():
        field = stored.get(name)
        if field is None:
            places.append(Place(f"/{name}", "unknown_field", f"{scope.meta.name} has no field {name!r}"))
        elif unwritable and name in unwritable:
            places.append(unwritten(scope, name))
        elif field.fits(value) if value is not None else field.takes_null:
            columns[field.name] = value
        else:
            try:
                columns[field.name] = field.to_column(value)
            except ValidationError as error:
                places += error.errors
    if places:
        raise invalid(scope.meta, places)
    return columns


def unwritten(scope: Scope, name: str) -> Place:
    """The place of a readonly field that a client of the API wants to write. Raises AccessDenied for one that
    the asker may not write."""
    where = f"{scope.meta.name}.{name}"
    if name in scope.grant.hidden:
        sentence = f"you may not write {where}"
        raise AccessDenied(sentence, errors=(Place(f"/{name}", "denied", sentence),))
    return Place(f"/{name}", "readonly", f"{where} cannot be written here")


def with_defaults(meta: ModelMeta, columns: dict[str, Any]) -> dict[str, Any]:
    """`columns` of a new row, completed by defaults. Raises ValidationError naming every field that is
    missing."""
    if columns.keys() >= meta.completed_names:
        return columns
    places = []
    for field in meta.completed:
        name = field.name
        if name in columns:
            continue
        if field.has_default:
            columns[name] = field.to_column(field.default_value())
        else:
            places.append(Place(f"/{name}", "required", f"{meta.name}.{name} is required"))
    if places:
        raise invalid(meta, places)
    return columns


def columns_at_once(
    scope: Scope, records: Sequence[Mapping[str, Any]], *, ours: frozenset[str] = NO_NAMES
) -> dict[str, list[Any]] | None:
    """The columns of new rows, each a list of what the driver takes: a pass for each column instead of one
    for each value. `ours`: see `checked`.

    None where anything is wrong or missing: going through the records one by one finds out what.
    """
    names = tuple(records[0])
    if not names or set(map(len, records)) != {len(names)}:
        return None  # not every record names the same fields: each gets its own defaults
    get = itemgetter(*names)
    try:
        rows = map(get, records) if len(names) > 1 else ((get(record),) for record in records)
        given = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    except KeyError:
        return None
    meta, unwritable = scope.meta, scope.unwritable - ours
    if not meta.stored.keys() >= given.keys() or not unwritable.isdisjoint(given):
        return None
    columns: dict[str, list[Any]] = {}
    try:
        for name, values in given.items():
            field = meta.stored[name]
            columns[field.name] = field.to_columns(values)
    except ValidationError:
        return None
    for field in meta.completed:
        if field.name not in columns:
            if not field.has_default:
                return None
            columns[field.name] = _defaults(field, len(records))
    return columns


def _defaults(field: Field, count: int) -> list[Any]:
    if field.has_literal_default:
        return [field.to_column(field.default_value())] * count
    return field.to_columns([field.default_value() for _ in range(count)])


def invalid(meta: ModelMeta, places: list[Place]) -> ValidationError:
    """One ValidationError about several places."""
    names = ", ".join(place.pointer.removeprefix("/") for place in places)
    if len(places) > 1:
        detail = f"{meta.name}: wrong values for {names}"
    elif places[0].code == INVALID:  # the field's own word, which leaves its name to the pointer
        detail = f"{meta.name}.{names} {places[0].message}"
    else:
        detail = places[0].message
    return ValidationError(detail, errors=places)


def invalid_at(pointer: str, code: str, sentence: str) -> ValidationError:
    """A ValidationError about one place."""
    return ValidationError(sentence, errors=(Place(pointer, code, sentence),))


def below(pointer: str, problem: Problem) -> tuple[Place, ...]:
    """The places of a problem with a part of the input, as places in the whole; `pointer` is where the
    part stands."""
    return tuple(Place(f"{pointer}{place.pointer}", place.code, place.message) for place in problem.errors)


@contextmanager
def placed_below(pointer: str) -> Iterator[None]:
    """Inside the block the places of a problem get `pointer` before them."""
    try:
        yield
    except Problem as problem:
        problem.errors = below(pointer, problem)
        raise


def has_relations(meta: ModelMeta, given: Mapping[str, Any]) -> bool:
    """Whether `given` writes to-many relations besides columns."""
    return bool(meta.to_many) and not meta.to_many.isdisjoint(given)
