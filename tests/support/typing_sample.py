"""What type checkers are to infer of models, without a plugin. It is checked, never run.

A line that has to be an error says so in a comment: the checkers complain when it is none."""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

import datetime as dt
import decimal
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any, assert_type

from orm import (
    Boolean,
    Char,
    Computed,
    Database,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Index,
    Integer,
    JSONField,
    Many2many,
    Many2one,
    One2many,
    One2one,
    Ref,
    Selection,
    Text,
    Uuid,
    utc_now,
)
from orm.page import Page


class User(DotModel):
    __table__ = "users"

    login: str = Char(max_length=50, required=True, unique=True)
    born: dt.date | None = Date()
    messages: list["Message"] = One2many("messages", "author_id")


class Tag(DotModel):
    __table__ = "tags"

    name: str = Char(required=True)


class Message(DotModel):
    __table__ = "messages"
    __audit__ = True
    __indexes__ = (("author_id", "-id"), Index(["pinned"], where=[["pinned", "=", True]], unique=True))

    body: str = Text(required=True)
    kind: str = Selection(options=[("text", "Text"), ("call", "Call")], default="text")
    subject: str | None = Char()
    price: decimal.Decimal = Decimal(10, 2, default=0)
    weight: float | None = Float()
    stock: int = Integer(default=0)
    pinned: bool = Boolean(default=False)
    token: uuid.UUID | None = Uuid()
    data: Any = JSONField()
    sent_at: dt.datetime = Datetime(default=utc_now)
    total: decimal.Decimal | None = Computed(sql="price * stock", of=Decimal(14, 2))
    author_id: Ref[User] = Many2one(User, required=True, ondelete="cascade")
    answer_to_id: Ref["Message"] | None = Many2one("messages", ondelete="set null")
    receipt_id: Ref[User] = One2one(lambda: User)
    tags: list[Tag] = Many2many("tags", table="message_tags", column1="message_id", column2="tag_id")


class Stamped(DotModel):
    """A mixin with a hook."""

    changed_at: dt.datetime | None = Datetime(readonly=True)

    @classmethod
    async def before_update(cls, ids: Sequence[int], values: dict[str, Any]) -> None:
        await super().before_update(ids, values)
        values["changed_at"] = utc_now()


class Memo(Stamped):
    __table__ = "memos"
    __if_match__ = "required"

    text: str = Text(required=True)

    @classmethod
    async def after_create(cls, ids: Sequence[int]) -> None:
        assert_type((await Memo.search([["id", "in", ids]]))[0].text, str)


async def attributes(message: Message, user: User) -> None:
    assert_type(message.id, int)
    assert_type(message.body, str)
    assert_type(message.subject, str | None)
    assert_type(message.price, decimal.Decimal)
    assert_type(message.weight, float | None)
    assert_type(message.stock, int)
    assert_type(message.pinned, bool)
    assert_type(message.token, uuid.UUID | None)
    assert_type(message.sent_at, dt.datetime)
    assert_type(message.total, decimal.Decimal | None)
    assert_type(user.born, dt.date | None)


async def relations(message: Message, user: User) -> None:
    assert_type(message.author_id, User)
    assert_type(message.author_id.login, str)
    assert_type(message.receipt_id.login, str)
    assert_type(message.answer_to_id, Message | None)
    if message.answer_to_id is not None:
        assert_type(message.answer_to_id.author_id.login, str)
    assert_type(message.tags, list[Tag])
    assert_type(message.tags[0].name, str)
    assert_type(user.messages, list[Message])
    assert_type([one.author_id.login for one in user.messages], list[str])
    assert message.answer_to_id.body  # type: ignore[union-attr]


async def assignments(message: Message, user: User) -> None:
    message.body = "new"
    message.subject = None
    message.author_id = user
    message.author_id = 7
    message.answer_to_id = None
    message.answer_to_id = message
    message.answer_to_id = 7
    message.body = None  # type: ignore[assignment]
    message.stock = "1"  # type: ignore[assignment]
    message.author_id = "7"  # type: ignore[assignment]
    message.nothing = 1  # type: ignore[attr-defined]


async def verbs(message: Message) -> None:
    assert_type(await Message.create(body="x", author_id=1), Message)
    assert_type(await Message.create({"body": "x"}), Message)
    assert_type(await Message.create(Message(body="x")), Message)
    assert_type(await Message.create_bulk([{"body": "x"}, Message(body="y")]), list[int])
    assert_type(await Message.upsert([{"body": "x"}], on=["body"]), list[int])
    assert_type(await Message.get(1), Message)
    assert_type(await Message.get(1, ["body", "author_id.login"], lock="update"), Message)
    assert_type((await Message.get(1)).author_id.login, str)
    assert_type(await Message.get_or_none(1), Message | None)
    page = await Message.search(
        [["body", "ilike", "%x%"], ["or", ["stock", "in", [1, 2]], ["subject", "is null"]]]
    )
    assert_type(page, Page[Message])
    assert_type(page[0].body, str)
    assert_type(page.next, str | None)
    assert_type([one.id for one in page], list[int])
    nested = {"tags": {"fields": ["name"], "order": "-id", "limit": 20}}
    assert_type(
        await Message.search(nested=nested, order=["-price", "body"], limit=10, after=page.next),
        Page[Message],
    )
    assert_type(await Message.search_count(), int)
    assert_type(await Message.exists([["stock", ">", 1]]), bool)
    assert_type(
        await Message.aggregate(
            group_by=["author_id.login", "sent_at:month"], values={"total": ("sum", "price")}
        ),
        list[dict[str, Any]],
    )
    assert_type(Message.iterate(order="id", batch=10), AsyncGenerator[Message, None])
    async for one in Message.iterate():
        assert_type(one.author_id.login, str)
    assert_type(await Message.update_bulk([["stock", "=", 0]], stock=1), int)
    assert_type(await Message.delete_bulk([], all=True), int)
    assert_type(await message.update(body="y"), Message)
    assert_type(await message.refresh(["body"]), Message)
    assert_type(message.as_dict(), dict[str, Any])
    await message.delete()
    await Message.get("1")  # type: ignore[arg-type]
    await Message.get(1, lock="wait")  # type: ignore[arg-type]
    await Message.search(limit="1")  # type: ignore[arg-type]
    assert (await Message.get_or_none(1)).body  # type: ignore[union-attr]
    await Message.find(1)  # type: ignore[attr-defined]
    Message.get(1)  # type: ignore[unused-coroutine]


async def sessions(db: Database) -> None:
    async with db.transaction(isolation="serializable", readonly=True) as transaction:
        assert_type(transaction.now, dt.datetime)
        db.on_commit(lambda: None)
    assert_type(db.in_transaction, bool)
    assert_type(await db.execute("SELECT 1"), str)
    db.transaction(isolation="none")  # type: ignore[arg-type]


def declarations() -> None:
    Char(max_lenght=5)  # type: ignore[call-arg]
    Many2one("users", ondelete="explode")  # type: ignore[arg-type]
