"""From the text of a body to the values that the ORM writes: every place that is wrong named at once.

A body is decoded once, into the Struct of its model. Rows within it, in the commands of a relation, are
left as text by that and decoded in turn by the Struct of theirs, so that a model's types do not grow with
all that its relations lead to.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from app.crud.incoming import move_below
from app.crud.payloads import (
    MOST_RECORDS,
    bulk_change_type,
    change_type,
    creation_list_type,
    creation_type,
    given,
    named_change_type,
    values_type,
)
from app.crud.relations import DEEPEST, RelationCommands, commands_of, given_by_relation
from app.http.bodies import Body, BodyDecoder
from app.http.places import MOST_PLACES
from orm.errors import Invalid, Place
from orm.metadata import ModelMeta
from orm.verbs.relations import COMMANDS

Values = dict[str, Any]

_OF_ROWS: Final = ("create", "update")


class BulkChange(NamedTuple):
    """The same change for all rows that pass a filter."""

    filter: list[Any]
    all: bool
    values: Values


class Bodies:
    """The bodies about all models. Types are made when the first such body comes: that takes a third of a
    millisecond, and most models of a large project are never written by the process at hand.

    Everything raises Malformed for what is not JSON, Invalid with all the places that do not fit.
    """

    def __init__(self) -> None:
        self._decoders: dict[tuple[str, str, str | None], BodyDecoder[Any]] = {}

    def creation(self, meta: ModelMeta, text: bytes) -> Values:
        """The values of a new row."""
        return self._whole(meta, self.decoded(meta, "creation", text))

    def creations(self, meta: ModelMeta, text: bytes) -> list[Values]:
        """The values of many new rows."""
        bodies: list[Body] = self.decoded(meta, "creations", text)
        if not meta.to_many:
            return [given(body) for body in bodies]
        unfolding = _Unfolding(self)
        found = [unfolding.values(meta, body, f"/{index}", 0) for index, body in enumerate(bodies)]
        unfolding.finish()
        return found

    def change(self, meta: ModelMeta, text: bytes) -> Values:
        """The values that a row is changed to."""
        return self._whole(meta, self.decoded(meta, "change", text))

    def bulk_change(self, meta: ModelMeta, text: bytes) -> BulkChange:
        """The values that many rows are changed to, and which."""
        body = self.decoded(meta, "bulk change", text)
        return BulkChange(body.filter, body.all, given(body.values))

    def decoded(self, meta: ModelMeta, kind: str, text: bytes, without: str | None = None) -> Any:
        """The Struct of one kind of body; `without` is a field that its type lacks."""
        key = (meta.table, kind, without)
        decoder = self._decoders.get(key)
        if decoder is None:
            decoder = self._decoders[key] = BodyDecoder(_type(meta, kind, without))
        try:
            return decoder.decode(text)
        except Invalid as error:
            error.errors = tuple(_explained(meta, place) for place in error.errors)
            if len(error.errors) == 1:
                error.detail = error.errors[0].message
            raise

    def _whole(self, meta: ModelMeta, body: Body) -> Values:
        values = given(body)
        if meta.to_many and not meta.to_many.isdisjoint(values):
            unfolding = _Unfolding(self)
            values = unfolding.values(meta, body, "", 0)
            unfolding.finish()
        return values


class _Unfolding:
    """One walk through the relations of a body; gathers what is wrong, and counts rows."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._places: list[Place] = []
        self._rows_left = MOST_RECORDS

    def values(self, meta: ModelMeta, body: Body, pointer: str, depth: int) -> Values:
        """What `body`, which stands at `pointer`, gives to a row, the commands of its relations included."""
        values = given(body)
        for name in [name for name in values if name in meta.to_many]:
            place = f"{pointer}/{name}"
            if depth >= DEEPEST:
                raise _refused(place, "too_deep", f"Rows are nested deeper than {DEEPEST} levels.")
            values[name] = self._commands(meta, name, values[name], place, depth)
        return values

    def finish(self) -> None:
        """Raise Invalid for what was found to be wrong."""
        if self._places:
            count = len(self._places)
            detail = self._places[0].message if count == 1 else f"The body is wrong in {count} places."
            raise Invalid(detail, errors=self._places[:MOST_PLACES])

    def _commands(
        self, meta: ModelMeta, name: str, commands: RelationCommands, pointer: str, depth: int
    ) -> Mapping[str, list[Any]]:
        allowed = commands_of(meta, name)
        found: dict[str, list[Any]] = {}
        for command in COMMANDS:
            rows = getattr(commands, command)
            if rows is UNSET:
                continue
            place = f"{pointer}/{command}"
            if command not in allowed:
                sentence = f"{meta.targets[name].name} cannot be written that way here."
                self._places.append(Place(place, "readonly", sentence))
                continue
            self._rows_left -= len(rows)
            if self._rows_left < 0:
                raise _refused(place, "too_many", f"One request writes at most {MOST_RECORDS} related rows.")
            found[command] = (
                self._rows(meta, name, command, rows, place, depth) if command in _OF_ROWS else rows
            )
        return found

    def _rows(
        self, meta: ModelMeta, name: str, command: str, rows: Iterable[Any], pointer: str, depth: int
    ) -> list[Any]:
        target = meta.targets[name]
        kind, without = "named change", None
        if command == "create":
            kind, without = "creation", given_by_relation(meta, name)
        found = []
        for index, text in enumerate(rows):
            place = f"{pointer}/{index}"
            try:
                body = self._bodies.decoded(target, kind, bytes(text), without)
            except Invalid as error:
                move_below(error, place)
                self._places += error.errors
                continue
            found.append(self.values(target, body, place, depth + 1))
        return found


def _type(meta: ModelMeta, kind: str, without: str | None) -> Any:
    if kind == "creation":
        return creation_type(meta, without=without)
    if kind == "creations":
        return creation_list_type(creation_type(meta))
    if kind == "change":
        return change_type(meta)
    if kind == "named change":
        return named_change_type(meta)
    return bulk_change_type(meta, values_type(meta))


def _explained(meta: ModelMeta, place: Place) -> Place:
    """To the type a read-only field is as unknown as any other name, to the client it is not."""
    above, _, name = place.pointer.rpartition("/")
    if place.code == "unknown" and name in meta.fields and (above in ("", "/values") or above[1:].isdigit()):
        return Place(place.pointer, "readonly", f"{meta.name}.{name} cannot be written here")
    return place


def _refused(pointer: str, code: str, sentence: str) -> Invalid:
    return Invalid(sentence, errors=(Place(pointer, code, sentence),))
