"""What a class body may say, and the sentence for what it may not."""

import datetime as dt
from typing import Any, cast

import pytest

from orm import (
    Char,
    Date,
    DeclarationError,
    DotModel,
    FieldNotLoaded,
    Integer,
    Many2one,
    Ref,
    Registry,
    Selection,
    ValidationError,
)
from orm.declaration import ModelType
from orm.fields.base import Field
from orm.fields.text import SelectionField
from tests.support.models import Category, Product


def declare(name: str, field: object, annotation: object = None) -> type[DotModel]:
    """A model with one field, as a class statement would make it."""
    annotations = {} if annotation is None else {name: annotation}
    namespace = {"__module__": __name__, "__table__": "things", name: field, "__annotations__": annotations}
    model = ModelType("Thing", (DotModel,), namespace)
    assert issubclass(model, DotModel)
    return model


def field_of(model: type[DotModel], name: str) -> Field:
    return model.__fields__[name]


def test_fields_stand_in_the_order_declared_after_the_id() -> None:
    assert list(Category.__fields__) == ["id", "name", "parent_id"]


@pytest.mark.parametrize(
    ("name", "field", "annotation", "sentence"),
    [
        ("search", Char(), str, "Thing.search: a field cannot be named like the verb"),
        ("as_dict", Char(), str, "Thing.as_dict: a field cannot be named like the verb"),
        ("all", Char(), str, "Thing.all: the verbs have a parameter"),
        ("or", Char(), str, "Thing.or: a field name is lower case"),
        ("Name", Char(), str, "Thing.Name: a field name is lower case"),
        ("x" * 64, Char(), str, "at most 63"),
        ("name", Char(required=True), str | None, "contradicts an annotation with None"),
        ("name", Char(max_length=0), str, "Thing.name: max_length is at least 1"),
        ("name", Char(max_length=5, min_length=6), str, "min_length lies between"),
        ("name", Char(pattern="("), str, "is no regular expression"),
        ("name", Char(max_length=2, default="long"), str, "the default 'long' is no value of this field"),
        ("size", Integer(min=5, max=1), int, "min 5 is above max 1"),
        ("size", Integer(default="many"), int, "the default 'many' is no value"),
        ("kind", Selection(options=[]), str, "options is empty"),
        ("kind", Selection(options=["a", "a"]), str, "options name one code twice"),
        ("kind", Selection(options=cast("Any", [1])), str, "Thing.kind: each of options is a (code, label)"),
        (
            "kind",
            Selection(options=[cast("Any", ("a", "b", "c"))]),
            str,
            "each of options is a (code, label)",
        ),
        ("kind", Selection(options=cast("Any", 5)), str, "options=5: it is a list of (code, label)"),
        ("filter", Char(), str, "Thing.filter: the verbs have a parameter"),
        ("id", Integer(), int, "Thing.id: every model has this field"),
        ("name", Char, str, "Thing.name: Char stands without brackets"),
        ("name", (Char(),), str, "Thing.name: is a tuple with a field in it"),
        (
            "name",
            cast("Any", Char)(requred=True),
            str,
            "Thing.name: requred=True: there is no such parameter",
        ),
        (
            "day",
            cast("Any", Date)(min="2020-01-01"),
            dt.date,
            "Thing.day: min='2020-01-01': there is no such",
        ),
        ("name", Char(required=cast("Any", "x")), str, "Thing.name: required='x': it is True or False"),
        ("name", Char(description=cast("Any", 5)), str, "Thing.name: description=5: it is a text"),
        ("name", Char(role_read=cast("Any", 5)), str, "Thing.name: role_read=5: it is the code of a role"),
        ("name", Char(max_length=cast("Any", "9")), str, "Thing.name: max_length='9': it is a number"),
        ("name", Char(), int, "Thing.name: the annotation says int, the values of the field are str"),
        ("name", Char(), "bool | None", "Thing.name: the annotation says bool"),
        ("size", Integer(), "bool", "Thing.size: the annotation says bool"),
        ("size", Integer(default=None), int, "the default is None, and the column may not be null"),
        ("size", Integer(min=cast("Any", "1")), int, "Thing.size: min='1': it is a number"),
        ("other_id", Many2one("others", ondelete=cast("Any", "explode")), int, "ondelete='explode'"),
        ("other_id", Many2one("others", ondelete="set null"), int, "needs a column that may be null"),
    ],
)
def test_a_wrong_declaration_is_refused_with_model_and_field(
    name: str, field: object, annotation: object, sentence: str
) -> None:
    with pytest.raises(DeclarationError, match="Thing") as refusal:
        declare(name, field, annotation)
    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("annotation", "nullable"),
    [
        (str, False),
        (str | None, True),
        ("str", False),
        ("str | None", True),
        ("None | str", True),
        ("Optional[str]", True),
        ("typing.Optional[str]", True),
        ("Union[str, None]", True),
        ("list[None]", False),
        (Ref["Category"] | None, True),
        (None, True),
    ],
)
def test_a_column_may_be_null_when_its_annotation_says_so(annotation: object, nullable: bool) -> None:
    assert field_of(declare("name", Char(), annotation), "name").nullable is nullable


