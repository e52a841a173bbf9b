"""From what a caller gives to the values of columns: checked, converted, and allowed to be written."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orm.access import Grant
from orm.errors import AccessDenied, Place, Problem, UsageError, ValidationError
from orm.fields.base import Field
from orm.metadata import ModelMeta

if TYPE_CHECKING:
    from orm.model import DotModel


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


def checked(meta: ModelMeta, given: Mapping[str, Any], grant: Grant) -> dict[str, Any]:
    """The columns of `given` as the driver takes them.

    Raises ValidationError with a place for every value that is wrong, AccessDenied for a field that the
    asker may not write."""
    columns: dict[str, Any] = {}
    places: list[Place] = []
    for name, value in given.items():
        field = meta.fields.get(name)
        if field is None or not field.stored:
            places.append(Place(f"/{name}", "unknown_field", f"{meta.name} has no field {name!r}"))
        elif name in grant.hidden:
            sentence = f"you may not write {meta.name}.{name}"
            raise AccessDenied(sentence, errors=(Place(f"/{name}", "denied", sentence),))
        else:
            try:
                columns[field.name] = field.to_column(value)
            except ValidationError as error:
                places += error.errors
    if places:
        raise invalid(meta, places)
    return columns


def with_defaults(meta: ModelMeta, columns: dict[str, Any]) -> dict[str, Any]:
    """`columns` of a new row, completed by defaults. Raises ValidationError naming every field that is
    missing."""
    places = []
    for name, field in meta.fields.items():
        if name in columns or not field.stored:
            continue
        if field.has_default:
            columns[name] = field.to_column(field.default_value())
        elif field.must_be_given:
            places.append(Place(f"/{name}", "required", f"{meta.name}.{name} is required"))
    if places:
        raise invalid(meta, places)
    return columns


def columns_at_once(
    meta: ModelMeta, records: Sequence[Mapping[str, Any]], grant: Grant
) -> dict[str, list[Any]] | None:
    """The columns of new rows, each a list of what the driver takes: a pass for each column instead of one
    for each value.

    None where anything is wrong or missing: going through the records one by one finds out what.
    """
    names = dict.fromkeys(name for record in records for name in record)
    columns: dict[str, list[Any]] = {}
    for name, field in meta.fields.items():
        if not field.stored:
            continue
        if name not in names:
            if field.has_default:
                columns[name] = _defaults(field, len(records))
            elif field.must_be_given:
                return None
            continue
        if name in grant.hidden:
            return None
        try:
            values = [record[name] for record in records]
        except KeyError:
            return None  # not every record names it: each gets its own default
        try:
            columns[name] = field.to_columns(values)
        except ValidationError:
            return None
        del names[name]
    return None if names else columns  # a name that is left over is no column


def _defaults(field: Field, count: int) -> list[Any]:
    if field.has_literal_default:
        return [field.to_column(field.default_value())] * count
    return field.to_columns([field.default_value() for _ in range(count)])


def invalid(meta: ModelMeta, places: list[Place]) -> ValidationError:
    """One ValidationError about several places."""
    names = ", ".join(place.pointer.removeprefix("/") for place in places)
    detail = places[0].message if len(places) == 1 else f"{meta.name}: wrong values for {names}"
    return ValidationError(detail, errors=places)


def below(pointer: str, problem: Problem) -> tuple[Place, ...]:
    """The places of a problem with a part of the input, as places in the whole; `pointer` is where the
    part stands."""
    return tuple(Place(f"{pointer}{place.pointer}", place.code, place.message) for place in problem.errors)


def has_relations(meta: ModelMeta, given: Mapping[str, Any]) -> bool:
    """Whether `given` writes to-many relations besides columns."""
    return bool(meta.to_many) and not meta.to_many.isdisjoint(given)
