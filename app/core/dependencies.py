"""Puts modules in order: what others depend on goes first, and the lists of services must agree. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from app.core.errors import StartError


def sorted_by_dependency(depends: Mapping[str, Sequence[str]]) -> list[str]:
    """The names, each after what it depends on; otherwise the order of `depends` is kept.


    Raises StartError with the whole chain, "a -> b -> a", for a cycle or for a name that is not there.
    """
    ordered: list[str] = []
    chain: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in chain:
            raise StartError(
                f"modules depend on each other in a circle: {_arrows(chain[chain.index(name) :], name)}: "
                "take one `depends` out"
            )
        if name not in depends:
            raise StartError(
                f"module {chain[-1]} depends on {name}, which is not installed: {_arrows(chain, name)}: "
                "add it to Apps.installed, or take the `depends` out"
            )
        chain.append(name)
        for needed in depends[name]:
            visit(needed)
        chain.pop()
        ordered.append(name)

    for name in depends:
        visit(name)
    return ordered


def check_start_order(services: Sequence[str], depends: Mapping[str, Sequence[str]]) -> None:
    """Raise StartError when a service would start before one that it depends on, however indirectly.


    `services` are all services in the order of their start; `depends` has neither cycles nor unknown names.
    """
    position = {name: index for index, name in enumerate(services)}
    for name in services:
        for needed in _everything_below(name, depends):
            if position.get(needed, -1) > position[name]:
                raise StartError(
                    f"service {name} starts before {needed}, which it depends on: "
                    f"put {needed} before {name} in Apps.services_before / services_after"
                )


def _everything_below(name: str, depends: Mapping[str, Sequence[str]]) -> Iterator[str]:
    seen: set[str] = set()
    waiting = list(depends[name])
    while waiting:
        needed = waiting.pop()
        if needed not in seen:
            seen.add(needed)
            yield needed
            waiting += depends[needed]


def _arrows(chain: Sequence[str], last: str) -> str:
    return " -> ".join((*chain, last))
