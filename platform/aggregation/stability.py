"""Lines of the table over several divisions of the subjects into folds: how stable their order is."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.paired_images import PairedImages
from platform.aggregation.seeds import IDENTIFYING, SeedGroup
from platform.evaluation.order_stability import OrderStability, Ranks, Scored, order_stability, ranks
from platform.evaluation.probability_better import ProbabilityBetter, probability_better

OF_DIVISIONS = ("repeat", "fold_rule")
"""What a line's rows under other divisions of the same subjects differ in."""


@dataclass(frozen=True, kw_only=True)
class DividedLine:
    """A line, and the same method and settings under further divisions of the subjects."""

    line: SeedGroup
    """Under the first of its divisions: the line of the main table where that is complete."""
    accuracies: tuple[float | None, ...]
    """Pooled accuracy, mean over seeds, under each division of the section; None without a complete row."""
    seeds: tuple[int, ...]
    """Of all divisions together, ascending."""
    ranks: Ranks | None
    """Among the lines of the section over the divisions that all of them have; None without such a one."""


@dataclass(frozen=True, kw_only=True)
class DividedPair:
    """The order of two lines over divisions and seeds."""

    first: DividedLine
    second: DividedLine
    order: OrderStability
    probability: ProbabilityBetter | None
    """That the mean difference of folds is above 1 point, within it, or below, by the correlated t test over
    folds x seeds x divisions; None with fewer than two folds."""

    def reversed(self) -> DividedPair:
        """The same pair with the second line first."""
        found = self.probability
        return DividedPair(
            first=self.second,
            second=self.first,
            order=self.order.reversed(),
            probability=found and replace(found, better=found.worse, worse=found.better),
        )


@dataclass(frozen=True, kw_only=True)
class Stability:
    """The lines that were run under more than one division of the subjects."""

    divisions: tuple[str, ...]
    """Names, in order: `paper`, `stratified 1`, ..."""
    lines: tuple[DividedLine, ...]
    """In the order of the table."""
    pairs: tuple[DividedPair, ...]
    """Each two lines once, the earlier line first; only those with a common division and seed."""


Division = tuple[str, bytes]
"""What was tested, and which subjects together."""


def stability_of(lines: Sequence[SeedGroup]) -> Stability | None:
    """The stability of the lines of one data set; None where no line has two divisions.

    lines: with a group of its own for every division, as `seed_groups` makes them of all rows. Rows pair by
    division and seed, whatever the experiment; rows of folds of other sizes, or that test other images, do
    not. Incomplete rows are left out.
    """
    divided: dict[tuple[object, ...], dict[Division, SeedGroup]] = {}
    for line in sorted(lines, key=lambda one: one.first.repeat):
        if line.finished and line.images is not None:
            of_line = divided.setdefault(_without_division(line), {})
            of_line.setdefault(_division(line.images), line)
    several = [of_line for of_line in divided.values() if len(of_line) > 1]
    if not several:
        return None
    place = {id(line): number for number, line in enumerate(lines)}
    several.sort(key=lambda of_line: min(place[id(line)] for line in of_line.values()))
    names = _names_of_divisions(several)
    results = [_results(of_line, list(names)) for of_line in several]
    made = [
        DividedLine(
            line=next(iter(of_line.values())),
            accuracies=tuple(_accuracy(of_line.get(division)) for division in names),
            seeds=tuple(sorted({seed for _, seed in cells})),
            ranks=its_ranks,
        )
        for of_line, cells, its_ranks in zip(several, results, ranks(results), strict=True)
    ]
    pairs = []
    for one, other in itertools.combinations(range(len(made)), 2):
        order = order_stability(results[one], results[other])
        if order is not None:
            probability = _probability(several[one], several[other])
            pairs.append(
                DividedPair(first=made[one], second=made[other], order=order, probability=probability)
            )
    return Stability(divisions=tuple(names.values()), lines=tuple(made), pairs=tuple(pairs))


def _division(images: PairedImages) -> Division:
    """Equal for rows that tested the same images with the same subjects together, in any order of folds."""
    _, first, number = np.unique(images.fold, return_index=True, return_inverse=True)
    # Folds are numbered by their first subject.
    return images.tested, np.argsort(np.argsort(first))[number].astype(np.int64).tobytes()


def _names_of_divisions(several: Sequence[dict[Division, SeedGroup]]) -> dict[Division, str]:
    """`paper`, `stratified 1`; with the experiment where two have that name. Those of lower repeats first."""
    found = {division: line.first for of_line in several for division, line in of_line.items()}
    rows = dict(sorted(found.items(), key=lambda item: item[1].repeat))
    short = [f"{row.fold_rule} {row.repeat}" if row.repeat else row.fold_rule for row in rows.values()]
    return {
        division: name if short.count(name) == 1 else f"{name} of {row.experiment}"
        for (division, row), name in zip(rows.items(), short, strict=True)
    }


def _without_division(line: SeedGroup) -> tuple[object, ...]:
    return tuple(getattr(line.first, name) for name in IDENTIFYING if name not in OF_DIVISIONS)


def _results(
    of_line: dict[Division, SeedGroup], divisions: Sequence[Division]
) -> dict[tuple[int, int], Scored]:
    return {
        (divisions.index(division), one.row.seed): Scored(
            correct=int(images.correct.sum()), images=images.count
        )
        for division, line in of_line.items()
        for one in line.finished
        if (images := one.images) is not None and one.row.seed is not None
    }


def _accuracy(line: SeedGroup | None) -> float | None:
    mean = None if line is None else line.pooled_image_accuracy
    return None if mean is None else mean.mean


def _probability(
    first: dict[Division, SeedGroup], second: dict[Division, SeedGroup]
) -> ProbabilityBetter | None:
    """Over the folds of all divisions and seeds that both have."""
    differences: list[np.ndarray] = []
    tested: list[np.ndarray] = []
    for division in first:
        of_seed = {one.row.seed: one for one in second[division].finished} if division in second else {}
        for one in first[division].finished:
            other = of_seed.get(one.row.seed)
            if other is not None:
                difference, sizes = _of_folds(one, other)
                differences.append(difference)
                tested.append(sizes)
    if not tested or len(tested[0]) < 2:
        return None
    sizes = np.stack(tested)
    return probability_better(np.stack(differences), sizes, sizes.sum(axis=1, keepdims=True) - sizes)


def _of_folds(first: AggregatedRow, second: AggregatedRow) -> tuple[np.ndarray, np.ndarray]:
    """The difference in each fold, and the images that it tested: (folds,) each."""
    assert first.images is not None
    assert second.images is not None
    _, place = np.unique(first.images.fold, return_inverse=True)
    sizes = np.bincount(place, weights=first.images.images)
    correct = [np.bincount(place, weights=one.images.correct) for one in (first, second) if one.images]
    return (correct[0] - correct[1]) / sizes, sizes
