"""From what was measured to figures, a table and a verdict. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Sample:
    """What one operation took in one slice, on average: seconds of wall time, and of the client's CPU."""

    wall: float
    cpu: float


Samples = Mapping[str, Mapping[str, Sequence[Sample]]]
"""case -> contestant -> one sample for each round."""


@dataclass(frozen=True)
class Figure:
    """Medians over the rounds: microseconds, and how fast compared with the base (1: as fast, 0.5: half)."""

    wall: float
    cpu: float
    ratio: float
    cpu_ratio: float


Figures = Mapping[str, Mapping[str, Figure]]
"""case -> contestant -> figure."""


def figures_of(samples: Samples, *, base: str) -> dict[str, dict[str, Figure]]:
    """The figure of every contestant in every case, `base` being the one that ratios compare with.

    A ratio is the median of the ratios within each round, not the ratio of the medians: what disturbs the
    machine for seconds disturbs both sides of a round. Raises ValueError when rounds are missing."""
    return {
        case: {name: _figure(own, contestants[base]) for name, own in contestants.items()}
        for case, contestants in samples.items()
    }


def _figure(own: Sequence[Sample], base: Sequence[Sample]) -> Figure:
    rounds = list(zip(own, base, strict=True))
    if not rounds:
        raise ValueError("there is no round to take the median of")
    return Figure(
        wall=median(sample.wall for sample in own) * 1e6,
        cpu=median(sample.cpu for sample in own) * 1e6,
        ratio=median(other.wall / sample.wall for sample, other in rounds),
        cpu_ratio=median(other.cpu / sample.cpu for sample, other in rounds),
    )


def table(
    figures: Figures,
    titles: Mapping[str, str],
    targets: Mapping[str, Mapping[str, float]],
    *,
    cell: Callable[[Figure], str] | None = None,
) -> str:
    """Markdown: a row for each contestant, a column for each case, cells as `cell` writes a figure (as
    `times_cell` does, unless another is given).

    `titles` names the cases for readers, in the order of the columns; `targets` are the last rows: by the
    name of the row, ratios by case."""
    write = cell or times_cell
    cases = [case for case in titles if case in figures]
    names = list(dict.fromkeys(name for case in cases for name in figures[case]))
    rows = [["", *(titles[case] for case in cases)]]
    for name in names:
        found = [figures[case].get(name) for case in cases]
        rows.append([name, *("-" if figure is None else write(figure) for figure in found)])
    for name, wanted in targets.items():
        rows.append([name, *(f"≥ {wanted[case]:.2f}" if case in wanted else "" for case in cases)])
    return aligned(rows)


def times_cell(figure: Figure) -> str:
    """ "ratio · wall µs (CPU µs)"."""
    return f"{figure.ratio:.2f} · {figure.wall:,.0f} ({figure.cpu:,.0f})"


def rates_cell(figure: Figure) -> str:
    """ "ratio · operations per second (CPU µs)"."""
    return f"{figure.ratio:.2f} · {1e6 / figure.wall:,.0f} ({figure.cpu:,.0f})"


def cpu_cell(figure: Figure) -> str:
    """The ratio of CPU: on a busy machine it says more than that of time."""
    return f"{figure.cpu_ratio:.2f}"


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """A table of Markdown, the first row being its head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    lines.insert(1, f"|{'|'.join('-' * (width + 2) for width in widths)}|")
    return "\n".join(lines)


def missed(figures: Figures, targets: Mapping[str, float], *, contestant: str) -> list[str]:
    """A sentence for every target that `contestant` did not reach; a case that was not measured counts."""
    sentences = []
    for case, target in targets.items():
        figure = figures.get(case, {}).get(contestant)
        if figure is None:
            sentences.append(f"{case}: not measured, target {target:.2f}")
        elif round(figure.ratio, 2) < target:
            sentences.append(f"{case}: {figure.ratio:.2f}, target {target:.2f}")
    return sentences
