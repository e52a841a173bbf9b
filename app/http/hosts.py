"""The allow-list of Host headers: a stranger's page cannot reach us by a name of its own (DNS rebinding)."""

from collections.abc import Sequence

from app.core.errors import Malformed


class AllowedHosts:
    """Names without ports: `example.com`, `*.example.com` for every name below it, `[::1]`, `*` for all."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.allows_all = "*" in patterns
        self._names = frozenset(pattern.lower() for pattern in patterns if not pattern.startswith("*"))
        self._endings = tuple(pattern[1:].lower() for pattern in patterns if pattern.startswith("*."))

    def check(self, host: bytes | None) -> None:
        """Raise Malformed unless the raw Host header is on the list; two, joined by a comma, never are."""
        if self.allows_all:
            return
        name = _name((host or b"").decode("latin-1").lower())
        if name not in self._names and not (self._endings and name.endswith(self._endings)):
            raise Malformed("This server does not answer to that Host header.")


def _name(host: str) -> str:
    """The host without its port and without the dot that may end a full name."""
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].removesuffix(".")
