"""One line of `starling doctor`."""

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, how it is, and what helps where it is not well."""

    name: str
    state: Literal["ok", "warn", "fail"]
    detail: str
    remedy: str = ""


def ok(name: str, detail: str) -> Finding:
    """It is well."""
    return Finding(name, "ok", detail)


def warn(name: str, detail: str, remedy: str) -> Finding:
    """It works, and one day it may not."""
    return Finding(name, "warn", detail, remedy)


def fail(name: str, detail: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(name, "fail", detail, remedy)
