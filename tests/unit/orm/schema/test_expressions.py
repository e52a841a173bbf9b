"""Which defaults may have been a model's, in the words that PostgreSQL has for them."""

import pytest

from orm.schema.expressions import is_constant


@pytest.mark.parametrize(
    "words",
    [
        "0",
        "'-5'::integer",
        "(0)::smallint",
        "((1)::bigint)::integer",
        "1.50",
        "1e+300",
        "true",
        "'x'::character varying(40)",
        "'-1.5'::numeric(10,2)",
        "'it''s \\'::text",
        "'a\nb'::text",
        "'[]'::jsonb",
        "'12:00:00'::time without time zone",
        "'2024-01-01 00:00:00+00'::timestamp with time zone",
        "'{1,2}'::integer[]",
        "'x'::public.\"Kind\"",
    ],
)
def test_a_constant_may_have_been_a_models(words: str) -> None:
    assert is_constant(words)


@pytest.mark.parametrize(
    "words",
    [
        None,
        "now()",
        "nextval('a_seq'::regclass)",
        "gen_random_uuid()",
        "CURRENT_DATE",
        "('x'::text || 'y'::text)",
        "(1 + 1)",
        "lower('A'::text)",
        "'a'::text; DROP TABLE a",
        "(now())::date",
        "NULL::character varying",
    ],
)
def test_what_is_computed_is_a_persons(words: str | None) -> None:
    assert not is_constant(words)
