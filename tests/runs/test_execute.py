"""One task after the other, end to end on a tiny prepared store, without Ray."""

from __future__ import annotations

import errno
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load

from platform.config.configuration import Configuration, Plan
from platform.errors import UserError
from platform.evaluation.measured_values import from_bytes as values_from_bytes
from platform.evaluation.predictions import from_bytes
from platform.models.masks.face_errors import MaskErrors
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.execute import execute, pictures_png
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, source_substitute, step_tasks
from platform.runs.mask_sets import load_masks
from platform.runs.planned_tasks import NOTHING, Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.tiny_faces import CLASSES, prepare_tiny, tiny_configuration

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, rounds=(1, 1), holdout_share=0.3)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=5)
    return root


@pytest.fixture(scope="module")
def planned(data_root: Path) -> PlannedData:
    return plan_data(data_root, "synthetic", tiny_configuration(), PLAN, search=True)


def final_task(planned: PlannedData, configuration: Configuration) -> FoldTask:
    return final_tasks(configuration, planned, Machine())[0]


def complete(task: FoldTask, runs: Path, **options: Any) -> dict[str, Any]:
    """Stage 1 where there is one, then the fold run; both must succeed."""
    if "stage1" in task.artifacts:
        pretrained = execute(task.artifacts["stage1"], str(runs))
        assert pretrained["status"] == "complete", pretrained.get("traceback")
    manifest = execute(task, str(runs), **options)
    assert manifest["status"] == "complete", manifest.get("traceback")
    return manifest


def modified(runs: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in runs.rglob("*") if path.is_file()}


@pytest.mark.parametrize("method", ["fmpn", "cnn", "cnn_no_mask_loss"])
def test_a_fold_run_is_stored_whole_and_never_computed_twice(
    method: str, planned: PlannedData, tmp_path: Path
) -> None:
    task = final_task(planned, tiny_configuration(method=method))
    manifest = complete(task, tmp_path)
    store = ResultsStore(tmp_path)
    has_pictures = method != "cnn"
    assert set(manifest["sha256"]) == {
        "record.json", "curves.json", "predictions.parquet", "weights.safetensors",
        *(["pictures.png"] if has_pictures else []), *(["mask_quality.parquet"] if method == "fmpn" else []),
    }  # fmt: skip
    assert store.record("fold_runs", task.identity) == json.loads(json.dumps(task.record))
    curve = json.loads(store.read("fold_runs", task.identity, "curves.json"))["stage2"]
    assert [epoch["epoch"] for epoch in curve] == [1, 2]
    measures = {"loss", "gradient_norm", "images_per_second", "learning_rate", "learning_rate_classifier"}
    assert measures | ({"learning_rate_mask_generator"} if has_pictures else set()) <= set(curve[0])
    predictions = from_bytes(store.read("fold_runs", task.identity, "predictions.parquet"), "test")
    assert set(predictions.subject.tolist()) == set(task.evaluation_subjects)
    assert len(predictions) == manifest["image_count"] == 5 * 6
    assert predictions.class_names == CLASSES
    assert float(predictions.correct.mean()) == pytest.approx(manifest["accuracy"])
    answers = [CLASSES[index] for index in predictions.scores.argmax(1).tolist()]
    assert predictions.predicted.tolist() == answers
    assert {"torch", "numpy", "python"} <= set(manifest["libraries"])
    assert manifest["seconds"] > 0
    assert {"time", "host", "processor", "instructions", "commit", "clean"} == set(manifest["provenance"])
    assert "provenance" not in task.record
    before = modified(tmp_path)
    assert complete(task, tmp_path) == manifest
    assert modified(tmp_path) == before


def test_the_errors_of_every_faces_mask_are_stored_and_give_the_mask_quality_again(
    planned: PlannedData, tmp_path: Path
) -> None:
    """Of final and of inner runs; with the lines of the predictions."""
    inner = step_tasks(tiny_configuration(), planned, Machine(), ((0, 0),))[0]
    for task in (final_task(planned, tiny_configuration()), inner):
        stated, store = complete(task, tmp_path)["mask_quality"], ResultsStore(tmp_path)
        predictions = from_bytes(store.read("fold_runs", task.identity, "predictions.parquet"), "test")
        stored = values_from_bytes(store.read("fold_runs", task.identity, "mask_quality.parquet"), "test")
        for column in ("fold", "subject", "image", "true"):
            np.testing.assert_array_equal(getattr(stored, column), getattr(predictions, column))
        labels = np.array([CLASSES.index(name) for name in stored.true.tolist()])
        found = MaskErrors.of_values(stored.values, labels, CLASSES).quality().to_dict()
        assert found.keys() == stated.keys()
        for name, value in found.items():
            assert value == pytest.approx(stated[name], rel=1e-12, abs=1e-12)
        assert found["drift"] is not None


