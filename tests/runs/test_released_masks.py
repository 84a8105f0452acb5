"""Released masks in planned and executed fold runs: one set a fold, named by content, compared with ours."""

from __future__ import annotations

import csv
import dataclasses
import shutil
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datasets.masks.released import released_mask_set
from datasets.prepared.preparation import prepare_dataset
from datasets.synthetic.layouts import load_layout
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.reports.mask_agreement import FILE, write_mask_agreement
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data
from platform.runs.mask_sets import load_masks, released_masks
from platform.runs.planned_tasks import Machine, Substitute
from platform.runs.store import ResultsStore
from tests.layout_trees import set_parameters, write_layout
from tests.tiny_faces import SIZE, tiny_configuration

FOLDS = 4


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    return write_layout(load_layout("fmpn_release"), root, set_parameters(FOLDS))


@pytest.fixture(scope="module")
def planned(release: Path, tmp_path_factory: pytest.TempPathFactory) -> PlannedData:
    """The release's crops, prepared, in the release's own folds."""
    data_root = tmp_path_factory.mktemp("data")
    prepare_dataset("fmpn_release", SIZE, data_root=data_root, source=release, aligned=True)
    plan = Plan(dataset="fmpn_release", folds=FOLDS, rounds=(1, 1, 1, 1))
    return plan_data(data_root, "fmpn_release", tiny_configuration(), plan)


def test_each_fold_run_takes_the_masks_of_its_own_fold(
    planned: PlannedData, release: Path, tmp_path: Path
) -> None:
    chosen = released_masks(planned, release)
    assert len({task.identity for task in chosen}) == FOLDS
    own = final_tasks(tiny_configuration(), planned, Machine())
    substitutes = [{"masks": Substitute(shown="released", source=one)} for one in chosen]
    released = final_tasks(tiny_configuration(), planned, Machine(), substitutes=substitutes)
    for fold, (mine, theirs, masks) in enumerate(zip(own, released, chosen, strict=True)):
        assert theirs.artifacts["masks"] == masks
        assert theirs.identity != mine.identity
        expected = released_mask_set(release, fold, planned.data.class_names, SIZE)
        loaded = load_masks(masks, ResultsStore(tmp_path / "runs"), planned.data.class_names)
        np.testing.assert_array_equal(loaded.images, expected.images)


def test_masks_that_changed_since_the_plan_are_another_result(
    planned: PlannedData, release: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(release, tmp_path / "copy")
    before = released_masks(planned, copy)
    path = copy / "imgs_res/2/0.png"
    Image.fromarray(255 - np.array(Image.open(path))).save(path)
    after = released_masks(planned, copy)
    same = [one.identity == two.identity for one, two in zip(before, after, strict=True)]
    assert same == [True, True, False, True]
    with pytest.raises(UserError, match="no longer those that this run was planned with"):
        load_masks(before[2], ResultsStore(tmp_path / "runs"), planned.data.class_names)


def test_folds_that_are_not_the_releases_are_refused(planned: PlannedData, release: Path) -> None:
    turned = dataclasses.replace(
        planned.folds,
        folds=tuple(
            dataclasses.replace(fold, index=FOLDS - 1 - fold.index) for fold in reversed(planned.folds.folds)
        ),
    )
    with pytest.raises(UserError, match="need the release's own folds"):
        released_masks(dataclasses.replace(planned, folds=turned), release)


def test_our_masks_are_compared_with_the_released_ones_by_fold_and_class(
    planned: PlannedData, release: Path, tmp_path: Path
) -> None:
    experiment: Any = types.SimpleNamespace(
        planned=planned,
        plan=types.SimpleNamespace(masks=str(release)),
        store=ResultsStore(tmp_path / "runs"),
        folder=tmp_path,
    )
    lines = write_mask_agreement(experiment)
    assert "surprise" in lines[0]
    with (tmp_path / FILE).open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["fold"], row["class"]) for row in rows] == [
        (str(fold), name) for fold in range(FOLDS) for name in planned.data.class_names
    ]
    # The release's were made of the same subjects, and differ by the size they were made at alone.
    assert min(float(row["correlation"]) for row in rows) > 0.6
