"""A measurement is made once for everything that it depends on; a damaged or foreign file is not believed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from platform.experiments.capacity import largest_task
from platform.experiments.measurements import FOLDER, Measurements
from platform.experiments.place import MeasurementError
from platform.files.dry_run import dry_run
from platform.runs.peak_memory import face_bytes
from platform.runs.tasks import ArtifactTask, FoldTask
from tests.experiments.test_capacity import experiment
from tests.fake_place import GIB, FakePlace


@pytest.fixture
def task(tmp_path: Path) -> FoldTask | ArtifactTask:
    return largest_task(experiment(tmp_path), search=False)


def files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "runs" / FOLDER).glob("*.json"))


def test_memory_is_measured_once_and_read_by_later_commands(
    tmp_path: Path, task: FoldTask | ArtifactTask
) -> None:
    place = FakePlace()
    for _ in range(2):
        found = Measurements(place, tmp_path / "runs").peak_bytes(task, "a GPU")
        assert found == 10 * GIB + face_bytes(task)
    assert place.asked["peak"] == 1
    more = dataclasses.replace(task, training_images=task.training_images + 1000)
    assert Measurements(place, tmp_path / "runs").peak_bytes(more, "a GPU") == 10 * GIB + face_bytes(more)
    assert place.asked["peak"] == 1


@pytest.mark.parametrize("changes", [{"image_size_pixels": 31}, {"precision": "bf16"}, {"backbone": "vgg16"}])
def test_other_options_another_gpu_or_batch_are_measured_again(
    tmp_path: Path, task: FoldTask | ArtifactTask, changes: dict[str, object]
) -> None:
    place = FakePlace()
    measurements = Measurements(place, tmp_path / "runs")
    measurements.peak_bytes(task, "a GPU")
    config = {**task.record["config"], **changes}
    measurements.peak_bytes(dataclasses.replace(task, record={**task.record, "config": config}), "a GPU")
    measurements.peak_bytes(task, "another GPU")
    assert place.asked["peak"] == 3
    seeded = {**task.record["config"], "seed": 9}
    measurements.peak_bytes(dataclasses.replace(task, record={**task.record, "config": seeded}), "a GPU")
    assert place.asked["peak"] == 3, "a seed changes no memory"


def cut(path: Path) -> None:
    path.write_text(path.read_text()[:20])


def of_another(path: Path) -> None:
    content = json.loads(path.read_text())
    content["depends_on"]["gpu"] = "another"
    path.write_text(json.dumps(content))


def negative(path: Path) -> None:
    content = json.loads(path.read_text())
    content["found"]["bytes"] = -1
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("damage", [cut, of_another, negative])
def test_a_damaged_file_is_measured_again(
    tmp_path: Path, task: FoldTask | ArtifactTask, damage: Callable[[Path], None]
) -> None:
    place = FakePlace()
    measurements = Measurements(place, tmp_path / "runs")
    first = measurements.peak_bytes(task, "a GPU")
    (path,) = files(tmp_path)
    damage(path)
    assert measurements.peak_bytes(task, "a GPU") == first
    assert place.asked["peak"] == 2


def test_a_dry_run_trains_nothing_and_writes_nothing(tmp_path: Path, task: FoldTask | ArtifactTask) -> None:
    place = FakePlace()
    measurements = Measurements(place, tmp_path / "runs")
    with dry_run():
        with pytest.raises(MeasurementError, match="a dry run trains nothing"):
            measurements.peak_bytes(task, "a GPU")
        assert measurements.speed("", 1).ratio == 3.0
    assert place.asked == {"speed": 1}
    assert not files(tmp_path)


def test_what_does_not_fit_or_fails_is_not_remembered(tmp_path: Path, task: FoldTask | ArtifactTask) -> None:
    assert Measurements(FakePlace(peak_gib=None), tmp_path / "runs").peak_bytes(task, "a GPU") is None
    with pytest.raises(MeasurementError, match="it crashed"):
        Measurements(FakePlace(failure="it crashed"), tmp_path / "runs").peak_bytes(task, "a GPU")
    assert not files(tmp_path)


def test_speed_is_known_by_processor_threads_and_gpu(tmp_path: Path) -> None:
    place = FakePlace()
    measurements = Measurements(place, tmp_path / "runs")
    for gpu, threads in (("", 1), ("", 1), ("", 2), ("a GPU", 1), ("a GPU", 2)):
        assert measurements.speed(gpu, threads).ratio == 3.0
    assert place.asked["speed"] == 3, "a GPU does not depend on threads"