def test_stage_1_is_a_result_of_its_own_that_trials_share(planned: PlannedData, tmp_path: Path) -> None:
    tasks = [final_task(planned, tiny_configuration(lambda_mask=value)) for value in (10.0, 0.1)]
    for task in tasks:
        complete(task, tmp_path)
    assert len(list((tmp_path / "fold_runs").iterdir())) == 2
    (folder,) = (tmp_path / "stage1").iterdir()
    (masks,) = (tmp_path / "masks").iterdir()
    assert {path.name for path in masks.iterdir()} == {"manifest.json", "masks.npy", "record.json"}
    state = load((folder / "mask_generator.safetensors").read_bytes())
    assert state["stem.0.weight"].shape == (2, 1, 7, 7)
    curve = json.loads((folder / "curves.json").read_text())["stage1"]
    assert [epoch["epoch"] for epoch in curve] == [1, 2]


def test_the_same_task_gives_the_same_bytes_in_another_folder(planned: PlannedData, tmp_path: Path) -> None:
    task = final_task(planned, tiny_configuration())
    names = ("predictions.parquet", "weights.safetensors", "pictures.png", "mask_quality.parquet")
    contents: list[list[bytes]] = []
    for place in ("a", "b"):
        torch.manual_seed(len(contents))
        complete(task, tmp_path / place)
        store = ResultsStore(tmp_path / place)
        contents.append([store.read("fold_runs", task.identity, name) for name in names])
    assert contents[0] == contents[1]


def test_inner_runs_keep_no_weights_and_final_ones_only_when_asked(
    planned: PlannedData, tmp_path: Path
) -> None:
    configuration = tiny_configuration(method="cnn")
    inner = step_tasks(configuration, planned, Machine(), ((0, 0),))[0]
    assert "weights.safetensors" not in complete(inner, tmp_path)["sha256"]
    final = final_task(planned, configuration)
    assert "weights.safetensors" not in complete(final, tmp_path, keep_weights=False)["sha256"]


def test_an_epochs_end_is_reported(planned: PlannedData, tmp_path: Path) -> None:
    reports: list[dict[str, Any]] = []
    complete(final_task(planned, tiny_configuration(method="cnn")), tmp_path, report=reports.append)
    assert [(report["stage"], report["epoch"], report["epochs"]) for report in reports] == [
        ("stage2", 1, 2), ("stage2", 2, 2),
    ]  # fmt: skip


