"""Comparison of two experiments: the settings that differ, and paired differences on the same images or
sequences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.comparisons import Comparison, compare_pair, corrected
from platform.aggregation.seeds import SeedGroup, seed_groups
from platform.aggregation.table_row import TableRow
from platform.errors import UserError
from platform.experiments.experiment_file import read_experiment
from platform.inventory.runs_folder import experiment_folder
from platform.runs.store import ResultsStore

ABSENT = "-"
"""Shown for a setting that only the other experiment has."""


@dataclass(frozen=True, kw_only=True)
class ExperimentComparison:
    """What two experiments differ in."""

    settings: tuple[tuple[str, str, str], ...]
    """Name and both values of each setting that differs, by name; of a search, the chosen configuration's."""
    rows: tuple[Comparison, ...]
    """One or more: rows of the first minus rows of the second, over the seeds that both have. Those of one
    data set are one family of tests."""
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
    for one, other in _pairs(seed_groups(rows[0]), seed_groups(rows[1])):
        pair = compare_pair(one, other)
        if pair is None:
            reason = _why_not(one.members[0], other.members[0])
            left_out.append(f"{one.first.title} on {one.first.dataset}: {reason}")
        else:
            compared.append(pair)
    if not compared:
        sets = [" and ".join(dict.fromkeys(row.row.dataset for row in part)) for part in rows]
        why = left_out[0] if left_out else f"{first} tested {sets[0]}, and {second} tested {sets[1]}"
        raise UserError(
            f"experiments are compared on the same images, but {why}; compare experiments with the same data "
            "set, classes and folds."
        )
    return ExperimentComparison(
        settings=_differing(*(_settings(store, content) for content in contents)),
        rows=tuple(_corrected_by_set(compared)),
        left_out=tuple(left_out),
    )


def _corrected_by_set(compared: Sequence[Comparison]) -> list[Comparison]:
    """Data sets in order of first appearance, as `_pairs` yields them."""
    families: dict[str, list[Comparison]] = {}
    for one in compared:
        families.setdefault(one.first.first.dataset, []).append(one)
    return [one for family in families.values() for one in corrected(family)]


def _pairs(first: Sequence[SeedGroup], second: Sequence[SeedGroup]) -> Iterator[tuple[SeedGroup, SeedGroup]]:
    for dataset in dict.fromkeys(line.first.dataset for line in first):
        ours = [line for line in first if line.first.dataset == dataset and not line.first.repeat]
        theirs = [line for line in second if line.first.dataset == dataset and not line.first.repeat]
        if not theirs:
            continue
        yield ours[0], theirs[0]
        left = theirs[1:]
        for one in ours[1:]:
            other = next((line for line in left if _kind(line.first) == _kind(one.first)), None)
            if other is not None:
                left.remove(other)
                yield one, other


def _kind(row: TableRow) -> tuple[object, ...]:
    return row.title, row.kind, row.masks, row.generator


def _why_not(one: AggregatedRow, other: AggregatedRow) -> str:
    """Why two rows did not test the same images or sequences."""
    if one.row.unit != other.row.unit:
        return f"{one.row.experiment} and {other.row.experiment} tested different sequences"
    counts = [f"{row.images.count} {one.row.unit}s" for row in (one, other) if row.images]
    if counts[0] != counts[1]:
        return f"{one.row.experiment} tested {counts[0]}, and {other.row.experiment} {counts[1]}"
    if one.row.data_hash != other.row.data_hash:
        return f"the prepared sets differ in names, classes or subjects of their {one.row.unit}s"
    return (
        f"{one.row.experiment} (fold rule {one.row.fold_rule}) and {other.row.experiment} (fold rule "
        f"{other.row.fold_rule}) tested different {one.row.unit}s, {counts[0]} each"
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