@pytest.mark.parametrize(
    "annotation", [int, float, "decimal.Decimal", "Decimal | None", "Any", "Size", list[int]]
)
def test_an_annotation_that_does_not_contradict_its_field_is_left_alone(annotation: object) -> None:
    assert field_of(declare("size", Integer(), annotation), "size").kind == "integer"


def test_a_dictionary_of_options_says_codes_and_labels() -> None:
    kind = field_of(declare("kind", Selection(options={"a": "A", "b": "B"}), str), "kind")
    assert isinstance(kind, SelectionField)
    assert kind.options == (("a", "A"), ("b", "B"))


@pytest.mark.parametrize("pattern", ["^[a-z]+$", r"^(a|ab)$", r"^[$ab]+$"])
def test_the_end_of_a_pattern_is_the_end_of_the_text(pattern: str) -> None:
    name = field_of(declare("name", Char(pattern=pattern), str), "name")
    assert name.to_column("ab") == "ab"
    with pytest.raises(ValidationError, match=r"Thing\.name expected `str` matching regex"):
        name.to_column("ab\n")


def test_a_mixin_gives_each_model_fields_of_its_own() -> None:
    class Stamped(DotModel):
        stamp: str | None = Char()

    class One(Stamped):
        __table__ = "ones"

    class Two(Stamped):
        __table__ = "twos"

    assert field_of(One, "stamp") is not field_of(Two, "stamp")
    assert field_of(One, "stamp").model_name == "One"


def test_an_inherited_field_cannot_be_hidden_by_something_else() -> None:
    with pytest.raises(DeclarationError, match=r"Odd\.name: hides the inherited field"):

        class Odd(Category):
            name = "fixed"


def test_a_payload_has_only_what_was_set() -> None:
    payload = Product(name="Lamp")
    assert payload.name == "Lamp"
    with pytest.raises(FieldNotLoaded, match=r"Product\.price was not loaded"):
        _ = payload.price
    assert payload.as_dict() == {"name": "Lamp"}


def test_a_payload_refuses_an_unknown_field() -> None:
    with pytest.raises(ValidationError, match="Product has no field 'nam'"):
        Product(nam="Lamp")


def test_private_fields_stay_out_of_the_dictionary_and_the_representation() -> None:
    record = Product(name="Lamp", secret="s3cret")
    assert "secret" not in record.as_dict()
    assert "s3cret" not in repr(record)


def test_records_are_equal_when_model_and_id_are() -> None:
    assert Product(id=1, name="a") == Product(id=1, name="b")
    assert Product(id=1) != Product(id=2)
    assert Product(id=1) != Category(id=1)
    assert Product(name="a") != Product(name="a")
    assert len({Product(id=1), Product(id=1, name="a")}) == 1


def test_a_way_back_to_the_record_ends_in_its_id() -> None:
    category = Category(id=1, name="a")
    category.parent_id = category
    assert category.as_dict() == {"id": 1, "name": "a", "parent_id": 1}


def test_a_to_one_relation_reads_as_a_record_once_composed() -> None:
    registry = Registry.compose({"category": Category, "product": Product})
    product = registry.model("product").cls(category_id=7)
    assert isinstance(product, Product)
    assert product.category_id is not None
    assert product.category_id.id == 7
    assert product.category_id == Category(id=7)
    assert product.category_id is product.category_id
    with pytest.raises(FieldNotLoaded, match=r"Category\.name"):
        _ = product.category_id.name
