"""The field of a login: canonical wherever it is written or compared, on every path to the database."""

from typing import Any, Unpack

from orm.fields.base import FieldOptions
from orm.fields.text import CharField
from services.users.rules import LONGEST_LOGIN, canonical_login, login_problem


class LoginField(CharField):
    """Text of at most 100 characters, stored and looked for in its canonical form: see users/rules.py."""

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        super().__init__(max_length=LONGEST_LOGIN, min_length=None, pattern=None, **options)

    def to_column(self, value: Any) -> Any:
        """See Field. The limits hold for the canonical form, which may be longer than what was given."""
        login = super().to_column(value)
        problem = login_problem(login) if login is not None else None
        if problem is not None:
            raise self.invalid(problem)
        return login

    def fits(self, value: Any) -> bool:
        """See Field: there is no short way, every login is put into its canonical form."""
        return False

    def constraints(self) -> dict[str, Any]:
        """See Field: none on what is given, `to_column` looks at what becomes of it."""
        return {}

    def encode(self, value: Any) -> Any:
        """See Field."""
        return super().encode(canonical_login(value))


def Login(**options: Unpack[FieldOptions]) -> Any:  # noqa: N802  # reads as a type in a declaration, like Char
    """A login: trimmed, case folded."""
    return LoginField(**options)
