"""Models for tests of what attends a write: accounts with hooks that note each call, entries on them, and
labels. Accounts and labels are audited."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from orm import Char, DotModel, Integer, Many2many, Many2one, One2many, Ref, Text

calls: ContextVar[list[tuple[Any, ...]]] = ContextVar("hook_calls")
"""What the hooks were called with: (hook, model, arguments)."""

AUDITED = """
CREATE TABLE trail (at serial PRIMARY KEY, what text, who text, request text);
CREATE FUNCTION note_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trail (what, who, request) VALUES (
        TG_OP || ' ' || TG_TABLE_NAME,
        current_setting('starling.user_id', true),
        current_setting('starling.request_id', true)
    );
    RETURN NULL;
END $$;
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION note_it();
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON labels FOR EACH ROW EXECUTE FUNCTION note_it();
CREATE TRIGGER t AFTER INSERT OR UPDATE OR DELETE ON entry_labels FOR EACH ROW EXECUTE FUNCTION note_it()
"""


class Noted(DotModel):
    """A mixin whose hooks note that they ran, and do what the notes tell them to."""

    stamp: str | None = Text(readonly=True, private=True)

    @classmethod
    async def before_create(cls, records: list[dict[str, Any]]) -> None:
        await super().before_create(records)
        note("before_create", cls, [dict(record) for record in records])
        for record in records:
            record["stamp"] = "made"

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        await super().after_create(ids)
        note("after_create", cls, list(ids))

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        await super().before_update(ids, values)
        note("before_update", cls, list(ids), dict(values))
        values["stamp"] = "changed"

    @classmethod
    async def after_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        await super().after_update(ids, values)
        note("after_update", cls, list(ids), dict(values))
        if values.get("name") == "bad":
            raise ValueError("the hook has its reasons")

    @classmethod
    async def before_delete(cls, ids: Sequence[int]) -> None:
        await super().before_delete(ids)
        note("before_delete", cls, list(ids))

    @classmethod
    async def after_delete(cls, ids: Sequence[int]) -> None:
        await super().after_delete(ids)
        note("after_delete", cls, list(ids))


class Account(Noted):
    __table__ = "accounts"
    __audit__ = True

    name: str = Char(required=True, unique=True)
    owner: int = Integer(default=0)
    secret: str | None = Char()
    entries: list["Entry"] = One2many("entries", "account_id")


class Entry(Noted):
    __table__ = "entries"

    title: str = Char(required=True)
    account_id: Ref["Account"] | None = Many2one("accounts", ondelete="cascade", readonly=True)
    labels: list["Label"] = Many2many("labels", table="entry_labels", column1="entry_id", column2="label_id")


class Label(DotModel):
    __table__ = "labels"
    __audit__ = True

    name: str = Char(required=True)


class Plain(DotModel):
    """Neither hooks nor trail: what a write costs at least."""

    __table__ = "plains"

    name: str = Char(required=True)
    owner: int = Integer(default=0)


LEDGER: Mapping[str, type[DotModel]] = {"account": Account, "entry": Entry, "label": Label, "plain": Plain}


def note(hook: str, cls: type[DotModel], *arguments: Any) -> None:
    """Remember a call of a hook."""
    calls.get([]).append((hook, cls.__name__, *arguments))
