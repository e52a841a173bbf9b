"""The field types. A field owns its column type, its checks, and how its values look in a filter and in an
update."""

from orm.fields.base import MISSING, Field
from orm.fields.computed import Computed
from orm.fields.numbers import BigInteger, Boolean, Decimal, Float, Integer, SmallInteger
from orm.fields.others import Binary, JSONField, Uuid
from orm.fields.relations import Many2many, Many2one, One2many, One2one, Ref
from orm.fields.text import Char, Selection, Text
from orm.fields.times import Date, Datetime, Time, utc_now

__all__ = [
    "MISSING",
    "BigInteger",
    "Binary",
    "Boolean",
    "Char",
    "Computed",
    "Date",
    "Datetime",
    "Decimal",
    "Field",
    "Float",
    "Integer",
    "JSONField",
    "Many2many",
    "Many2one",
    "One2many",
    "One2one",
    "Ref",
    "Selection",
    "SmallInteger",
    "Text",
    "Time",
    "Uuid",
    "utc_now",
]
