"""Lines of the table: rows that differ in nothing but the training seed, and their mean and spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.mask_errors import MaskComparison, mask_comparison
from platform.aggregation.optimism_gap import gap_interval
from platform.aggregation.paired_images import PairedImages
from platform.aggregation.scores import Scores
from platform.aggregation.table_row import TableRow
from platform.evaluation.accuracy_interval import AccuracyInterval, seed_accuracy_interval
from platform.evaluation.run_variance import RunVariance, seed_variance
from platform.evaluation.subject_interval import StatisticInterval

NOT_IDENTIFYING = (
    "seed",
    # Where the row was found. Presets and the source of settings say how its configuration came about; the
    # configuration itself identifies it.
    "experiment", "preset", "preset_changes", "command", "settings", "is_baseline",
    # What came out.
    "problems", "selection_score", "scores", "fold_runs", "mask_quality", "masks_recomputed",
    "mask_comparison", "mask_sums", "gap_subjects",
)  # fmt: skip
"""Fields of TableRow that rows of one line may differ in; all others set rows apart."""
IDENTIFYING = tuple(field.name for field in fields(TableRow) if field.name not in NOT_IDENTIFYING)
UNKNOWN_UNTIL_FINISHED = ("data_hash", "result_version", "configurations", "width")
"""Fields of IDENTIFYING that are not known of a row without a finished fold."""


@dataclass(frozen=True, kw_only=True)
class SeedMean:
    """Mean and spread of one number over seeds."""

    mean: float
    standard_deviation: float | None
    """n - 1 in the denominator: the spread of single training runs, not a standard error of the mean. None
    with one seed."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SeedGroup:
    """A line of the table: rows with equal identity, one a training seed. Numbers are of complete rows."""

    members: tuple[AggregatedRow, ...]
    """By ascending seed; each seed once."""
    pooled_interval: AccuracyInterval | None = None
    """95 % CI of the mean over seeds of the pooled accuracy, for new subjects and seeds. None with fewer than
    two subjects or complete rows."""
    mean_of_folds_interval: AccuracyInterval | None = None
    """The same of the mean of folds."""

    @cached_property
    def rows(self) -> tuple[TableRow, ...]:
        """By ascending seed."""
        return tuple(member.row for member in self.members)

    @cached_property
    def finished(self) -> tuple[AggregatedRow, ...]:
        """The members of complete rows."""
        return tuple(one for one in self.members if one.row.complete and one.row.scores is not None)

    @property
    def first(self) -> TableRow:
        """A row that speaks for all where seeds do not differ; a complete one, if there is one."""
        return self.finished[0].row if self.finished else self.rows[0]

    @property
    def complete(self) -> bool:
        """Whether every seed has all its fold runs."""
        return len(self.finished) == len(self.members)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Ascending."""
        return tuple(row.seed for row in self.rows if row.seed is not None)

    @property
    def finished_seeds(self) -> tuple[int, ...]:
        """Those of complete rows, ascending."""
        return tuple(one.row.seed for one in self.finished if one.row.seed is not None)

    @property
    def experiments(self) -> tuple[str, ...]:
        """Where its rows were computed."""
        return tuple(dict.fromkeys(row.experiment for row in self.rows))

    @property
    def images(self) -> PairedImages | None:
        """What its rows tested, with the counts of the first seed; None without a complete row."""
        return self.finished[0].images if self.finished else None

    def over_seeds(self, value: Callable[[Scores], float | None]) -> SeedMean | None:
        """Mean and spread of a number of the rows' scores; None where a row lacks it, or none is complete."""
        found = [value(one.row.scores) for one in self.finished if one.row.scores is not None]
        numbers = [number for number in found if number is not None]
        if not numbers or len(numbers) < len(found):
            return None
        spread = float(np.std(numbers, ddof=1)) if len(numbers) > 1 else None
        return SeedMean(mean=float(np.mean(numbers)), standard_deviation=spread)

    @property
    def mean_of_folds(self) -> SeedMean | None:
        """Of the rows' means of folds."""
        return self.over_seeds(lambda scores: scores.mean_of_folds)

    @property
    def pooled_image_accuracy(self) -> SeedMean | None:
        """Of the rows' pooled accuracies of images, or of sequences where the method scores those."""
        return self.over_seeds(lambda scores: scores.pooled_image_accuracy)

    @property
    def pooled_sequence_accuracy(self) -> SeedMean | None:
        """Of the rows' pooled accuracies of sequences."""
        return self.over_seeds(lambda scores: scores.pooled_sequence_accuracy)

    @property
    def optimism_gap(self) -> float | None:
        """Mean of the rows' gaps, of those that a score selected; None without one."""
        gaps = [gap for row in self.rows if (gap := row.optimism_gap) is not None]
        return float(np.mean(gaps)) if gaps else None

    @cached_property
    def optimism_gap_interval(self) -> StatisticInterval | None:
        """95 % interval of `optimism_gap`, over subjects and the seeds of the final runs; None unless every
        row has one."""
        found = [one.row.gap_subjects for one in self.finished if one.row.optimism_gap_interval is not None]
        parts = [one for one in found if one is not None]
        return gap_interval(parts) if parts and len(parts) == len(self.members) else None

    @cached_property
    def mask_comparison(self) -> MaskComparison | None:
        """Predicted masks against the constant mask, over the complete rows; None unless all have stored
        errors of single faces."""
        sums = [one.row.mask_sums for one in self.finished if one.row.mask_sums is not None]
        return mask_comparison(sums) if sums and len(sums) == len(self.finished) else None

    @property
    def variance(self) -> RunVariance | None:
        """The fold accuracies of all complete rows, split into effects of seed and fold; None without one."""
        folds = [one.row.scores.folds for one in self.finished if one.row.scores]
        if not folds:
            return None
        return seed_variance(np.array([[fold.accuracy for fold in one] for one in folds]))


