"""Which presets of modules were brought in."""

from typing import Any

from orm import Char, DotModel, JSONField


class AccessPreset(DotModel):
    """A preset that was brought in once, and what it said then: see services/security/presets.py."""

    __table__ = "access_presets"
    __auto_crud__ = False

    key: str = Char(max_length=200, required=True, unique=True)
    content: Any = JSONField(required=True)
