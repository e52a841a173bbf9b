"""INSERT, UPDATE and DELETE, as text."""

from orm import Registry
from orm.builder import write as build
from orm.filters.parse import Shape
from orm.filters.render import SAME_VERSION
from tests.support.ledger import LEDGER

PLAIN = Registry.compose(LEDGER).model("plain")
MINE: Shape = ("cmp", "owner", "=")
BY_ID: Shape = ("cmp", "id", "=")


def test_a_row_is_given_back_with_its_version() -> None:
    assert build.insert(PLAIN, ("name", "owner"), returning=("id", "xmin")) == (
        'INSERT INTO "plains" AS t ("name", "owner") VALUES ($1::varchar, $2::integer) '
        'RETURNING "id", "xmin"::text'
    )
    assert build.insert(PLAIN, (), returning=("id",)) == (
        'INSERT INTO "plains" AS t DEFAULT VALUES RETURNING "id"'
    )


def test_a_rule_is_asked_about_a_new_row_in_its_statement() -> None:
    assert build.insert(PLAIN, ("name",), rule=MINE, returning=("id",)) == (
        'INSERT INTO "plains" AS t ("name") SELECT n."name" FROM '
        '(SELECT NULL::bigint AS "id", $1::varchar AS "name", NULL::integer AS "owner") n '
        'WHERE n."owner" = $2::bigint RETURNING "id"'
    )


def test_many_rows_come_from_one_array_a_column() -> None:
    assert build.insert_many(PLAIN, ("name", "owner"), returning=("id",)) == (
        'INSERT INTO "plains" ("name", "owner") SELECT "name", "owner" FROM '
        'unnest($1::varchar[], $2::integer[]) WITH ORDINALITY AS n("name", "owner", "#") '
        'ORDER BY "#" RETURNING "id"'
    )
    assert build.upsert(PLAIN, ("name",), (), ("name",)).endswith(
        'ON CONFLICT ("name") DO UPDATE SET "name" = excluded."name" RETURNING "id", xmax = 0 AS "is_new"'
    )


def test_a_rule_is_asked_about_the_row_as_it_is_and_as_it_will_be() -> None:
    assert build.update(PLAIN, ("owner",), (BY_ID, MINE), rule=MINE, returning=("owner",)) == (
        'UPDATE "plains" AS t SET "owner" = $1::integer WHERE t."id" = $2::bigint AND t."owner" = $3::bigint '
        'AND $1::integer = $4::bigint RETURNING "owner"'
    )


def test_a_version_is_compared_as_text() -> None:
    assert build.delete(PLAIN, (("and", BY_ID, SAME_VERSION),)) == (
        'DELETE FROM "plains" AS t WHERE (t."id" = $1::bigint AND t."xmin"::text = $2::text)'
    )


def test_many_rows_are_changed_or_none() -> None:
    assert build.update_all_or_none(PLAIN, ("name",), (MINE,), rule=MINE) == (
        'WITH c AS MATERIALIZED (SELECT t."id", (t."owner" = $3::bigint) IS TRUE AS passes '
        'FROM "plains" AS t WHERE t."owner" = $2::bigint FOR NO KEY UPDATE OF t), '
        'w AS (UPDATE "plains" AS t SET "name" = $1::varchar FROM c WHERE t."id" = c."id" '
        "AND NOT EXISTS (SELECT 1 FROM c WHERE NOT c.passes) RETURNING 1) "
        "SELECT (SELECT count(*) FROM w), (SELECT count(*) FROM c WHERE NOT c.passes)"
    )
