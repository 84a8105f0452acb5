"""What every method that scores sequences must do in a fold run: one prediction a sequence, the same numbers
again, save, load, learn nothing of a test subject.

A method is tested by its file being in tests/data/methods.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.prepared.sequence_layer import SequenceLayer
from datasets.prepared.store import PreparedStore
from platform.config.configuration import Plan
from platform.errors import LeakageError
from platform.models import load_method
from platform.models.fitted import check_scores
from platform.models.net_method import NetMethod
from platform.models.train_view import TrainView
from platform.runs.execute import execute
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, step_tasks
from platform.runs.peak_memory import can_be_measured
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.every_method import SEQUENCE_FILES, registered, smallest
from tests.runs.test_every_method import Ran, carried_out
from tests.tiny_faces import CLASSES
from tests.tiny_sequences import prepare_tiny_sequences

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, rounds=(1, 1))


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny_sequences(root, "synthetic", subjects=10, frames=3)
    return root


@pytest.fixture(scope="module", params=SEQUENCE_FILES)
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def planned(data_root: Path, name: str) -> PlannedData:
    return plan_data(data_root, "synthetic", smallest(name), PLAN, search=True)


def final(data_root: Path, name: str, **changes: Any) -> FoldTask:
    return final_tasks(smallest(name, **changes), planned(data_root, name), Machine())[0]


@pytest.fixture(scope="module")
def ran(name: str, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The final run of fold 0."""
    return carried_out(final(data_root, name), tmp_path_factory.mktemp("clean"))


class Shown:
    """The sequences that a run has scored, in the order of its predictions; `change` of each one's frames."""

    def __init__(self, task: FoldTask, change: Any = lambda frames: frames, places: Any = None) -> None:
        self.layer = PreparedStore.open(Path(task.data.folder)).layer("sequences")
        self.items = np.flatnonzero(np.isin(self.layer.subjects, task.evaluation_subjects))
        self.items = self.items if places is None else self.items[places]
        self.change = change

    def __len__(self) -> int:
        return len(self.items)

    @property
    def lengths(self) -> np.ndarray:
        return np.array([len(self.read(place)) for place in range(len(self))])

    def read(self, place: int) -> np.ndarray:
        frames: np.ndarray = self.change(self.layer.read(int(self.items[place])))
        return frames


def test_it_predicts_each_sequence_of_the_test_subjects_once(ran: Ran) -> None:
    predictions, shown = ran.predictions, Shown(ran.task)
    assert ran.manifest["sequence_count"] == len(predictions) == len(shown) == 5 * len(CLASSES)
    assert "image_count" not in ran.manifest
    layer = shown.layer
    assert predictions.image.tolist() == predictions.sequence.tolist() == layer.names[shown.items].tolist()
    assert predictions.subject.tolist() == layer.subjects[shown.items].tolist()
    assert predictions.true.tolist() == layer.expressions[shown.items].tolist()
    assert ran.manifest["accuracy"] == predictions.correct.mean()


def test_its_record_names_the_layer_and_its_size_counts_sequences(ran: Ran, data_root: Path) -> None:
    layer = Shown(ran.task).layer
    assert ran.task.record["data"]["layers"] == {"sequences": layer.hash}
    assert ran.task.training_images == 5 * len(CLASSES)
    configuration = smallest(ran.task.record["method"])
    (inner,) = step_tasks(configuration, planned(data_root, configuration.method), Machine(), [(0, 0)])
    assert inner.training_images == 4 * len(CLASSES)
    costs = ran.task.costs
    if isinstance(load_method(configuration.method), NetMethod):
        assert costs.gflop_an_image > 0
        longer = final(data_root, configuration.method, frames=2 * configuration.frames).costs  # type: ignore[attr-defined]
        assert longer.gflop_an_image == pytest.approx(2 * costs.gflop_an_image, rel=0.1)


