"""Comparison of two experiments: the settings that differ, and paired differences on the same images or
sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.comparisons import paired
from platform.aggregation.paired_images import PairedImages
from platform.aggregation.table_row import TableRow
from platform.errors import UserError
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.paired_interval import difference_interval
from platform.evaluation.paired_tests import holm, sign_flip_test
from platform.experiments.experiment_file import read_experiment
from platform.inventory.runs_folder import experiment_folder
from platform.runs.store import ResultsStore

BOOTSTRAP_SEED = 0
ABSENT = "-"
"""Shown for a setting that only the other experiment has."""


@dataclass(frozen=True, kw_only=True)
class ComparedRows:
    """A row of the first experiment minus one of the second, in pooled accuracy on the same images; on the
    same sequences where one of the rows scores those."""

    first: TableRow
    second: TableRow
    accuracies: tuple[float, float]
    """Of both rows, pooled, in [0, 1]."""
    difference: float
    """In [-1, 1]."""
    interval: Interval | None
    """95 % CI by bootstrap over subjects; None with one subject."""
    p_value: float
    """Two-sided exact sign-flip test over subjects, Holm-corrected over all pairs of rows."""
    unit: str
    """What is compared, `image` or `sequence`."""
    unit_count: int
    subject_count: int


@dataclass(frozen=True, kw_only=True)
class ExperimentComparison:
    """What two experiments differ in."""

    settings: tuple[tuple[str, str, str], ...]
    """Name and both values of each setting that differs, by name; of a search, the chosen configuration's."""
    rows: tuple[ComparedRows, ...]
    """One or more."""
    left_out: tuple[str, ...]
    """Sentences on pairs of rows that cannot be compared."""


def compare_experiments(store: ResultsStore, first: str, second: str) -> ExperimentComparison:
    """The comparison of two experiments, from stored predictions.

    On each data set of both, the first rows are compared, which are those of the methods asked for, and
    then every further row with the same title and masks. UserError: unknown, the same one, incomplete or
    damaged; no pair of rows that tested the same images, with the reason.
    """
    if first == second:
        raise UserError(f"two experiments are compared, but both names are {first!r}; pass another one.")
    contents = []
    for name in (first, second):
        experiment_folder(store, name)
        contents.append(read_experiment(store, name))
    units = {row.get("unit", "image") for content in contents for row in content["rows"]}
    rows = [aggregate_experiment(store, {**content, "mixes_units": len(units) > 1}) for content in contents]
    compared, left_out = [], []
    for one, other in _pairs(*rows):
        pair = paired(one, other)
        if pair is None:
            left_out.append(f"{one.row.title} on {one.row.dataset}: {_why_not(one, other)}")
        else:
            compared.append(_compared(one.row, other.row, *pair))
    if not compared:
        sets = [" and ".join(dict.fromkeys(row.row.dataset for row in part)) for part in rows]
        why = left_out[0] if left_out else f"{first} tested {sets[0]}, and {second} tested {sets[1]}"
        raise UserError(
            f"experiments are compared on the same images, but {why}; compare experiments with the same data "
            "set, classes and folds."
        )
    adjusted = holm([pair.p_value for pair in compared])
    return ExperimentComparison(
        settings=_differing(*(_settings(store, content) for content in contents)),
        rows=tuple(replace(pair, p_value=p) for pair, p in zip(compared, adjusted, strict=True)),
        left_out=tuple(left_out),
    )


def _pairs(
    first: list[AggregatedRow], second: list[AggregatedRow]
) -> Iterator[tuple[AggregatedRow, AggregatedRow]]:
    for dataset in dict.fromkeys(row.row.dataset for row in first):
        ours = [row for row in first if row.row.dataset == dataset]
        theirs = [row for row in second if row.row.dataset == dataset]
        if not theirs:
            continue
        yield ours[0], theirs[0]
        left = theirs[1:]
        for one in ours[1:]:
            other = next((row for row in left if _kind(row.row) == _kind(one.row)), None)
            if other is not None:
                left.remove(other)
                yield one, other


def _kind(row: TableRow) -> tuple[str, str, str]:
    return row.title, row.kind, row.masks


def _why_not(one: AggregatedRow, other: AggregatedRow) -> str:
    """Why two rows did not test the same images or sequences."""
    if one.row.unit != other.row.unit:
        return f"{one.row.experiment} and {other.row.experiment} tested different sequences"
    counts = [f"{len(row.images.correct)} {one.row.unit}s" for row in (one, other) if row.images]
    if counts[0] != counts[1]:
        return f"{one.row.experiment} tested {counts[0]}, and {other.row.experiment} {counts[1]}"
    if one.row.data_hash != other.row.data_hash:
        return f"the prepared sets differ in names, classes or subjects of their {one.row.unit}s"
    return (
        f"{one.row.experiment} (fold rule {one.row.fold_rule}) and {other.row.experiment} (fold rule "
        f"{other.row.fold_rule}) tested different {one.row.unit}s, {counts[0]} each"
    )


def _compared(first: TableRow, second: TableRow, one: PairedImages, other: PairedImages) -> ComparedRows:
    tested = sign_flip_test(one.correct, other.correct, one.subject)
    interval = None
    if tested.subject_count > 1:
        generator = np.random.default_rng(BOOTSTRAP_SEED)
        interval = difference_interval(one.correct, other.correct, one.subject, generator)
    return ComparedRows(
        first=first,
        second=second,
        accuracies=(float(one.correct.mean()), float(other.correct.mean())),
        difference=tested.difference,
        interval=interval,
        p_value=tested.p_value,
        unit="sequence" if "sequence" in (first.unit, second.unit) else "image",
        unit_count=len(one.correct),
        subject_count=tested.subject_count,
    )


def _settings(store: ResultsStore, content: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved settings, with the configuration that the first row's first fold ran with."""
    record = store.record("fold_runs", content["rows"][0]["runs"][0]["identity"])
    return {**content["config"], **record["config"], "method": record["method"], "preset": content["preset"]}


def _differing(first: Mapping[str, Any], second: Mapping[str, Any]) -> tuple[tuple[str, str, str], ...]:
    names = sorted(first.keys() | second.keys())
    return tuple(
        (name, str(first.get(name, ABSENT)), str(second.get(name, ABSENT)))
        for name in names
        if first.get(name, ABSENT) != second.get(name, ABSENT)
    )
