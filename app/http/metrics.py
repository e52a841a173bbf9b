"""What a process counts, for /metrics: in memory, by hand, in some hundred nanoseconds a request.

    failures = metrics_of(app).counter("starling_sign_in_failures_total", "Sign-ins that were refused.")
    failures.add()
    metrics_of(app).source(lambda: [Family.single("starling_pool_size", "gauge", "...", pool.size)])

A counter is for things that happen; a source is asked at each scrape for what can be looked up. Labels come
from the program, never from clients: unknown paths are one route, unknown methods one method.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec
from starlette.applications import Starlette

Labels = tuple[tuple[str, str], ...]
Kind = Literal["counter", "gauge", "histogram"]

# Seconds. From a cached answer to the statement timeout; each bound is a line for each route.
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WEBSOCKET"})
UNKNOWN_ROUTE: Final = "(unknown)"


class Sample(msgspec.Struct, frozen=True, array_like=True):
    """One number. `suffix` is what follows the family's name: `_bucket`, `_sum` and `_count` of a
    histogram."""

    labels: Labels
    value: float
    suffix: str = ""


class Family(msgspec.Struct, frozen=True, array_like=True):
    """All numbers of one name."""

    name: str
    kind: Kind
    help: str
    samples: Sequence[Sample]

    @classmethod
    def single(cls, name: str, kind: Kind, help: str, value: float) -> "Family":
        """The family of one number, which has no labels."""
        return cls(name, kind, help, [Sample((), float(value))])


Source = Callable[[], Iterable[Family]]


class Counter:
    """A number that only grows, or several that labels tell apart."""

    def __init__(self, name: str, help: str) -> None:
        self._name = name
        self._help = help
        self._values: dict[Labels, float] = {}

    def add(self, amount: float = 1, **labels: str) -> None:
        """So much more. The values of labels come from the program: each one is kept for ever."""
        key = tuple(labels.items())
        self._values[key] = self._values.get(key, 0) + amount

    def family(self) -> Family:
        """How it stands."""
        values = self._values or {(): 0.0}
        return Family(self._name, "counter", self._help, [Sample(*one) for one in values.items()])


class _Durations:
    """How many took how long, and their sum."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def samples(self, labels: Labels) -> Iterator[Sample]:
        """As a histogram."""
        total = 0
        for bound, count in zip((*map(_number, BUCKETS), "+Inf"), self.buckets, strict=True):
            total += count
            yield Sample((*labels, ("le", bound)), total, "_bucket")
        yield Sample(labels, self.seconds, "_sum")
        yield Sample(labels, total, "_count")


class _Route(_Durations):
    """The requests of one method and route, by status too."""

    __slots__ = ("statuses",)

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[int, int] = {}


class Metrics:
    """The numbers of one process."""

    def __init__(self) -> None:
        self._routes: dict[tuple[str, str], _Route] = {}
        self._database = _Durations()
        self._counters: dict[str, Counter] = {}
        self._sources: list[Source] = []
        self.gather_all: Callable[[], Iterable[Family]] = self.families
        """What /metrics shows: these numbers, or with several workers those of all of them."""

    def observe(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """A request was answered. `route` is its template, None where no route was found."""
        key = (method, route or UNKNOWN_ROUTE)
        found = self._routes.get(key)
        if found is None:
            if method not in _METHODS:
                key = ("OTHER", key[1])
            found = self._routes.setdefault(key, _Route())
        found.buckets[bisect_left(BUCKETS, seconds)] += 1
        found.seconds += seconds
        statuses = found.statuses
        statuses[status] = statuses.get(status, 0) + 1

    def observe_database(self, seconds: float) -> None:
        """A request was answered that waited so long for the database, all its statements together."""
        self._database.buckets[bisect_left(BUCKETS, seconds)] += 1
        self._database.seconds += seconds

    def counter(self, name: str, help: str) -> Counter:
        """The counter of that name, made when it is first asked for."""
        return self._counters.setdefault(name, Counter(name, help))

    def source(self, source: Source) -> None:
        """Ask `source` at each scrape. It returns at once and does not raise."""
        self._sources.append(source)

    def families(self) -> list[Family]:
        """All numbers as they stand."""
        found = [self._requests(), self._durations(), self._waits()]
        found += (counter.family() for counter in self._counters.values())
        for source in self._sources:
            found += source()
        return found

    def _requests(self) -> Family:
        samples = [
            Sample((("method", method), ("route", route), ("status", str(status))), count)
            for (method, route), one in self._routes.items()
            for status, count in one.statuses.items()
        ]
        return Family("starling_requests_total", "counter", "Requests by route, method and status.", samples)

    def _durations(self) -> Family:
        samples = [
            sample
            for (method, route), one in self._routes.items()
            for sample in one.samples((("method", method), ("route", route)))
        ]
        return Family(
            "starling_request_duration_seconds", "histogram", "Time from head to answer, in seconds.", samples
        )

    def _waits(self) -> Family:
        return Family(
            "starling_request_database_seconds",
            "histogram",
            "Time that a request waited for answers of the database, of those that asked it.",
            list(self._database.samples(())),
        )


def metrics_of(app: Starlette) -> Metrics:
    """The metrics of the edge that stands around an application; where it has none, some that nobody sees."""
    found = getattr(app.middleware_stack, "metrics", None)
    return found if isinstance(found, Metrics) else Metrics()


def merged(parts: Iterable[tuple[str, Iterable[Family]]]) -> list[Family]:
    """The families of several processes as one list, each sample with the label `worker`."""
    found: dict[str, Family] = {}
    samples: dict[str, list[Sample]] = {}
    for worker, families in parts:
        for family in families:
            found.setdefault(family.name, family)
            samples.setdefault(family.name, []).extend(
                Sample((*one.labels, ("worker", worker)), one.value, one.suffix) for one in family.samples
            )
    return [Family(one.name, one.kind, one.help, samples[one.name]) for one in found.values()]


def rendered(families: Iterable[Family]) -> str:
    """The families in the text format of Prometheus, version 0.0.4."""
    lines: list[str] = []
    for family in families:
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.kind}")
        for sample in family.samples:
            labels = ",".join(f'{name}="{_quoted(value)}"' for name, value in sample.labels)
            braces = f"{{{labels}}}" if labels else ""
            lines.append(f"{family.name}{sample.suffix}{braces} {_number(sample.value)}")
    return "\n".join([*lines, ""])


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')
