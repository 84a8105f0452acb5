"""Mask quality from stored errors of single faces, and whether predicted masks beat the constant one."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from platform.aggregation.aggregate import aggregate_row
from platform.aggregation.mask_errors import FILE, MaskSums, mask_comparison
from platform.aggregation.parallel import aggregate_experiments
from platform.aggregation.table_row import TableRow
from platform.errors import UserError
from platform.evaluation.predictions import Predictions
from platform.models.masks.face_errors import MaskErrors
from platform.runs.store import ResultsStore
from tests.fake_runs import (
    fake_mask_errors,
    fake_predictions,
    mask_file,
    row_with_masks,
    values_file,
    write_experiment,
    write_fold_run,
    write_row,
)

FOLDS = 3


@pytest.fixture
def store(tmp_path: Path) -> ResultsStore:
    return ResultsStore(tmp_path)


def aggregated(store: ResultsStore, row: dict[str, Any]) -> TableRow:
    return aggregate_row(store, write_experiment(store, [row]), row).row


def all_errors(excess: float, subjects: int = 3, seed: int = 0) -> list[tuple[Predictions, MaskErrors]]:
    found = [fake_predictions(0.8, fold, subjects=subjects) for fold in range(FOLDS)]
    return [(one, fake_mask_errors(one, excess, seed=seed)) for one in found]


def test_the_quality_is_that_of_the_stored_faces_and_of_the_manifest(store: ResultsStore) -> None:
    row = row_with_masks(store, 0.012)
    made = aggregated(store, row)
    assert made.masks_recomputed == (0, 1, 2)
    for fold, (_, errors) in enumerate(all_errors(0.012)):
        assert made.mask_quality[fold] == errors.quality()
        stated = store.manifest("fold_runs", row["runs"][fold]["identity"])["mask_quality"]  # type: ignore[index]
        assert made.mask_quality[fold].to_dict() == pytest.approx(stated, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("excess", "verdict"), [(0.012, "farther"), (-0.012, "closer"), (0.0, "undecided")])
def test_masks_are_said_to_be_closer_or_farther_only_beyond_the_interval(
    store: ResultsStore, excess: float, verdict: str
) -> None:
    found = aggregated(store, row_with_masks(store, excess)).mask_comparison
    assert found is not None
    pooled, every = found.pooled, np.concatenate([errors.excess for _, errors in all_errors(excess)])
    assert pooled.difference == pytest.approx(every.mean(), abs=1e-15)
    assert (pooled.face_count, pooled.subject_count, pooled.seed_count) == (189, 9, 1)
    assert pooled.verdict == verdict
    assert pooled.interval is not None
    assert pooled.interval.low < pooled.difference < pooled.interval.high


def test_folds_and_classes_have_differences_of_their_own(store: ResultsStore) -> None:
    found = aggregated(store, row_with_masks(store, 0.01)).mask_comparison
    assert found is not None
    parts = all_errors(0.01)
    assert list(found.folds) == [0, 1, 2]
    assert found.folds[1].difference == pytest.approx(parts[1][1].excess.mean(), abs=1e-15)
    assert (found.folds[1].face_count, found.folds[1].subject_count) == (63, 3)
    fear = [errors.excess[predictions.true == "fear"] for predictions, errors in parts]
    assert found.classes["fear"].difference == pytest.approx(np.concatenate(fear).mean(), abs=1e-15)
    assert found.classes["fear"].face_count == 27
    assert len(found.classes) == 7


def test_the_interval_over_equal_subjects_is_that_of_their_means(store: ResultsStore) -> None:
    """With as many faces of each subject, the mean over faces is that of nine independent means."""
    from scipy.stats import t

    found = aggregated(store, row_with_masks(store, 0.01)).mask_comparison
    assert found is not None
    assert found.pooled.interval is not None
    means = [
        errors.excess[predictions.subject == name].mean()
        for predictions, errors in all_errors(0.01)
        for name in np.unique(predictions.subject)
    ]
    error = np.std(means, ddof=1) / 3
    interval = found.pooled.interval
    assert interval.standard_error == pytest.approx(error, rel=1e-9)
    half = t.ppf(0.975, interval.freedom) * error
    assert interval.high - interval.low == pytest.approx(2 * half, rel=1e-6)
    assert interval.freedom <= 8


def test_one_subject_has_no_interval_and_no_verdict(store: ResultsStore) -> None:
    row = write_row(store, folds=1)
    predictions = fake_predictions(0.8, 0, subjects=1)
    errors = fake_mask_errors(predictions, 0.5)
    row["runs"][0]["identity"] = write_fold_run(store, predictions, mask_errors=errors)
    found = aggregated(store, row).mask_comparison
    assert found is not None
    assert (found.pooled.interval, found.pooled.verdict) == (None, "undecided")


def test_seeds_are_averaged_on_the_same_faces(store: ResultsStore) -> None:
    rows = [aggregated(store, row_with_masks(store, 0.01, seed=seed)) for seed in (0, 1, 2)]
    sums = [row.mask_sums for row in rows if row.mask_sums is not None]
    both = mask_comparison(sums)
    alone = [mask_comparison([one]).pooled.difference for one in sums]
    assert both.pooled.difference == pytest.approx(np.mean(alone), abs=1e-15)
    assert (both.pooled.seed_count, both.pooled.subject_count) == (3, 9)
    assert both.pooled.interval is not None
    assert both.pooled.interval.seed_count == 3
    other: MaskSums = dataclasses.replace(sums[0], faces=sums[0].faces + 1)
    with pytest.raises(ValueError, match="same faces"):
        mask_comparison([sums[0], other])


def test_runs_of_earlier_versions_keep_the_manifests_number_and_have_no_interval(store: ResultsStore) -> None:
    made = aggregated(store, row_with_masks(store, 0.012, old=(0, 1, 2)))
    assert (made.masks_recomputed, made.mask_comparison, made.mask_sums) == ((), None, None)
    assert made.mask_quality[1] == all_errors(0.012)[1][1].quality()
    mixed = aggregated(store, row_with_masks(store, 0.012, old=(1,)))
    assert (mixed.masks_recomputed, mixed.mask_comparison) == ((0, 2), None)
    assert mixed.mask_quality == made.mask_quality


def test_a_method_without_masks_has_none(store: ResultsStore) -> None:
    made = aggregated(store, write_row(store, "cnn", "CNN"))
    assert (made.mask_quality, made.masks_recomputed, made.mask_comparison) == ({}, (), None)


def test_rows_read_in_other_processes_are_equal(store: ResultsStore) -> None:
    row = row_with_masks(store, 0.01)
    experiment = write_experiment(store, [row])
    assert aggregate_experiments(store, [experiment])[0].row == aggregated(store, row)


def test_a_damaged_file_is_named(store: ResultsStore) -> None:
    row = row_with_masks(store, 0.01)
    path = store.folder("fold_runs", row["runs"][1]["identity"]) / FILE
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{FILE} does not match its manifest"):
        aggregated(store, row)
    path.unlink()
    with pytest.raises(UserError, match=rf"{FILE} does not match its manifest"):
        aggregated(store, row)


def replaced(store: ResultsStore, row: dict[str, Any], content: bytes) -> None:
    """Write fold 0 again with another file of errors, whose hash is right."""
    name = row["runs"][0]["identity"]
    manifest, record = store.manifest("fold_runs", name), store.record("fold_runs", name)
    assert manifest is not None
    files = {one: store.read("fold_runs", name, one) for one in manifest["sha256"] if one != "record.json"}
    shutil.rmtree(store.folder("fold_runs", name))  # a result is written once
    facts = {key: manifest[key] for key in ("seconds", "accuracy", "image_count", "mask_quality")}
    store.write("fold_runs", name, record, {**files, FILE: content}, **facts)


def test_errors_of_other_faces_or_that_give_another_quality_are_refused(store: ResultsStore) -> None:
    row = row_with_masks(store, 0.01)
    predictions, errors = all_errors(0.01)[0]
    last_bits = dataclasses.replace(errors, distances=errors.distances * (1 + 1e-9))
    replaced(store, row, mask_file(predictions, last_bits))
    with pytest.raises(UserError, match="fold 0: the error of its masks must be that of its stored faces"):
        aggregated(store, row)
    turned = dataclasses.replace(predictions, image=predictions.image[::-1])
    replaced(store, row, mask_file(turned, errors))
    with pytest.raises(UserError, match="its column image differs"):
        aggregated(store, row)
    values = errors.values(predictions.class_names)
    values["distance_joy"] = values.pop("distance_fear")
    replaced(store, row, values_file(predictions, values))
    with pytest.raises(UserError, match=rf"{FILE}: .* there is no distance_fear"):
        aggregated(store, row)
