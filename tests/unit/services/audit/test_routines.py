from orm import Char, Computed, DotModel, Many2many, Registry, Text
from services.audit.models import AuditEntry
from services.audit.routines import routines, watched_tables


class Account(DotModel):
    __table__ = "accounts"
    __audit__ = True
    login: str = Char(required=True)
    password_hash: str = Char(private=True, required=True)
    answer: str | None = Text(private=True)
    shout: str | None = Computed(sql="upper(login)", of=Text())
    teams: list["Team"] = Many2many("teams", table="account_teams", column1="account_id", column2="team_id")
    friends: list["Account"] = Many2many("accounts", table="friends", column1="one_id", column2="other_id")


class Team(DotModel):
    __table__ = "teams"
    name: str = Char(required=True)
    accounts: list[Account] = Many2many(
        "accounts", table="account_teams", column1="team_id", column2="account_id"
    )


class Visit(DotModel):
    __table__ = "visits"
    secret: str | None = Text(private=True)


def registry(*models: type[DotModel]) -> Registry:
    return Registry.compose({model.__table__: model for model in models})


def test_audited_tables_are_watched_with_their_links_and_private_columns() -> None:
    assert watched_tables(registry(AuditEntry, Account, Team, Visit)) == {
        "account_teams": [],
        "accounts": ["answer", "password_hash"],
        "friends": [],
    }


def test_where_no_model_is_audited_nothing_is_watched() -> None:
    assert watched_tables(registry(AuditEntry, Visit)) == {}
    assert list(routines(registry(AuditEntry, Visit)).values())[-1] == "SELECT audit_watch('{}')"


def test_the_texts_are_the_same_for_the_same_models_in_any_order() -> None:
    assert routines(registry(Account, Team, Visit)) == routines(registry(Visit, Team, Account))


def test_only_the_watch_depends_on_the_models() -> None:
    some, none = routines(registry(Account, Team)), routines(registry(Visit))

    assert [name for name in some if some[name] != none[name]] == ["audit watch"]
