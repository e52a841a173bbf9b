"""Where a page's neighbours are found: the Link header (RFC 8288) of a search.

A link is a GET, also from a search by body, and leads to the same rows with the same parameters. There is
none where a GET cannot say it: with `nested`, or when its path would be longer than servers and proxies take.
The cursor in the body is always there.
"""

import re
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

import msgspec
from starlette.types import Scope

from app.crud.query import DEFAULT_LIMIT, Search

LONGEST: Final = 4096
"""Characters of a path with its query: half of what the usual servers take as one line."""

Header = tuple[bytes, bytes]

_STARTS: Final = ("after", "offset")  # the parameters that say where a page begins
_UNESCAPED: Final = re.compile(r"[^!$-;=?-Z_a-z~]")  # what must not stand in a query as it is: RFC 3986
_KEPT: Final = "!$%&'()*+,/:;=?@~"


def links(path: str, query: str, following: str | None) -> list[Header]:
    """The header of a page of `path`, asked for by `query` as it came; `following` is the next page's
    cursor."""
    base = "&".join(pair for pair in query.split("&") if pair and _name(pair) not in _STARTS)
    found = []
    if following is not None:
        found.append(_link(path, f"{base}&after={following}" if base else f"after={following}", "next"))
    found.append(_link(path, base, "first"))
    return [(b"link", ", ".join(found).encode("ascii"))] if all(found) else []


def query_of(search: Search) -> str:
    """The query string that asks for the same as a body. It has no `nested`."""
    given: dict[str, Any] = {}
    if search.filter:
        given["filter"] = msgspec.json.encode(search.filter).decode()
    if search.fields is not None:
        given["fields"] = ",".join(search.fields) or "id"  # which is always there
    if search.order:
        given["order"] = search.order if isinstance(search.order, str) else ",".join(search.order)
    if search.limit != DEFAULT_LIMIT:
        given["limit"] = search.limit
    if search.count != "none":
        given["count"] = search.count
    return "&".join(f"{name}={quote(str(value), safe=',')}" for name, value in given.items())


def path_outside(scope: Scope, path: str) -> str:
    """`path` as clients see it, below the one that the application is served under, fit for a header."""
    root: str = scope.get("root_path", "")
    return quote(root) + path if root else path


def _name(pair: str) -> str:
    name = pair.partition("=")[0]
    return unquote_to_bytes(name).decode(errors="replace") if "%" in name else name


def _link(path: str, query: str, relation: str) -> str:
    """One link; empty when it would be too long."""
    if _UNESCAPED.search(query):
        query = quote(query, safe=_KEPT)
    target = f"{path}?{query}" if query else path
    return f'<{target}>; rel="{relation}"' if len(target) <= LONGEST else ""