def identity_of(row: TableRow) -> tuple[object, ...]:
    """Everything that sets a row apart from others but its seed."""
    return tuple(getattr(row, name) for name in IDENTIFYING)


def seed_groups(aggregated: Sequence[AggregatedRow]) -> tuple[SeedGroup, ...]:
    """The lines of these rows, ordered by their first row; a row alone is a line of one seed.

    Rows with the same fold runs (of several experiments) count once; `repeated_rows` names the others. Rows
    of one identity and seed with other fold runs (of another kind of machine) are lines of their own. A row
    without a finished fold joins the one line of its experiment that it can belong to.
    """
    once = list(_once(aggregated).values())
    found: dict[tuple[object, ...], list[list[AggregatedRow]]] = {}
    order: list[list[AggregatedRow]] = []
    unknown: list[AggregatedRow] = []
    for one in once:
        if one.row.configurations is None or one.row.seed is None:
            unknown.append(one)
            continue
        lines = found.setdefault(identity_of(one.row), [])
        fitting = [line for line in lines if all(one.row.seed != other.row.seed for other in line)]
        # First a line of the same experiment: the seeds of another machine stay together.
        fitting.sort(key=lambda line: all(one.row.experiment != other.row.experiment for other in line))
        if fitting:
            fitting[0].append(one)
        else:
            lines.append([one])
            order.append(lines[-1])
    for one in unknown:
        fitting = [line for line in order if _may_belong(one.row, line)]
        if len(fitting) == 1:
            fitting[0].append(one)
        else:
            order.append([one])
    place = {id(one): number for number, one in enumerate(once)}
    order.sort(key=lambda line: min(place[id(one)] for one in line))
    return tuple(_group(line) for line in order)


def repeated_rows(aggregated: Sequence[AggregatedRow]) -> tuple[TableRow, ...]:
    """Rows with the same fold runs as an earlier row, which stands for them."""
    kept = {id(one.row) for one in _once(aggregated).values()}
    return tuple(one.row for one in aggregated if id(one.row) not in kept)


def same_runs(row: TableRow) -> tuple[object, ...]:
    """Equal for rows that consist of the same fold runs, whatever their experiments."""
    return (*identity_of(row), row.seed, row.fold_runs or (row.experiment, id(row)))


def _once(aggregated: Sequence[AggregatedRow]) -> dict[tuple[object, ...], AggregatedRow]:
    """The first of rows that are the same, with the ablations of all of them, by `same_runs`."""
    kept: dict[tuple[object, ...], AggregatedRow] = {}
    for one in aggregated:
        earlier = kept.setdefault(key := same_runs(one.row), one)
        if earlier is not one and one.ablations:
            kept[key] = replace(earlier, ablations=(*earlier.ablations, *one.ablations))
    return kept


def _may_belong(row: TableRow, line: Sequence[AggregatedRow]) -> bool:
    """Whether an unfinished row agrees with the rows of a line in all that is known of it."""
    other = line[0].row
    return (
        row.seed is not None
        and row.experiment in {one.row.experiment for one in line}
        and all(row.seed != one.row.seed for one in line)
        and all(
            getattr(row, name) == getattr(other, name)
            for name in IDENTIFYING
            if name not in UNKNOWN_UNTIL_FINISHED
        )
    )


def _group(members: Sequence[AggregatedRow]) -> SeedGroup:
    ordered = sorted(members, key=lambda one: -1 if one.row.seed is None else one.row.seed)
    made = SeedGroup(members=tuple(ordered))
    counts = [one.images for one in made.finished if one.images is not None]
    if len(counts) < 2 or len({one.tested for one in counts}) > 1 or len(counts[0].images) < 2:
        return made
    # The interval needs counts by subject only, so any image of a subject may be the correct one.
    images = counts[0].images.astype(np.int64)
    subject = np.repeat(np.arange(len(images)), images)
    place = np.arange(len(subject)) - np.repeat(np.cumsum(images) - images, images)
    correct = np.stack([place < np.repeat(one.correct.astype(np.int64), images) for one in counts])
    return SeedGroup(
        members=made.members,
        pooled_interval=seed_accuracy_interval(correct, subject),
        mean_of_folds_interval=seed_accuracy_interval(correct, subject, counts[0].fold[subject]),
    )
