"""The table, and what is asked of it: the same for every contestant."""

from collections.abc import Mapping
from typing import Any, Final

PRODUCTS: Final = 100_000
CATEGORIES: Final = 500

COLUMNS: Final = ("id", "name", "price", "stock", "active", "note", "created_at", "owner_id", "category_id")
READ: Final = COLUMNS[:-1]
"""The columns of a product besides its category, which a reading case wants as id and name."""

CASES: Final[Mapping[str, str]] = {
    "R": "R: one, category nested",
    "S40": "S40: 40 filtered, total",
    "S100": "S100: 100, no total",
    "U": "U: update one field",
    "C": "C: create",
}
"""The cases, and their names for readers."""

READING: Final = ("R", "S40", "S100")

LIMITS: Final = {"S40": 40, "S100": 100}

FILL: Final = (
    f"INSERT INTO categories (name) SELECT 'Category ' || n FROM generate_series(1, {CATEGORIES}) n",
    f"""
INSERT INTO products (name, price, stock, active, note, created_at, owner_id, category_id)
SELECT 'Product ' || n, (n * 37 % 100000) / 100.0 + 1, n * 7919 % 1000, n % 11 <> 0,
       CASE WHEN n % 3 <> 0 THEN 'A note about product ' || n END,
       timestamptz '2024-01-01 00:00:00+00' + n * interval '61.000007 seconds', $2, n % {CATEGORIES} + 1
FROM generate_series(1, $1) n
""",
)
"""Fills the tables, which Starling makes; $1 is how many products, $2 who owns them."""

Question = Mapping[str, Any]
"""What a request asks: `id` (R, U), `category` (S40: active products of that category), `price` (S100:
products of that price or more), `stock` (U), or the values of a new product (C)."""
