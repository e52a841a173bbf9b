"""A small project for tests of its document: a writable model with every kind of field, one that is only
read, one without an API, and hand-written routes of every kind.
"""

import datetime
import decimal
import uuid
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.websockets import WebSocket

from app.crud.actions import action
from app.crud.table import CrudTable
from app.http.bodies import Body, Request
from app.http.dispatch import Dispatcher
from app.http.replies import Reply
from app.http.routing import Content, Router
from app.openapi import Project
from app.openapi.document import openapi_document
from orm import (
    Binary,
    Boolean,
    Char,
    Computed,
    Date,
    Datetime,
    Decimal,
    DotModel,
    Float,
    Integer,
    JSONField,
    Many2many,
    Many2one,
    One2many,
    Ref,
    Registry,
    Selection,
    Text,
    Time,
    Uuid,
    utc_now,
)


class Stamp(Body):
    """What is stamped on a book."""

    text: Annotated[str, Meta(max_length=20)]


class Author(DotModel):
    """Secret remarks for who works on it."""

    __table__ = "authors"
    __auto_crud__ = "read"

    name: str = Char(required=True)
    salary: int | None = Integer(private=True)
    books: list["Book"] = One2many("books", "author_id")
    diaries: list["Diary"] = One2many("diaries", "author_id", private=True)


class Book(DotModel):
    __table__ = "books"
    __route__ = "book-shelf"

    title: str = Char(max_length=80, min_length=1, required=True, description="On the cover")
    kind: str = Selection(options=[("novel", "Novel"), ("poem", "Poem")], default="novel")
    pages: int = Integer(min=1, max=5000, default=100)
    weight: float | None = Float()
    price: decimal.Decimal | None = Decimal(10, 2)
    value: decimal.Decimal | None = Computed(sql="price * pages", of=Decimal(14, 2))
    is_lent: bool = Boolean(default=False)
    printed: datetime.date | None = Date()
    opens: datetime.time | None = Time()
    added_at: datetime.datetime = Datetime(default=utc_now, readonly=True)
    cover: bytes | None = Binary()
    code: uuid.UUID | None = Uuid()
    extra: dict[str, Any] | None = JSONField()
    blurb: str | None = Text(pattern="^A")
    secret: str | None = Text(private=True)
    author_id: Ref[Author] = Many2one("authors", required=True)
    editor_id: Ref[Author] | None = Many2one("authors")
    tags: list["Tag"] = Many2many("tags", table="book_tags", column1="book_id", column2="tag_id")

    @action(body=Stamp, status=201)
    async def stamp(self, body: Stamp) -> Stamp | None:
        """Stamp the book.

        On its first page.
        """
        raise NotImplementedError

    @action(needs="read")
    async def praise(self) -> Reply[list[int]]:
        raise NotImplementedError


class Tag(DotModel):
    __table__ = "tags"
    __auto_crud__ = False

    name: str = Char(required=True)


class Diary(DotModel):
    __table__ = "diaries"
    __auto_crud__ = False

    author_id: Ref[Author] = Many2one("authors", required=True)


class Hidden(DotModel):
    __table__ = "hidden"
    __auto_crud__ = False

    name: str = Char(required=True)


MODELS = {"author": Author, "book": Book, "tag": Tag, "diary": Diary, "hidden": Hidden}


class Loan(Body):
    """A book that is to be lent."""

    book_id: int
    days: Annotated[int, Meta(ge=1, le=30)] = 14


class Lent(msgspec.Struct):
    """What was lent."""

    book: Book
    until: datetime.date


class Unknown:
    """No data."""


class LoanPage(msgspec.Struct):
    """`after` is the `next` of the page before."""

    reader: Annotated[str, Meta(min_length=1, description="Who has them.")]
    limit: Annotated[int, Meta(ge=1, le=50)] = 10
    after: Annotated[int, Meta(ge=0)] | None = None
    kinds: list[Literal["novel", "poem"]] = []


private = Router("/loans", tags=("loans",))
public = Router()


@private.post("", body=Loan, status=201)
async def lend(request: Request, body: Loan) -> Lent:
    """Lend a book.

    For some days.
    """
    raise NotImplementedError


@private.get("", query=LoanPage)
async def loans(request: Request, query: LoanPage) -> list[Lent]:
    """What is lent."""
    raise NotImplementedError


@private.put("/{loan_id:int}", body=Loan, status=201, responses={200: Lent, 202: None})
async def extend(request: Request, body: Loan) -> Reply[Lent]:
    raise NotImplementedError


@private.get("/report", responses={200: Content("text/csv"), 304: None})
async def report(request: Request) -> Response:
    raise NotImplementedError


@private.get("/{loan_id:int}")
async def loan(request: Request) -> Lent | None:
    raise NotImplementedError


@private.delete("/{number:int}")
async def bring_back(request: Request) -> None:
    raise NotImplementedError


@private.get("/{loan_id:int}/pages/{page}")
async def page(request: Request) -> Reply[Any]:
    raise NotImplementedError


@private.get("/strange")
async def strange(request: Request) -> Unknown:
    raise NotImplementedError


@public.get("/welcome")
async def welcome(request: Request) -> HTMLResponse:
    raise NotImplementedError


@public.get("/lobby", responses={401: None, 403: None})
async def lobby(request: Request) -> dict[str, int]:
    raise NotImplementedError


@public.post("/join", body=Loan)
async def lend_more(request: Request, body: Loan) -> dict[str, list[Book]]:
    raise NotImplementedError


@public.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    raise NotImplementedError


async def plain(request: Request) -> Response:
    raise NotImplementedError


public.routes.append(Route("/plain", plain, methods=["GET", "POST"]))
public.routes.append(Route("/unlisted", plain, include_in_schema=False))
public.routes.append(Mount("/mounted", Router()))

written = Router("/api/authors")


@written.post("", body=Loan)
async def make_author(request: Request, body: Loan) -> Author:
    raise NotImplementedError


@written.get("/{author:int}")
async def read_author(request: Request) -> Author:
    raise NotImplementedError


def project_of(
    models: Any = MODELS,
    routers: Iterable[tuple[Router, bool]] = ((private, True), (public, False), (written, True)),
) -> Project:
    """The project of those models and routers (with whether they are private)."""
    dispatcher = Dispatcher()
    for router, is_private in routers:
        dispatcher.include(router, private=is_private, module="library")
    registry = Registry.compose(models)
    return Project(
        title="Library",
        version="7.8.9",
        targets=dispatcher.targets,
        resources=tuple(CrudTable(registry).resources.values()),
        registry=registry,
        summaries={"library": "Books and who has them."},
    )


def document_of(project: Project) -> dict[str, Any]:
    """Its document, as a program reads it."""
    document: dict[str, Any] = msgspec.json.decode(openapi_document(project))
    return document


def schema_of(document: dict[str, Any], name: str) -> Any:
    """The component of that name."""
    return document["components"]["schemas"][name]


def answers(operation: Any, status: str) -> Any:
    """The schema of the JSON that is answered with a status."""
    return operation["responses"][status]["content"]["application/json"]["schema"]


def reads(operation: Any) -> Any:
    """The schema of the JSON body that is read."""
    return operation["requestBody"]["content"]["application/json"]["schema"]


def ref(name: str) -> dict[str, str]:
    """What refers to a component."""
    return {"$ref": f"#/components/schemas/{name}"}
