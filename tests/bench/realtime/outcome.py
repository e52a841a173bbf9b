"""What a run found."""

from dataclasses import dataclass, field
from typing import Any

from tests.bench.realtime.fanout import Slice
from tests.bench.realtime.growth import Grown
from tests.bench.realtime.posting import Heard, Posted


@dataclass
class Outcome:
    """By the title of the server, where there are several. What was not asked for is empty."""

    slices: dict[str, list[Slice]] = field(default_factory=dict)
    fastest: dict[str, Slice | None] = field(default_factory=dict)
    heard: Heard | None = None
    posted: list[Posted] = field(default_factory=list)
    stored: dict[str, Any] = field(default_factory=dict)
    growth: dict[str, list[Grown]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
