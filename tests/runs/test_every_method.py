"""What every method must do in a fold run: repeat its numbers, save, load, learn nothing of a test subject.

A method of a user's own is tested by its file being in tests/data/methods.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.prepared.store import PreparedStore
from platform.config.configuration import Plan
from platform.evaluation.predictions import Predictions, from_bytes
from platform.models import load_method
from platform.models.fitted import Faces, Fitted, check_scores
from platform.models.net_method import NetMethod
from platform.runs.artifacts import load_artifact
from platform.runs.execute import execute
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, step_tasks
from platform.runs.item_cache import content_of, unpacked
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask, below, trained_artifacts
from tests.every_method import EVERY, OWN_FILES, registered, smallest
from tests.tiny_faces import CLASSES, prepare_tiny

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, rounds=(1, 1))
NO_PART_OF_THE_METHOD = {
    "record.json", "predictions.parquet", "pictures.png", "curves.json", "mask_quality.parquet",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    return root


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A fold run that has ended, and the results store that it is in."""

    task: FoldTask
    store: ResultsStore
    manifest: dict[str, Any]

    def file(self, name: str) -> bytes:
        return self.store.read("fold_runs", self.task.identity, name)

    @property
    def predictions(self) -> Predictions:
        return from_bytes(self.file("predictions.parquet"), "the test's run")

    @property
    def saved(self) -> dict[str, bytes]:
        """The files of the trained method."""
        names = self.manifest["sha256"].keys() - NO_PART_OF_THE_METHOD
        return {name: self.file(name) for name in sorted(names)}

    def loaded(self) -> Fitted:
        method = load_method(self.task.record["method"])
        return method.load(self.saved, method.settings(self.task.record["config"]), CLASSES)

    @property
    def features(self) -> dict[tuple[str, str], bytes]:
        """The item cache: recipe and face to the bits of the features."""
        found = {}
        for path in self.store.root.glob("item_cache/*/*.features"):
            content = path.read_bytes()
            names = set(json.loads(content.partition(b"\n")[0])["faces"])
            found |= {
                (path.parent.name, name): one.tobytes() for name, one in unpacked(content, names).items()
            }
        return found


def carried_out(task: FoldTask, runs: Path) -> Ran:
    """The task and all that trains below it."""
    for needed in trained_artifacts([task]).values():
        manifest = execute(needed, str(runs))
        assert manifest["status"] == "complete", manifest.get("traceback")
    manifest = execute(task, str(runs))
    assert manifest["status"] == "complete", manifest.get("traceback")
    return Ran(task=task, store=ResultsStore(runs), manifest=manifest)


def planned(data_root: Path, name: str) -> PlannedData:
    return plan_data(data_root, "synthetic", smallest(name), PLAN, search=True)


def final(data_root: Path, name: str, fold: int = 0, **changes: Any) -> FoldTask:
    return final_tasks(smallest(name, **changes), planned(data_root, name), Machine())[fold]


