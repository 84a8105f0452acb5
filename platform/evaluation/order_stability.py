"""How often one method stays above another under other divisions of the same subjects, and other seeds.

All divisions test the same people. So this says how far the order of two methods depends on who trains and
who tests, and on the training seed; it says nothing of other people, which intervals over subjects do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from statistics import median

from platform.evaluation.accuracy_interval import Interval, clopper_pearson


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What one method predicted under one division with one seed."""

    correct: int
    images: int
    """At least 1."""

    @property
    def accuracy(self) -> Fraction:
        """Pooled, exact: ties are ties."""
        return Fraction(self.correct, self.images)


Results = Mapping[tuple[int, int], Scored]
"""(division, seed) to the result of one method."""


@dataclass(frozen=True, kw_only=True)
class OrderStability:
    """The order of two methods over the divisions and seeds that both have."""

    above: int
    """Divisions x seeds in which the first has the higher pooled accuracy."""
    tied: int
    below: int
    division_count: int
    seed_count: int
    """Of the division with the most seeds."""
    interval: Interval | None
    """95 % CI of `share`, for other divisions of the same subjects and other seeds; None with one
    division."""
    difference: float
    """First minus second: mean over divisions of the mean over seeds; in [-1, 1]."""
    lowest: float
    """The smallest of the divisions' means over seeds."""
    highest: float

    @property
    def count(self) -> int:
        """Divisions x seeds."""
        return self.above + self.tied + self.below

    @property
    def share(self) -> float:
        """Share of divisions x seeds in which the first is above, in [0, 1]; a tie counts half."""
        return (self.above + self.tied / 2) / self.count

    def reversed(self) -> OrderStability:
        """The same as second minus first."""
        ends = self.interval
        return replace(
            self,
            above=self.below,
            below=self.above,
            interval=None if ends is None else Interval(low=1.0 - ends.high, high=1.0 - ends.low),
            difference=0.0 - self.difference,  # 0 has no sign
            lowest=0.0 - self.highest,
            highest=0.0 - self.lowest,
        )


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The ranks of one method over divisions; 1 is the most accurate, tied methods share their mean rank."""

    best: float
    median: float
    worst: float


def order_stability(first: Results, second: Results, confidence: float = 0.95) -> OrderStability | None:
    """How often `first` is above `second`; None without a division and seed that both have.

    The interval is Clopper and Pearson's for as many independent draws as there are divisions: the seeds of a
    division are taken to agree fully, which is the worst case. Simulated for 2 to 20 divisions with 1 to 5
    seeds, true shares of 0.5 to 0.97 and any agreement of the seeds, it covered in 95.1 % or more of all
    cases (tests/evaluation/test_order_stability.py). Assumes that divisions are independent draws; one that a
    rule fixes, such as FMPN's own, is counted like the others.
    """
    common = sorted(first.keys() & second.keys())
    if not common:
        return None
    gained = {cell: first[cell].accuracy - second[cell].accuracy for cell in common}
    of_division: dict[int, list[Fraction]] = {}
    for (division, _), difference in gained.items():
        of_division.setdefault(division, []).append(difference)
    means = [_mean(differences) for differences in of_division.values()]
    above, below = (sum(sign * one > 0 for one in gained.values()) for sign in (1, -1))
    made = OrderStability(
        above=above,
        tied=len(gained) - above - below,
        below=below,
        division_count=len(means),
        seed_count=max(map(len, of_division.values())),
        interval=None,
        difference=float(_mean(means)),
        lowest=float(min(means)),
        highest=float(max(means)),
    )
    if len(means) < 2:
        return made
    low, high = clopper_pearson(made.share, len(means), confidence)
    return replace(made, interval=Interval(low=low, high=high))


def ranks(methods: Sequence[Results]) -> list[Ranks | None]:
    """The ranks of each method over the divisions that all of them have, by the mean over its seeds.

    None for all where there is no common division.
    """
    common = (
        sorted(set.intersection(*({division for division, _ in one} for one in methods))) if methods else []
    )
    found: list[list[float]] = [[] for _ in methods]
    for division in common:
        means = [_mean([one[cell].accuracy for cell in one if cell[0] == division]) for one in methods]
        for place, mean in enumerate(means):
            higher = sum(other > mean for other in means)
            found[place].append(higher + (1 + sum(other == mean for other in means)) / 2)
    return [
        Ranks(best=min(of_one), median=float(median(of_one)), worst=max(of_one)) if of_one else None
        for of_one in found
    ]


def _mean(values: Sequence[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)
