"""What products are sorted by."""

from orm import Char, DotModel


class Category(DotModel):
    """A row of `categories`."""

    __table__ = "categories"

    name: str = Char(max_length=50, required=True)
