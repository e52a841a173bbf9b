import pytest

from services.dotorm_databases_postgres.settings import DatabaseSettings


@pytest.mark.parametrize(
    "settings",
    [
        DatabaseSettings(),
        DatabaseSettings(url="postgresql://u:p@a:5432,b:5432/db?target_session_attrs=read-write"),
        DatabaseSettings(url="postgres://a/db", listen_url="postgresql://b/db"),
        DatabaseSettings(pool_min=0, pool_max=1),
    ],
)
def test_sensible_settings_have_no_problems(settings: DatabaseSettings) -> None:
    assert list(settings.problems()) == []


@pytest.mark.parametrize(
    "url", ["mysql://me:hidden@host/db", "host/db", "postgresql:/host", "postgresql+asyncpg://h/d"]
)
def test_a_url_of_another_kind_is_a_problem_that_does_not_show_it(url: str) -> None:
    (problem,) = DatabaseSettings(url=url).problems()

    assert problem == (
        "DATABASE__URL is not a PostgreSQL URL: write postgresql://user:password@host:5432/database"
    )


def test_a_url_to_listen_on_needs_the_other_one() -> None:
    (problem,) = DatabaseSettings(listen_url="postgresql://b/db").problems()

    assert problem == "DATABASE__LISTEN_URL is given without DATABASE__URL: give both, or neither"


def test_a_pool_cannot_keep_more_than_it_may_have() -> None:
    (problem,) = DatabaseSettings(pool_min=5, pool_max=3).problems()

    assert problem.startswith("DATABASE__POOL_MIN is 5, more than DATABASE__POOL_MAX, 3")