@pytest.fixture(scope="module", params=EVERY)
def ran(request: pytest.FixtureRequest, data_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The final run of fold 0 of each method."""
    runs = tmp_path_factory.mktemp("clean")
    return carried_out(final(data_root, request.param), runs)


def faces_of(task: FoldTask) -> np.ndarray:
    """The faces that the run has scored, in the order of its predictions."""
    store = PreparedStore.open(Path(task.data.folder))
    scored = np.isin(store.subjects, task.evaluation_subjects) & (store.roles == "expressive")
    return np.array(store.images[scored])


def test_scores_are_probabilities_and_the_loaded_method_gives_them_again(ran: Ran) -> None:
    scores, faces = ran.predictions.scores, Faces(images=faces_of(ran.task))
    check_scores(scores.astype(np.float32), 30, 3, ran.task.record["method"])
    assert ran.predictions.class_names == CLASSES
    again = ran.loaded().scores(faces)
    assert np.array_equal(again, scores.astype(np.float32))


def test_it_is_saved_as_arrays_and_json(ran: Ran) -> None:
    assert ran.saved
    assert {Path(name).suffix for name in ran.saved} <= {".safetensors", ".npz", ".npy", ".json"}
    for name, content in ran.saved.items():
        assert not content.startswith(b"\x80"), f"{name} begins as a pickle does"


def test_a_faces_scores_depend_on_the_face_alone(ran: Ran) -> None:
    """Order, number and content of the other faces change nothing but last bits."""
    fitted, images, scores = ran.loaded(), faces_of(ran.task), ran.predictions.scores
    order = np.random.default_rng(0).permutation(len(images))
    np.testing.assert_allclose(fitted.scores(Faces(images=images[order])), scores[order], atol=1e-5)
    others = 255 - images
    others[3] = images[3]
    np.testing.assert_allclose(fitted.scores(Faces(images=others))[3], scores[3], atol=1e-5)
    np.testing.assert_allclose(fitted.scores(Faces(images=images[3:4]))[0], scores[3], atol=1e-5)


def test_the_record_names_the_code(ran: Ran) -> None:
    name, record = ran.task.record["method"], ran.task.record
    everything = [record, *(task.record for task in below(ran.task).values() if "method" in task.record)]
    if name in OWN_FILES:
        source = hashlib.sha256(OWN_FILES[name].read_bytes()).hexdigest()
        assert {one["plugin"] for one in everything} == {source}
    else:
        assert not any("plugin" in one for one in everything)
    assert record.get("method_version", 1) == load_method(name).version


def test_costs_are_counted_or_stated(ran: Ran) -> None:
    method, costs = load_method(ran.task.record["method"]), ran.task.costs
    if isinstance(method, NetMethod):
        assert costs.gflop_an_image > 0
    assert costs.minimum_batch >= 1
    assert ran.task.gflop >= 0


def test_another_seed_trains_another_net(ran: Ran, data_root: Path, tmp_path: Path) -> None:
    name = ran.task.record["method"]
    if isinstance(load_method(name), NetMethod):
        other = carried_out(final(data_root, name, seed=1), tmp_path)
        assert other.task.identity != ran.task.identity
        assert other.saved != ran.saved


def test_interrupted_it_ends_with_the_same_bits(ran: Ran, data_root: Path, tmp_path: Path) -> None:
    """It goes on after the epoch whose checkpoint was the last one."""
    name = ran.task.record["method"]
    if not isinstance(load_method(name), NetMethod):
        return
    machine = Machine(checkpoint_every_epochs=1)
    task = final_tasks(smallest(name), planned(data_root, name), machine)[0]
    assert task.identity == ran.task.identity
    for needed in trained_artifacts([task]).values():
        execute(needed, str(tmp_path))
    epochs: list[int] = []

    def report(values: dict[str, Any]) -> None:
        epochs.append(values["epoch"])
        if epochs == [1, 2]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(task, str(tmp_path), report=report)
    assert execute(task, str(tmp_path), report=report)["status"] == "complete"
    assert epochs == [1, 2, 2]
    again = carried_out(task, tmp_path)
    assert again.saved == ran.saved
    assert again.file("predictions.parquet") == ran.file("predictions.parquet")


@contextmanager
def poisoned(subjects: tuple[str, ...]) -> Iterator[None]:
    """Faces and labels of the subjects are others, under the same hash of the data."""
    opened = PreparedStore.open

    def other(folder: Path, *arguments: Any, **options: Any) -> PreparedStore:
        store = opened(folder, *arguments, **options)
        images, expressions = np.array(store.images), np.array(store.expressions)
        rows = np.isin(store.subjects, subjects)
        images[rows] = 255 - images[rows]
        shown = rows & (store.roles == "expressive")
        expressions[shown] = [
            CLASSES[(CLASSES.index(name) + 1) % len(CLASSES)] for name in expressions[shown]
        ]
        return dataclasses.replace(store, images=images, expressions=expressions)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PreparedStore, "open", staticmethod(other))
        yield


def assert_same_below(clean: Ran, dirty: Ran) -> None:
    """All that the run rests on, at any depth, has the same bits."""
    assert clean.task.identity == dirty.task.identity
    for needed in below(clean.task).values():
        contents = [dict(load_artifact(needed, one.store).files) for one in (clean, dirty)]
        for files in contents:
            files.pop("curves.json", None)  # seconds are in it
        assert contents[0] == contents[1], needed.artifact.title


def training_faces(task: FoldTask) -> set[str]:
    """The names in the item cache of what the run trains on."""
    store = PreparedStore.open(Path(task.data.folder))
    trained = np.isin(store.subjects, task.train_subjects) & (store.roles == "expressive")
    return {content_of(face) for face in store.images[trained]}


def test_poisoned_test_subjects_leave_all_that_is_trained_bit_identical(
    ran: Ran, data_root: Path, tmp_path: Path
) -> None:
    """Artifacts, cached features of training faces, the trained method; with the cache warm from the other
    fold, which trains on the very subjects that this one tests."""
    tested = ran.task.evaluation_subjects
    with poisoned(tested):
        if ran.features:
            other = final(data_root, ran.task.record["method"], fold=1)
            assert set(tested) <= set(other.train_subjects)
            assert carried_out(other, tmp_path).manifest["item_cache"]["computed"]
        dirty = carried_out(ran.task, tmp_path)
        assert_same_below(ran, dirty)
    assert dirty.saved == ran.saved
    for key, features in ran.features.items():
        if key[1] in training_faces(ran.task):
            assert dirty.features[key] == features
    # Strong enough to be seen where it may be: in the scores of these subjects.
    assert not np.array_equal(dirty.predictions.scores, ran.predictions.scores)


@pytest.mark.parametrize("name", EVERY)
def test_poisoned_test_subjects_leave_an_inner_run_bit_identical(
    name: str, data_root: Path, tmp_path: Path
) -> None:
    """Its scores too. That both are equal shows as well that the same seed gives the same numbers."""
    data = planned(data_root, name)
    (task,) = step_tasks(smallest(name), data, Machine(), [(0, 0)])
    tested = data.folds.folds[0].test_subjects
    assert not {*tested} & {*task.train_subjects, *task.evaluation_subjects}
    clean = carried_out(task, tmp_path / "clean")
    with poisoned(tested):
        dirty = carried_out(task, tmp_path / "dirty")
        assert_same_below(clean, dirty)
    assert dirty.file("predictions.parquet") == clean.file("predictions.parquet")
    assert dirty.features == clean.features


def test_the_poison_is_strong_enough_to_be_seen_where_it_may_be(data_root: Path, tmp_path: Path) -> None:
    """A training subject's changes artifacts, features and the trained method."""
    name = "three_stages"
    task = final(data_root, name)
    clean = carried_out(task, tmp_path / "clean")
    with poisoned(task.train_subjects[:1]):
        dirty = carried_out(task, tmp_path / "dirty")
        with pytest.raises(AssertionError):
            assert_same_below(clean, dirty)
    assert dirty.saved != clean.saved


def test_a_face_is_computed_once_for_all_folds_and_trials(data_root: Path, tmp_path: Path) -> None:
    """And a run whose features are all read has the numbers of one that computed them."""
    first, second = (carried_out(final(data_root, "pixel_svm", fold), tmp_path / "runs") for fold in (0, 1))
    assert first.manifest["item_cache"] == {"read": 0, "computed": 60}
    assert second.manifest["item_cache"] == {"read": 60, "computed": 0}
    trial = carried_out(final(data_root, "pixel_svm", cost=3.0), tmp_path / "runs")
    assert trial.manifest["item_cache"] == {"read": 60, "computed": 0}
    alone = carried_out(final(data_root, "pixel_svm", 1), tmp_path / "alone")
    assert alone.manifest["item_cache"]["computed"] == 60
    assert alone.saved == second.saved
    assert alone.file("predictions.parquet") == second.file("predictions.parquet")
