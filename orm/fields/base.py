"""What every field has in common: its parameters, its column, and how a value gets in.

A field answers for itself: its column type, the Python type of its values, the checks on a value that is
written and the conversion of a value in a filter. No builder asks what kind of field it has. A field
belongs to one class and does not change once that class is declared; a model that inherits fields gets
copies."""

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, ClassVar, Final, TypedDict, Unpack

import msgspec

from orm.errors import DeclarationError, Place, ValidationError
from orm.fields.checks import codes, contradiction, wrong_option

IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")  # 63 bytes is PostgreSQL's limit for a name

INVALID: Final = "invalid"
"""The code of a value that does not fit its field."""

FILTER_WORDS = frozenset({"and", "or", "not"})


class _Missing:
    """The absence of a default, which is not the same as a default of None."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Any = _Missing()


class FieldOptions(TypedDict, total=False):
    """The parameters that every field takes.

    required: the column is NOT NULL. default: a value, or a function that is called for each new row.
    unique, index: of this column alone. readonly: not writable over the API. private: never leaves over
    the API. role_read, role_create, role_update: codes of the roles that may; empty means everyone who may
    do it with the row."""

    required: bool
    default: Any
    unique: bool
    index: bool
    readonly: bool
    private: bool
    description: str
    role_read: str | Iterable[str]
    role_create: str | Iterable[str]
    role_update: str | Iterable[str]


class Field:
    """One declared attribute of a model. Subclasses fix the types; `name` and `model_name` are set when
    the class is made."""

    kind: ClassVar[str]
    python_type: ClassVar[Any]
    stored: ClassVar[bool] = True

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        self.name = ""
        self.model_name = ""
        self.required = options.get("required", False)
        self.default = options.get("default", MISSING)
        self.unique = options.get("unique", False)
        self.index = options.get("index", False)
        self.readonly = options.get("readonly", False)
        self.private = options.get("private", False)
        self.description = options.get("description", "")
        self._options = options
        self.role_read = codes(options.get("role_read", ()))
        self.role_create = codes(options.get("role_create", ()))
        self.role_update = codes(options.get("role_update", ()))
        self.nullable = not self.required
        self.takes_null = self.nullable
        """Whether a null may be written."""
        self.hint: Any = None
        """The annotation as it stands in the class, a type or its text; only ever looked at."""
        self._accepts: Any = None

    # -- declaration --------------------------------------------------------------------------------

    def declare(self, model_name: str, name: str, *, optional: bool | None) -> None:
        """Take the place `name` in a model; `optional` says whether the annotation admits None (None: no
        annotation).

        Raises DeclarationError when the declaration contradicts itself.
        """
        self.name = name
        self.model_name = model_name
        if not IDENTIFIER.fullmatch(name) or name in FILTER_WORDS:
            raise self.wrong(
                "a field name is lower case letters, digits and underscores, at most 63 of them, "
                "and not `and`, `or` or `not`"
            )
        for option, value in self._options.items():
            if sentence := wrong_option(option, value, FieldOptions.__annotations__):
                raise self.wrong(sentence)
        if sentence := contradiction(self.hint, self.python_type):
            raise self.wrong(sentence)
        if optional and self.required:
            raise self.wrong("required=True contradicts an annotation with None; drop one of the two")
        self.nullable = not self.required if optional is None else optional
        self.takes_null = self.nullable
        self.check()
        self._accepts = self.annotation()
        self._check_default()

    def check(self) -> None:
        """Raise DeclarationError where the parameters do not fit each other. Called once the name is
        known."""

    @property
    def of(self) -> "Field":
        """The field whose kind of values this one has: itself, but for a computed one."""
        return self

    def _check_default(self) -> None:
        if self.default is None and not self.nullable:
            raise self.wrong("the default is None, and the column may not be null; annotate it with `| None`")
        if self.has_literal_default and self.default is not None:
            try:
                self.to_column(self.default)
            except ValidationError as error:
                raise self.wrong(
                    f"the default {self.default!r} is no value of this field: {error.detail}"
                ) from error

    def wrong(self, sentence: str) -> DeclarationError:
        """A DeclarationError that names this field."""
        return DeclarationError(f"{self.model_name}.{self.name}: {sentence}")

    @property
    def must_be_given(self) -> bool:
        """Whether a new row cannot be made without naming this field."""
        return self.stored and not self.nullable and not self.has_default

    # -- types --------------------------------------------------------------------------------------

    @property
    def column_type(self) -> str:
        """The PostgreSQL type of the column, as in CREATE TABLE."""
        raise NotImplementedError(f"{type(self).__name__} has no column")

    @property
    def parameter_type(self) -> str:
        """The type that a parameter is cast to where PostgreSQL could not infer it (arrays, unnest)."""
        return self.column_type

    @property
    def filter_type(self) -> str:
        """The type that a value of a filter is cast to: wide enough for any value that can be asked
        for."""
        return self.parameter_type

    @property
    def is_ordered(self) -> bool:
        """Whether `<` and ORDER BY mean something for the values."""
        return True

    @property
    def is_text(self) -> bool:
        """Whether `like` means something for the values."""
        return False

    def constraints(self) -> dict[str, Any]:
        """The limits on a value, as arguments of `msgspec.Meta`."""
        return {}

    def annotation(self) -> Any:
        """The Python type of a value that may be written, limits included, None excluded."""
        limits = self.constraints()
        return Annotated[self.python_type, msgspec.Meta(**limits)] if limits else self.python_type

    # -- defaults -----------------------------------------------------------------------------------

    @property
    def has_default(self) -> bool:
        """Whether a row can be made without naming this field."""
        return self.default is not MISSING

    @property
    def has_literal_default(self) -> bool:
        """Whether the default is a value, which can stand in the column's DEFAULT, rather than a
        function."""
        return self.default is not MISSING and not callable(self.default)

    def default_value(self) -> Any:
        """The default for a new row, a callable one called now."""
        return self.default() if callable(self.default) else self.default

    # -- values -------------------------------------------------------------------------------------

    def to_column(self, value: Any) -> Any:
        """`value` as the driver takes it. Raises ValidationError, naming model and field, when it does not
        fit."""
        if value is None:
            if self.nullable:
                return None
            raise self.invalid("is required and cannot be null")
        if self.fits(value):
            return value
        try:
            return self.encode(msgspec.convert(value, self._accepts))
        except _REFUSALS as error:
            raise self.invalid(_sentence(error)) from None

    def to_columns(self, values: list[Any]) -> list[Any]:
        """`to_column` of each of `values`; the list itself where all of them fit."""
        types = set(map(type, values))
        given = values
        if _NONE in types:
            types.remove(_NONE)
            given = [value for value in values if value is not None] if self.nullable else []
        if given and self.all_fit(given, types):
            return values
        return [self.to_column(value) for value in values]

    def all_fit(self, values: list[Any], types: set[type]) -> bool:
        """Whether `fits` says yes to every one of `values`, which are at least one and none of them null.

        `types` are those of the values: what can be said of all of them at once is said in C, some twenty
        times faster than of each."""
        return all(map(self.fits, values))

    def fits(self, value: Any) -> bool:
        """Whether `value` is already what `to_column` would give back: the short way, for what is written
        most.

        It may say no to a value that is right, never yes to one that is wrong.
        """
        return False

    def to_filter(self, value: Any) -> Any:
        """`value`, from Python or from JSON, as the driver takes it in a comparison. Raises ValueError
        with a sentence.

        Limits do not apply: a filter may well ask for what no row can have.
        """
        try:
            return self.encode(msgspec.convert(value, self.python_type))
        except _REFUSALS as error:
            raise ValueError(_sentence(error)) from None

    def encode(self, value: Any) -> Any:
        """A checked value of `python_type` as the driver takes it."""
        return value

    def decoder(self) -> Callable[[Any], Any] | None:
        """What turns the driver's value into `python_type`, or None where the driver does so by itself."""
        return None

    def json_column(self, column: str) -> str:
        """The SQL to select `column` by for an answer in JSON, where there is something cheaper than the
        value."""
        return column

    def json_decoder(self) -> Callable[[Any], Any] | None:
        """What turns the driver's value of `json_column` into something that encodes to the field's
        JSON."""
        return self.decoder()

    def invalid(self, sentence: str) -> ValidationError:
        """A ValidationError about this field."""
        return ValidationError(
            f"{self.model_name}.{self.name} {sentence}",
            errors=(Place(f"/{self.name}", INVALID, sentence),),
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.model_name}.{self.name}>"


_NONE: Final = type(None)

_REFUSALS: Final = (msgspec.ValidationError, ValueError, ArithmeticError, RecursionError)
"""What msgspec and Python raise for a value: of another kind, with half a character, no number, or without
an end."""


def _sentence(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return str(error)[:1].lower() + str(error)[1:]
    if isinstance(error, UnicodeEncodeError):
        return "contains half of a surrogate pair"
    return "is nested without end" if isinstance(error, RecursionError) else "is no value that can be kept"
