"""Aggregation of fold runs into table rows: every number is recomputed from stored predictions.

Mask quality is recomputed from the stored errors of single faces: predicted masks are not stored. Fold runs
of versions before 28 November 2026 lack these errors: their mask quality was measured when the fold run ended
and is read from the run's manifest, which is verified against its own hash.

A row's predictions are released once its numbers are computed, so memory does not grow with the rows.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datasets.raw.fmpn_labels import release_of
from platform.aggregation.mask_errors import RowMasks, mask_comparison, row_masks
from platform.aggregation.optimism_gap import GapSubjects, gap_subjects
from platform.aggregation.paired_images import PairedImages, paired_images
from platform.aggregation.row_runs import RowRuns, read_predictions, read_row_runs
from platform.aggregation.scores import Scores, score
from platform.aggregation.selection_score import Selection, selection_of
from platform.aggregation.table_row import TableRow
from platform.config.net_name import only_width, preset_text
from platform.config.settings_source import settings_source
from platform.errors import UserError
from platform.evaluation.metrics import sequence_predictions
from platform.evaluation.predictions import Predictions
from platform.search.inner_scores import counts_of_run

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore


@dataclass(frozen=True, kw_only=True)
class AggregatedRow:
    """A row, and the part of its predictions that paired tests use."""

    row: TableRow
    images: PairedImages | None
    """Of the row's unit, so sequences for a method that scores those. None when no fold is finished."""
    sequences: PairedImages | None = None
    """Of sequences, by the mean of their images' scores; only where some of the rows score images and others
    sequences, to compare them."""
    ablations: tuple[Ablation, ...] = ()
    """What its experiment says it is to be compared with."""


@dataclass(frozen=True, kw_only=True)
class Ablation:
    """The contribution of a component: a row that has it is compared with this one."""

    name: str
    without: AggregatedRow


def aggregate_experiment(
    store: ResultsStore, experiment: Mapping[str, Any], *, partial: bool = False
) -> list[AggregatedRow]:
    """All rows of an experiment, in its order. Raises UserError as `aggregate_row` does."""
    rows = [aggregate_row(store, experiment, row, partial=partial) for row in experiment["rows"]]
    return with_ablations(experiment, rows)


def with_ablations(experiment: Mapping[str, Any], rows: Sequence[AggregatedRow]) -> list[AggregatedRow]:
    """The rows of an experiment, each with the ablations that the experiment lists for it."""
    found: dict[int, list[Ablation]] = {}
    for effect in experiment.get("effects", ()):
        ablation = Ablation(name=effect["name"], without=rows[effect["without"]])
        found.setdefault(effect["with_it"], []).append(ablation)
    return [
        replace(row, ablations=tuple(found[place])) if place in found else row
        for place, row in enumerate(rows)
    ]


def aggregate_row(
    store: ResultsStore, experiment: Mapping[str, Any], row: Mapping[str, Any], *, partial: bool = False
) -> AggregatedRow:
    """One row of an experiment (a mapping as in experiment.json), from its fold runs.

    Raises UserError naming the folds when one is missing, failed or duplicated, or when the folds do not
    belong together; also as `selection_of` and `row_masks` do. With `partial=True`, missing and failed folds
    are listed in the row's `problems` instead.
    """
    runs = read_row_runs(store, experiment, row)
    if runs.problems and not partial:
        listed = "; ".join(f"fold {fold} {problem}" for fold, problem in runs.problems.items())
        raise UserError(
            f"{runs.name}: a row needs all {row['fold_count']} folds, but {listed}. Complete it with "
            f"`{experiment['command']}` (finished folds are kept), or pass --partial to see it incomplete."
        )
    predictions = read_predictions(store, runs, row)
    try:
        scores = None if predictions is None else _scores(predictions, row)
    except UserError as error:
        raise UserError(f"{runs.name}: {error}") from error
    selection = selection_of(store, experiment, row, runs)
    masks = row_masks(store, runs, predictions)
    return AggregatedRow(
        row=dataclasses.replace(
            _table_row(experiment, row, runs, scores, masks),
            selection_score=selection.score,
            gap_subjects=_gap_subjects(store, row, runs, selection),
        ),
        images=None if predictions is None else paired_images(predictions),
        sequences=None
        if predictions is None or not mixes_units(experiment)
        else paired_images(sequence_predictions(predictions)),
    )