def test_its_memory_on_a_gpu_is_not_measured_with_faces(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not can_be_measured(ran.task)
    kind = type(load_method(ran.task.record["method"]))
    if issubclass(kind, NetMethod):
        monkeypatch.setattr(kind, "items", NetMethod.items)
        assert not can_be_measured(ran.task)


def test_the_loaded_method_gives_the_scores_again(ran: Ran) -> None:
    scores, shown = ran.predictions.scores.astype(np.float32), Shown(ran.task)
    check_scores(scores, len(shown), 3, ran.task.record["method"])
    assert np.array_equal(ran.loaded().scores(shown), scores)
    assert {Path(name).suffix for name in ran.saved} <= {".safetensors", ".npz", ".npy", ".json"}


def test_a_sequences_scores_depend_on_its_frames_alone(ran: Ran) -> None:
    """Neither on the other sequences, nor on how long they are."""
    fitted, scores = ran.loaded(), ran.predictions.scores
    order = np.random.default_rng(0).permutation(len(scores))
    np.testing.assert_allclose(fitted.scores(Shown(ran.task, places=order)), scores[order], atol=1e-6)
    np.testing.assert_allclose(fitted.scores(Shown(ran.task, places=[3]))[0], scores[3], atol=1e-6)

    class OneWhole(Shown):
        """The others lack their last frame."""

        def read(self, place: int) -> np.ndarray:
            return super().read(place)[: None if place == 3 else -1]

    mixed = fitted.scores(OneWhole(ran.task))
    np.testing.assert_allclose(mixed[3], scores[3], atol=1e-6)
    assert not np.allclose(mixed[2], scores[2], atol=1e-6)


def test_the_order_of_frames_counts(ran: Ran) -> None:
    backwards = ran.loaded().scores(Shown(ran.task, lambda frames: frames[::-1]))
    assert np.abs(backwards - ran.predictions.scores).max() > 1e-4


@contextmanager
def poisoned(subjects: tuple[str, ...]) -> Iterator[None]:
    """Frames and labels of the subjects are others, under the same hash of the layer."""
    opened = SequenceLayer.open

    def other(store: Path) -> SequenceLayer:
        layer = opened(store)
        frames, expressions = np.array(layer.frames[:]), np.array(layer.expressions)
        for item in np.flatnonzero(np.isin(layer.subjects, subjects)).tolist():
            start = layer.first[item]
            shown = slice(start, start + layer.lengths[item])
            frames[shown] = 255 - frames[shown]
            expressions[item] = CLASSES[(CLASSES.index(expressions[item]) + 1) % len(CLASSES)]
        return dataclasses.replace(layer, frames=frames, expressions=expressions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SequenceLayer, "open", staticmethod(other))
        yield


def test_poisoned_test_subjects_leave_the_trained_method_bit_identical(ran: Ran, tmp_path: Path) -> None:
    with poisoned(ran.task.evaluation_subjects):
        dirty = carried_out(ran.task, tmp_path / "tested")
    assert dirty.saved == ran.saved
    # Strong enough to be seen where it may be: in the scores of these subjects, and of a training subject.
    assert not np.array_equal(dirty.predictions.scores, ran.predictions.scores)
    with poisoned(ran.task.train_subjects[:1]):
        other = carried_out(ran.task, tmp_path / "trained")
    assert other.saved != ran.saved


def test_poisoned_test_subjects_leave_an_inner_run_bit_identical(
    name: str, data_root: Path, tmp_path: Path
) -> None:
    data = planned(data_root, name)
    (task,) = step_tasks(smallest(name), data, Machine(), [(0, 0)])
    clean = carried_out(task, tmp_path / "clean")
    with poisoned(data.folds.folds[0].test_subjects):
        dirty = carried_out(task, tmp_path / "dirty")
    assert dirty.file("predictions.parquet") == clean.file("predictions.parquet")


def test_a_test_sequence_that_fit_reads_ends_the_run(
    name: str, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no way to one through `train`; a method that goes round it is stopped by the view."""
    task = final(data_root, name)
    layer = Shown(task).layer
    tested = int(np.flatnonzero(np.isin(layer.subjects, task.evaluation_subjects))[0])
    kind = type(load_method(name))
    whole = kind.fit

    def reading(self: Any, train: TrainView, *arguments: Any) -> Any:
        train._view.sequence_view.read(tested)
        return whole(self, train, *arguments)

    monkeypatch.setattr(kind, "fit", reading)
    manifest = execute(task, str(tmp_path))
    assert manifest["status"] == "failed"
    assert LeakageError.__name__ in manifest["traceback"]
    assert "are tested, and training has not finished" in manifest["traceback"]
    assert not ResultsStore(tmp_path).is_complete("fold_runs", task.identity)
