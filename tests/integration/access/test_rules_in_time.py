"""Rules that change their mind by themselves: `{{now}}` is another moment in every request."""

import datetime as dt
from typing import Any, Final

from app.core.access import AccessSession, reset_access_session, set_access_session
from orm.access import system
from orm.verbs.read import many
from services.security.policy import Policy
from services.security.rights import ListRow, Rights, RoleRow, RuleRow
from tests.integration.access.larder import LARDER, MODELS, Jar, Label
from tests.support.models import shop

ROLE: Final = RoleRow(1, "one")
PAST, FUTURE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2120, 1, 1, tzinfo=dt.UTC)


def rights(*rules: RuleRow) -> Rights:
    lists = [
        ListRow(number, 1, table, can_create=True, can_read=True, can_update=True, can_delete=True)
        for number, table in enumerate(MODELS, 1)
    ]
    return Rights(roles=[ROLE], closure=[(1, 1)], lists=lists, rules=rules)


async def test_pages_go_on_where_the_filter_looks_through_a_rule_with_the_time(database_url: str) -> None:
    policy = Policy()
    policy.use(rights(RuleRow(1, "ripe", "jars", 1, [["at", "<", "{{now}}"]], ["read"])))
    async with shop(database_url, models=LARDER, policy=policy):
        with system():
            ripe, unripe = [await Jar.create(word="a", at=at) for at in (PAST, FUTURE)]
            best = [(ripe, 3), (unripe, 2)]
            labels = [await Label.create(word="b", best_id=jar) for jar, times in best for _ in range(times)]
        session = AccessSession(
            user_id=7, login="ada", name="Ada", role_ids=frozenset({1}), role_codes=frozenset({"one"})
        )
        token = set_access_session(session)
        try:
            found: list[Any] = []
            after: str | None = None
            while after is not None or not found:
                asked = [["best_id.word", "=", "a"]]
                reading = many(Label, asked, ["id"], order="id", limit=1, after=after, api=True)
                page, after = await reading.json_page(await reading.rows())
                found += [row.id for row in page]  # type: ignore[attr-defined]
        finally:
            reset_access_session(token)

    assert found == [label.id for label in labels[:3]]
