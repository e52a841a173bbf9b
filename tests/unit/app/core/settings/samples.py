"""A small Settings of its own, so that these tests do not change with the project's."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.core.settings import SECRET, Section, SettingsCore


class Engine(Section, frozen=True, kw_only=True):
    power: Annotated[int, Meta(ge=1, le=9, description="How strong.")] = 3
    pause_seconds: Annotated[float, Meta(gt=0, description="How long.")] = 2
    is_loud: Annotated[bool, Meta(description="Whether one hears it.")] = False
    names: Annotated[tuple[str, ...], Meta(description="What it is called.")] = ("one",)
    mode: Annotated[Literal["slow", "fast"], Meta(description="How it runs.")] = "slow"
    folder: Annotated[Path, Meta(description="Where it lives.")] = Path("engine")
    url: Annotated[str | None, Meta(description="Where it is reached.")] = None
    secret: Annotated[str | None, SECRET, Meta(description="What opens it.")] = None

    def problems(self) -> Iterable[str]:
        if self.mode == "fast" and self.power < 2:
            yield "ENGINE__POWER is too little for ENGINE__MODE fast: raise it to 2"


class Wheel(Section, frozen=True, kw_only=True):
    size: Annotated[int, Meta(ge=1, description="In inches.")] = 20


class Bicycle(SettingsCore, frozen=True, kw_only=True):
    engine: Engine = msgspec.field(default_factory=Engine)
    wheel: Wheel = msgspec.field(default_factory=Wheel)

    def problems(self) -> Iterable[str]:
        if self.wheel.size > 100 and self.engine.mode == "fast":
            yield "WHEEL__SIZE is too large for ENGINE__MODE fast: choose slow"
