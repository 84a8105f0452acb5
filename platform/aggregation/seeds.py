"""Groups of rows that differ only in the training seed, and their mean and spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from platform.aggregation.table_row import TableRow
from platform.evaluation.run_variance import RunVariance, seed_variance


@dataclass(frozen=True, kw_only=True)
class SeedMean:
    """Mean and spread of one accuracy over seeds, in [0, 1]."""

    mean: float
    standard_deviation: float
    """n - 1 in the denominator: the spread of single training runs, not a standard error of the mean."""


@dataclass(frozen=True, kw_only=True)
class SeedGroup:
    """Two or more complete rows with equal method, data, rules and configurations, and different seeds."""

    rows: tuple[TableRow, ...]
    """By ascending seed; each seed once."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(row.seed for row in self.rows if row.seed is not None)

    @property
    def mean_of_folds(self) -> SeedMean:
        """Of the rows' means of folds."""
        return _over_seeds([row.scores.mean_of_folds for row in self.rows if row.scores])

    @property
    def pooled_image_accuracy(self) -> SeedMean:
        """Of the rows' pooled accuracies of images."""
        return _over_seeds([row.scores.pooled_image_accuracy for row in self.rows if row.scores])

    @property
    def pooled_sequence_accuracy(self) -> SeedMean:
        """Of the rows' pooled accuracies of sequences."""
        return _over_seeds([row.scores.pooled_sequence_accuracy for row in self.rows if row.scores])

    @property
    def variance(self) -> RunVariance:
        """The fold accuracies of all rows, split into effects of seed and fold."""
        folds = [row.scores.folds for row in self.rows if row.scores]
        return seed_variance(np.array([[fold.accuracy for fold in one] for one in folds]))


def seed_groups(rows: Sequence[TableRow]) -> tuple[SeedGroup, ...]:
    """The groups among `rows`, ordered by their first row. Incomplete rows belong to none."""
    found: dict[tuple[object, ...], dict[int, TableRow]] = {}
    for row in rows:
        if not row.complete or row.scores is None or row.seed is None:
            continue
        key = (
            row.method, row.dataset, row.selection_rule, row.kind, row.masks, row.fold_rule, row.fold_count,
            row.chosen_folds, row.data_hash, row.result_version, row.configurations,
        )  # fmt: skip
        # Two experiments can contain the same fold runs; they count as one seed.
        found.setdefault(key, {}).setdefault(row.seed, row)
    return tuple(
        SeedGroup(rows=tuple(of_seed[seed] for seed in sorted(of_seed)))
        for of_seed in found.values()
        if len(of_seed) > 1
    )


def _over_seeds(values: Sequence[float]) -> SeedMean:
    return SeedMean(mean=float(np.mean(values)), standard_deviation=float(np.std(values, ddof=1)))
