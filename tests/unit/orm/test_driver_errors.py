import asyncpg
import pytest

from orm.driver_errors import translate
from orm.errors import AccessDenied, DatabaseUnavailable, Problem, StatementTimeout, TransactionConflict


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DiskFullError("no space left on device"), DatabaseUnavailable),
        (asyncpg.OutOfMemoryError("out of memory"), DatabaseUnavailable),
        (asyncpg.TooManyConnectionsError("sorry, too many clients already"), DatabaseUnavailable),
        (asyncpg.AdminShutdownError("terminating connection"), DatabaseUnavailable),
        (ConnectionResetError(), DatabaseUnavailable),
        (asyncpg.QueryCanceledError("canceling statement"), StatementTimeout),
        (asyncpg.DeadlockDetectedError("deadlock detected"), TransactionConflict),
        (asyncpg.InsufficientPrivilegeError("permission denied"), AccessDenied),
    ],
)
def test_what_the_driver_says_becomes_a_problem_without_its_words(
    error: Exception, expected: type[Problem]
) -> None:
    made = translate(error, None)
    assert type(made) is expected
    assert str(error) == "" or str(error) not in str(made)


def test_what_there_is_nothing_better_to_say_of_is_left() -> None:
    assert translate(asyncpg.PostgresSyntaxError("syntax error"), None) is None
