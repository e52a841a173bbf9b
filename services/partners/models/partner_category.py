"""A word that partners are sorted by."""

from orm import Char, DotModel


class PartnerCategory(DotModel):
    """A row of `partner_categories`."""

    __table__ = "partner_categories"

    name: str = Char(max_length=100, required=True, unique=True, pattern=r"\S")
    color: str | None = Char(
        max_length=30, pattern=r"^(#[0-9A-Fa-f]{6}|[A-Za-z]+)$", description="A colour of CSS: #ff8800, teal"
    )
