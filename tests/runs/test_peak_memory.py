"""Measured memory of a task: the training loop's steps on its net, at its batch; what does not fit."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from platform.config.configuration import Plan
from platform.models import load_method
from platform.runs import peak_memory
from platform.runs.fold_tasks import machine_of, plan_data, step_tasks
from platform.runs.footprint import footprint
from platform.runs.peak_memory import can_be_measured, face_bytes, measured_peak_bytes
from platform.runs.tasks import ArtifactTask, FoldTask, trained_artifacts
from platform.training.step import Turn
from tests.tiny_faces import prepare_tiny, tiny_configuration


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> list[FoldTask | ArtifactTask]:
    """A fold run and its stage 1."""
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, subjects=6)
    plan = Plan(folds=2)
    configuration = tiny_configuration()
    (first,) = step_tasks(
        configuration, plan_data(root, "synthetic", configuration, plan), machine_of(plan), [(0, None)]
    )
    return [first, *trained_artifacts([first]).values()]


@pytest.mark.usefixtures("process_settings_as_before")
def test_each_stage_takes_real_steps_and_its_peak_is_a_number_of_bytes(
    tasks: list[FoldTask | ArtifactTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[tuple[str, int]] = []
    step = Turn.__call__

    def counted(self: Turn, called: Any, batch: Any, together: int) -> Any:
        batches.append((self.training.stage, len(batch)))
        return step(self, called, batch, together)

    monkeypatch.setattr(Turn, "__call__", counted)
    for task in tasks:
        assert can_be_measured(task)
        peak = measured_peak_bytes(task, "cpu", steps=2)
        assert peak is not None
        assert peak > footprint(task).least_memory
    fold_run, stage = tasks
    assert batches == [("stage2", fold_run.batch_size)] * 2 + [("stage1", stage.batch_size)] * 2


@pytest.mark.usefixtures("process_settings_as_before")
def test_what_does_not_fit_has_no_peak_and_other_errors_are_raised(
    tasks: list[FoldTask | ArtifactTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(error: Exception) -> Any:
        def steps(*_: object) -> None:
            raise error

        return steps

    monkeypatch.setattr(peak_memory, "_train", raising(torch.OutOfMemoryError("CUDA out of memory")))
    assert measured_peak_bytes(tasks[0], "cpu") is None
    monkeypatch.setattr(peak_memory, "_train", raising(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        measured_peak_bytes(tasks[0], "cpu")


def test_the_faces_are_counted_apart(tasks: list[FoldTask | ArtifactTask]) -> None:
    few, many = (dataclasses.replace(tasks[0], training_images=count) for count in (100, 300))
    side = tasks[0].record["config"]["load_size_pixels"]
    assert (face_bytes(few), face_bytes(many)) == (100 * 4 * side**2, 300 * 4 * side**2)


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.usefixtures("process_settings_as_before")
def test_on_a_gpu_the_peak_holds_what_the_arithmetic_expects(tasks: list[FoldTask | ArtifactTask]) -> None:
    for task in tasks:
        peak = measured_peak_bytes(task, "cuda")
        assert peak is not None
        assert footprint(task).least_memory < peak < torch.cuda.get_device_properties(0).total_memory


def test_what_trains_on_items_of_its_own_is_not_measured(
    tasks: list[FoldTask | ArtifactTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    method = load_method(tasks[0].record["method"])
    monkeypatch.setattr(type(method), "items", lambda self, single, *_: single, raising=False)
    assert not can_be_measured(tasks[0])
    assert can_be_measured(tasks[1])