def test_a_failing_run_is_stored_as_failed_with_its_traceback_and_tried_again(
    planned: PlannedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = final_task(planned, tiny_configuration(method="cnn"))
    with monkeypatch.context() as patch:

        def broken(*arguments: object, **options: object) -> None:
            raise ArithmeticError("poisoned")

        patch.setattr("platform.training.stages.train_and_evaluate", broken)
        manifest = execute(task, str(tmp_path))
    assert manifest["status"] == "failed"
    assert "ArithmeticError: poisoned" in manifest["traceback"]
    store = ResultsStore(tmp_path)
    assert store.manifest("fold_runs", task.identity) == manifest
    assert store.record("fold_runs", task.identity)["method"] == "cnn"
    assert complete(task, tmp_path)["status"] == "complete"


def test_a_fold_run_without_its_stage_1_says_so_and_is_not_stored_as_failed(
    planned: PlannedData, tmp_path: Path
) -> None:
    task = final_task(planned, tiny_configuration())
    missing = f"stage 1 (stage1 {task.artifacts['stage1'].identity}) is not in the results store"
    with pytest.raises(EnvironmentFailure, match=re.escape(missing)):
        execute(task, str(tmp_path))
    assert ResultsStore(tmp_path).manifest("fold_runs", task.identity) is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/runs/x"), "No space left on device: /runs/x"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/data/images.npy"), "No such file"),
        (MemoryError(), "MemoryError"),
        (UserError("the masks have changed."), "the masks have changed"),
    ],
)
def test_what_running_again_may_mend_is_never_stored_as_a_failure_of_the_code(
    planned: PlannedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    def unable(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("platform.training.stages.train_and_evaluate", unable)
    task = final_task(planned, tiny_configuration(method="cnn"))
    with pytest.raises(EnvironmentFailure, match=said):
        execute(task, str(tmp_path))
    assert ResultsStore(tmp_path).manifest("fold_runs", task.identity) is None


def test_a_gpu_that_torch_does_not_find_is_the_hosts_failure_and_not_the_runs(
    planned: PlannedData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    one = final_tasks(tiny_configuration(method="cnn"), planned, Machine(device="cuda"))[0]
    with pytest.raises(EnvironmentFailure, match=r"for cuda, but torch finds no GPU there.* \(on "):
        execute(one, str(tmp_path))
    assert ResultsStore(tmp_path).manifest("fold_runs", one.identity) is None


def test_a_diverging_run_fails_with_the_place_and_the_images_and_is_never_scored(
    planned: PlannedData, tmp_path: Path
) -> None:
    task = final_task(planned, tiny_configuration(method="cnn"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "torch.nn.functional.cross_entropy", lambda logits, *_, **__: logits.sum() * float("nan")
        )
        manifest = execute(task, str(tmp_path))
    assert manifest["status"] == "failed"
    assert "DivergedError" in manifest["traceback"]
    assert "the loss is nan in batch 1 of epoch 1 of stage2 (learning rates: " in manifest["traceback"]
    assert "its images: S0" in manifest["traceback"]
    assert not (tmp_path / "fold_runs" / task.identity / "predictions.parquet").exists()


def test_data_prepared_anew_are_not_taken_for_the_planned_ones(tmp_path: Path) -> None:
    prepare_tiny(tmp_path / "data", "synthetic", subjects=4)
    planned = plan_data(tmp_path / "data", "synthetic", tiny_configuration(), PLAN)
    prepare_tiny(tmp_path / "data", "synthetic", subjects=5)
    with pytest.raises(EnvironmentFailure, match="this run was planned for"):
        execute(final_task(planned, tiny_configuration(method="cnn")), str(tmp_path / "runs"))


def test_transferred_masks_are_the_sources_in_the_targets_order(
    planned: PlannedData, data_root: Path, tmp_path: Path
) -> None:
    target = plan_data(data_root, "synthetic_wild", tiny_configuration(), PLAN, fold_rule="holdout")
    substitute = source_substitute("masks", planned, tiny_configuration(), Machine())
    substitutes = {"masks": substitute, "stage1": NOTHING}
    (task,) = final_tasks(tiny_configuration(), target, Machine(), substitutes=substitutes)
    transferred = task.artifacts["masks"]
    complete(task, tmp_path)
    assert not (tmp_path / "stage1").exists()
    store = ResultsStore(tmp_path)
    assert store.record("masks", transferred.identity)["data"]["dataset"] == "synthetic"
    own = load_masks(transferred, store, CLASSES)
    turned = load_masks(transferred, store, CLASSES[::-1])
    assert np.array_equal(own.images, turned.images[::-1])
    with pytest.raises(UserError, match="the source lacks contempt"):
        load_masks(transferred, store, (*CLASSES, "contempt"))


def test_masks_are_built_once_and_read_back(planned: PlannedData, tmp_path: Path) -> None:
    task = final_task(planned, tiny_configuration()).artifacts["masks"]
    store = ResultsStore(tmp_path)
    first = load_masks(task, store, CLASSES)
    before = modified(tmp_path)
    again = load_masks(task, store, CLASSES)
    assert modified(tmp_path) == before
    assert np.array_equal(first.images, again.images)
    assert first.images.shape == (3, 34, 34)
    assert first.class_names == CLASSES


def test_a_run_computes_with_the_threads_of_its_record(planned: PlannedData, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    complete(final_task(planned, tiny_configuration(method="cnn")), tmp_path)
    assert torch.get_num_threads() == 1


def test_pictures_are_a_row_a_kind_and_a_column_a_face() -> None:
    gray = np.stack([np.full((1, 4, 4), 0.0), np.full((1, 4, 4), 1.0)]).astype(np.float32)
    colour = np.full((2, 3, 4, 4), 0.5, dtype=np.float32)
    image = np.asarray(Image.open(io.BytesIO(pictures_png({"mask": gray, "face": colour}))))
    assert image.shape == (8, 8, 3)
    assert image[0, 0].tolist() == [0, 0, 0]
    assert image[3, 7].tolist() == [255, 255, 255]
    assert image[4, 0].tolist() == [128, 128, 128]
