import pytest

from orm import DotModel
from orm.errors import DeclarationError, ValidationError
from services.users.models.login import Login, LoginField


class Somebody(DotModel):
    __table__ = "somebodies"

    login: str = Login(required=True, unique=True)
    alias: str | None = Login()


FIELD = Somebody.__fields__["login"]


def test_a_login_is_stored_in_canonical_form() -> None:
    assert FIELD.to_column("  ADA ") == "ada"


def test_a_login_is_looked_for_in_canonical_form() -> None:
    assert FIELD.to_filter("  ADA ") == "ada"


@pytest.mark.parametrize("login", ["", "   ", "a\0b", "a\nb", "x" * 101, "ß" * 51, 7, None])
def test_a_login_that_cannot_be_is_refused(login: object) -> None:
    with pytest.raises(ValidationError) as refused:
        FIELD.to_column(login)

    assert [place.pointer for place in refused.value.errors] == ["/login"]


def test_blanks_around_a_login_do_not_count() -> None:
    assert FIELD.to_column(" " * 50 + "x" * 100 + " " * 50) == "x" * 100


def test_a_login_may_be_absent_where_the_column_may_be_null() -> None:
    assert Somebody.__fields__["alias"].to_column(None) is None


def test_a_login_is_a_varchar_of_100() -> None:
    assert isinstance(FIELD, LoginField)
    assert FIELD.column_type == "varchar(100)"


def test_a_default_that_cannot_be_is_found_when_the_class_is_declared() -> None:
    with pytest.raises(DeclarationError, match=r"Wrong\.login: the default '' is no value"):

        class Wrong(DotModel):
            __table__ = "wrongs"

            login: str = Login(default="")
