"""Comparison of two experiments: the settings that differ, and paired differences on the same images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
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
    """A row of the first experiment minus one of the second, in pooled accuracy on the same images."""

    first: TableRow
    second: TableRow
    difference: float
    """In [-1, 1]."""
    interval: Interval | None
    """95 % CI by bootstrap over subjects; None with one subject."""
    p_value: float
    """Two-sided exact sign-flip test over subjects, Holm-corrected over all pairs of rows."""
    image_count: int
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
    rows = [aggregate_experiment(store, content) for content in contents]
    compared, left_out = [], []
    for one, other in _pairs(*rows):
        reason = _why_not(one, other)
        if reason:
            left_out.append(f"{one.row.title} on {one.row.dataset}: {reason}")
        else:
            compared.append(_compared(one, other))
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
    """Why two rows did not test the same images; empty if they did."""
    assert one.images
    assert other.images
    if one.images.tested == other.images.tested:
        return ""
    if one.row.unit != other.row.unit:
        return (
            f"{one.row.experiment} scores {one.row.unit}s, and {other.row.experiment} scores "
            f"{other.row.unit}s"
        )
    counts = [f"{len(row.images.correct)} {row.row.unit}s" for row in (one, other) if row.images]
    if counts[0] != counts[1]:
        return f"{one.row.experiment} tested {counts[0]}, and {other.row.experiment} {counts[1]}"
    if one.row.data_hash != other.row.data_hash:
        return "the prepared sets differ in names, classes or subjects of their images"
    return (
        f"{one.row.experiment} (fold rule {one.row.fold_rule}) and {other.row.experiment} (fold rule "
        f"{other.row.fold_rule}) tested different {one.row.unit}s, {counts[0]} each"
    )


def _compared(one: AggregatedRow, other: AggregatedRow) -> ComparedRows:
    assert one.images
    assert other.images
    tested = sign_flip_test(one.images.correct, other.images.correct, one.images.subject)
    interval = None
    if tested.subject_count > 1:
        interval = difference_interval(
            one.images.correct,
            other.images.correct,
            one.images.subject,
            np.random.default_rng(BOOTSTRAP_SEED),
        )
    return ComparedRows(
        first=one.row,
        second=other.row,
        difference=tested.difference,
        interval=interval,
        p_value=tested.p_value,
        image_count=len(one.images.correct),
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
