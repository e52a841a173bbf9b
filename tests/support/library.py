"""Models for tests of relations: authors, their books, and tags on both; a book has one cover."""

import decimal
from collections.abc import Mapping

from orm import (
    Char,
    Computed,
    Decimal,
    DotModel,
    Integer,
    Many2many,
    Many2one,
    One2many,
    One2one,
    Ref,
)


class Author(DotModel):
    __table__ = "authors"

    name: str = Char(required=True)
    mentor_id: Ref["Author"] | None = Many2one("authors", ondelete="set null")
    pupils: list["Author"] = One2many("authors", "mentor_id")
    books: list["Book"] = One2many("books", "author_id")


class Book(DotModel):
    __table__ = "books"

    title: str = Char(required=True)
    pages: int = Integer(default=100)
    price: decimal.Decimal | None = Decimal(10, 2)
    value: decimal.Decimal | None = Computed(sql="price * pages", of=Decimal(14, 2))
    author_id: Ref["Author"] = Many2one(lambda: Author, required=True, ondelete="cascade")
    tags: list["Tag"] = Many2many("tags", table="book_tags", column1="book_id", column2="tag_id")
    covers: list["Cover"] = One2many("covers", "book_id")


class Tag(DotModel):
    __table__ = "tags"

    name: str = Char(required=True, unique=True)
    books: list["Book"] = Many2many("books", table="book_tags", column1="tag_id", column2="book_id")


class Cover(DotModel):
    __table__ = "covers"

    colour: str = Char(required=True)
    book_id: Ref["Book"] = One2one("books", required=True, ondelete="cascade")


LIBRARY: Mapping[str, type[DotModel]] = {"author": Author, "book": Book, "tag": Tag, "cover": Cover}
