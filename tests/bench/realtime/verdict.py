"""What the arrivals say: how late they came, and whether all did, once each and in one order. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """Counts over all receivers; all zero is what a chat promises."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0

    def __str__(self) -> str:
        return f"{self.lost} / {self.doubled} / {self.out_of_order}"

    def __add__(self, other: "Verdict") -> "Verdict":
        return Verdict(
            self.lost + other.lost, self.doubled + other.doubled, self.out_of_order + other.out_of_order
        )


def judged(arrivals: Sequence[Sequence[int]], expected: Sequence[int]) -> Verdict:
    """How the numbers that each receiver got, in the order of arrival, compare with those that were sent.

    Posters that overlap have no order of their own: the first receiver that has all numbers once gives it,
    for all of them. A number that comes after a later one is out of order."""
    wanted = set(expected)
    order = next((one for one in arrivals if len(one) == len(wanted) and set(one) == wanted), expected)
    place: Mapping[int, int] = {number: index for index, number in enumerate(order)}
    exact = list(order)
    lost = doubled = swapped = 0
    for numbers in arrivals:
        if list(numbers) == exact:
            continue
        seen: set[int] = set()
        latest = -1
        for number in numbers:
            if number in seen:
                doubled += 1
                continue
            seen.add(number)
            at = place.get(number, latest)
            swapped += at < latest
            latest = max(latest, at)
        lost += len(wanted - seen)
    return Verdict(lost, doubled, swapped)


def percentile(ascending: Sequence[float], percent: int) -> float:
    """The value that `percent` of all are not above; nan where there is none."""
    if not ascending:
        return math.nan
    return ascending[max(0, math.ceil(len(ascending) * percent / 100) - 1)]