def _scores(predictions: Predictions, row: Mapping[str, Any]) -> Scores:
    groups = {
        grouping: {subject: group for group, subjects in members.items() for subject in subjects}
        for grouping, members in row.get("groups", {}).items()
    }
    return score(predictions, groups, probabilities=row.get("probabilities", True))


def mixes_units(experiment: Mapping[str, Any]) -> bool:
    """Whether some rows score images and others sequences; stated, or known from its rows."""
    units = {row.get("unit", "image") for row in experiment.get("rows", ())}
    return bool(experiment.get("mixes_units", len(units) > 1))


_COPIED = ("method", "title", "dataset", "backbone", "selection_rule", "kind", "masks", "fold_rule")


def _table_row(
    experiment: Mapping[str, Any],
    row: Mapping[str, Any],
    runs: RowRuns,
    scores: Scores | None,
    masks: RowMasks,
) -> TableRow:
    finished = "\n".join(run.identity for run in runs.finished)
    return TableRow(
        experiment=experiment["name"],
        preset=experiment["preset"],
        command=experiment["command"],
        **{key: row[key] for key in _COPIED},
        fold_count=int(row["fold_count"]),
        problems=runs.problems,
        data_hash=runs.common(lambda run: run.record["data"]["hash"]),
        seed=runs.common(lambda run: run.record["seed"]) if runs.finished else row.get("seed"),
        result_version=runs.common(lambda run: run.record["result_version"]),
        configurations=_configurations(row, runs),
        selection_score=None,
        scores=scores,
        stands_for=_stands_for(row, scores),
        width=only_width(run.record["config"].get("backbone_width", 1.0) for run in runs.finished),
        preset_changes=preset_text(experiment["preset"], experiment.get("config", {})).removeprefix(
            experiment["preset"]
        ),
        chosen_folds=tuple(row.get("chosen_folds", ())),
        chosen_of=int(row.get("chosen_of", 0)),
        settings=settings_source(row),
        unit=row.get("unit", "image"),
        generator=row.get("generator", ""),
        repeat=int(row.get("repeat", 0)),
        variation=row.get("variation", ""),
        is_baseline=row["method"] != experiment.get("config", {}).get("method", row["method"]),
        fold_runs=hashlib.sha256(finished.encode()).hexdigest() if finished else "",
        mask_quality=masks.quality,
        masks_recomputed=masks.recomputed,
        mask_comparison=None if masks.sums is None else mask_comparison([masks.sums]),
        mask_sums=masks.sums,
    )


def _gap_subjects(
    store: ResultsStore, row: Mapping[str, Any], runs: RowRuns, selection: Selection
) -> GapSubjects | None:
    """None for an incomplete row, a transferred one (the source's people selected) and without runs."""
    if runs.problems or not selection.runs or row["kind"] == "transfer":
        return None
    tested = {run.fold: counts_of_run(store, run.identity) for run in runs.finished}
    return gap_subjects(selection.runs, tested)


def _configurations(row: Mapping[str, Any], runs: RowRuns) -> str | None:
    """Hash over the one configuration of all folds or, where each fold has its own, over all of them."""
    each = [run.configuration for run in runs.finished]
    if not each or (runs.problems and row["selection_rule"] == "nested"):
        return None
    settings = "\n".join(each if row["selection_rule"] == "nested" else each[:1])
    return hashlib.sha256(settings.encode()).hexdigest()


def _stands_for(row: Mapping[str, Any], scores: Scores | None) -> str:
    """The data set that FMPN's release is of; rows made before 28 November 2026 lack it, so their classes
    decide."""
    if row["dataset"] != "fmpn_release":
        return ""
    classes = row.get("classes") or (scores.class_names if scores else ())
    return str(row.get("stands_for") or release_of(classes))
