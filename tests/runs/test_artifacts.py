"""Artifacts of any depth, by a plug-in with three stages: planned, shared, made, kept from test subjects."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.prepared.layer_files import MissingLayer
from datasets.prepared.neutral_layer import write_neutral
from datasets.prepared.store import PreparedStore
from platform.config.configuration import Configuration, Plan, configuration_of
from platform.errors import LeakageError, UserError
from platform.models import load_method, plugins
from platform.models.artifact import Artifact, Content
from platform.models.plugins import read_plugin, register
from platform.models.recipe import Recipe
from platform.runs.artifact_records import artifacts_of
from platform.runs.artifacts import load_artifact
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.execute import execute
from platform.runs.fold_tasks import PlannedData, final_tasks, plan_data, source_substitute, step_tasks
from platform.runs.planned_tasks import NOTHING, Machine, Origin, Substitute, artifact_task
from platform.runs.store import ResultsStore
from platform.runs.task_view import view_of
from platform.runs.tasks import ArtifactTask, FoldTask, below, trained_artifacts
from tests.tiny_faces import SIZE, prepare_tiny

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

TOY = Path(__file__).parent.parent / "data" / "methods" / "three_stages.py"
PLAN = Plan(folds=2, rounds=(1, 1), holdout_share=0.3)


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "_KNOWN", {})
        register(read_plugin(str(TOY)))
        yield


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=5)
    return root


def toy(**changes: Any) -> Configuration:
    small = {"load_size_pixels": SIZE, "image_size_pixels": 32, "augmentation": "none"}
    epochs = {"stage2_constant_epochs": 1, "stage2_decay_epochs": 0, "stage2_batch_size": 8}
    return configuration_of("three_stages", **{**small, **epochs, **changes})


@pytest.fixture(scope="module")
def planned(data_root: Path, registered: None) -> PlannedData:
    return plan_data(data_root, "synthetic", toy(), PLAN, search=True)


def final(planned: PlannedData, **changes: Any) -> FoldTask:
    return final_tasks(toy(**changes), planned, Machine())[0]


def identities(task: FoldTask) -> dict[str, str]:
    return {name: needed.identity for name, needed in task.artifacts.items()}


def made(task: FoldTask, runs: Path) -> ResultsStore:
    """Everything that trains below the task."""
    for needed in trained_artifacts([task]).values():
        manifest = execute(needed, str(runs))
        assert manifest["status"] == "complete", manifest.get("traceback")
    return ResultsStore(runs)


def test_a_task_knows_all_that_it_rests_on_at_any_depth(planned: PlannedData) -> None:
    task = final(planned)
    names = [needed.artifact.name for needed in below(task).values()]
    assert names == ["mean_face", "first", "second"]
    assert list(trained_artifacts([task])) == [task.artifacts[name].identity for name in ("first", "second")]
    assert artifacts_of(task.record) == identities(task)
    assert task.record["artifacts"] == identities(task)
    second = task.artifacts["second"]
    assert second.record["artifacts"] == {"first": task.artifacts["first"].identity}
    assert (second.kind, second.epochs, second.cost_key) == ("artifacts", 2, "second")
    assert second.record["plugin"] == task.record["plugin"]


def test_trials_share_what_their_options_do_not_reach(planned: PlannedData) -> None:
    base = final(planned)
    other = final(planned, third_rate=1.0, stage2_batch_size=4, label_smoothing=0.1)
    assert other.identity != base.identity
    assert identities(other) == identities(base)
    other = final(planned, second_rate=1.0)
    changed = {name for name, one in identities(other).items() if one != identities(base)[name]}
    assert changed == {"second"}
    other = final(planned, first_rate=1.0)
    changed = {name for name, one in identities(other).items() if one != identities(base)[name]}
    assert changed == {"first", "second"}
    assert other.identity != base.identity


def test_folds_and_validation_splits_share_nothing(planned: PlannedData) -> None:
    steps = [(0, None), (0, 0), (0, 1), (1, None)]
    tasks = step_tasks(toy(), planned, Machine(), steps)
    for name in ("mean_face", "first", "second"):
        assert len({task.artifacts[name].identity for task in tasks}) == len(steps)
    for task in tasks:
        for needed in below(task).values():
            assert needed.train_subjects == task.train_subjects
            assert not set(needed.train_subjects) & set(task.evaluation_subjects)


def test_what_trains_is_made_once_and_the_rest_by_whoever_needs_it(
    planned: PlannedData, tmp_path: Path
) -> None:
    task = final(planned)
    store = made(task, tmp_path)
    assert len(list((tmp_path / "artifacts").iterdir())) == 3
    first = task.artifacts["first"]
    manifest = store.manifest("artifacts", first.identity)
    assert manifest is not None
    assert manifest["seconds"] > 0
    assert store.record("artifacts", first.identity) == first.record
    content = load_artifact(first, store)
    assert set(content.files) == {"weights.safetensors", "curves.json"}
    assert content.facts["image_count"] == 5 * 6
    manifest = execute(task, str(tmp_path))
    assert manifest["status"] == "complete", manifest.get("traceback")
    assert manifest["image_count"] == 5 * 6
    assert "mask_quality" not in manifest


def test_one_that_trains_is_never_made_by_the_way(planned: PlannedData, tmp_path: Path) -> None:
    task = final(planned)
    missing = f"first stage .artifacts {task.artifacts['first'].identity}. is not in the results store"
    with pytest.raises(EnvironmentFailure, match=missing):
        execute(task.artifacts["second"], str(tmp_path))


def test_poisoned_test_subjects_leave_every_artifact_bit_identical(
    planned: PlannedData, tmp_path: Path
) -> None:
    """Nothing of a fold's test subjects reaches what its runs rest on, at any depth, inner runs too."""
    (task,) = step_tasks(toy(), planned, Machine(), [(0, 0)])
    clean = made(task, tmp_path / "clean")
    folder = Path(task.data.folder)
    tested = sorted({*planned.folds.folds[0].test_subjects, *task.evaluation_subjects})
    with poisoned(folder, tested):
        dirty = made(task, tmp_path / "dirty")
        for needed in below(task).values():
            contents = [load_artifact(needed, store).files for store in (clean, dirty)]
            for name in ("mean.npy", "weights.safetensors"):
                assert contents[0].get(name) == contents[1].get(name)
    with poisoned(folder, task.train_subjects[:1]):  # strong enough to be seen where it may be
        other = made(task, tmp_path / "other")
    for needed in below(task).values():
        contents = [load_artifact(needed, store).files for store in (clean, other)]
        assert contents[0] != contents[1]


class poisoned:
    """Context in which a store's faces of some subjects are inverted under the same hash."""

    def __init__(self, folder: Path, subjects: Any) -> None:
        self._folder, self._subjects = folder, list(subjects)

    def __enter__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        opened = PreparedStore.open
        subjects = self._subjects

        def inverted(folder: Path, *arguments: Any, **options: Any) -> PreparedStore:
            store = opened(folder, *arguments, **options)
            images = np.array(store.images)
            rows = np.isin(store.subjects, subjects)
            images[rows] = 255 - images[rows]
            return dataclasses.replace(store, images=images)

        self._patch.setattr(PreparedStore, "open", staticmethod(inverted))

    def __exit__(self, *_: object) -> None:
        self._patch.undo()


def origin(planned: PlannedData) -> Origin:
    return Origin(configuration=toy(), machine=Machine(), images_of_subject=planned.images_of_subject)


def seen_by_the_first(planned: PlannedData, subjects: Any) -> ArtifactTask:
    """A second stage of the fold's own subjects, which rests on a first stage of others."""
    artifacts = final(planned).artifacts
    mean = artifact_task(artifacts["mean_face"].artifact, planned.data, subjects, origin(planned))
    first = artifact_task(
        artifacts["first"].artifact, planned.data, subjects, origin(planned), rests_on={"mean_face": mean}
    )
    train = planned.folds.folds[0].train_subjects
    return artifact_task(
        artifacts["second"].artifact, planned.data, train, origin(planned), rests_on={"first": first}
    )


def test_planning_refuses_what_rests_on_something_that_has_seen_a_test_subject(planned: PlannedData) -> None:
    fold = planned.folds.folds[0]
    seen = (*fold.train_subjects, fold.test_subjects[0])
    substitutes = {
        "second": Substitute(shown="elsewhere", source=seen_by_the_first(planned, seen)),
        "first": NOTHING,
        "mean_face": NOTHING,
    }
    with pytest.raises(
        LeakageError,
        match=rf"mean face \w+ has seen subjects {fold.test_subjects[0]}, which fold 0 evaluates",
    ):
        final_tasks(toy(), planned, Machine(), substitutes=[substitutes, {}])
    fitting = {**substitutes, "second": Substitute(shown="own", source=seen_by_the_first(planned, seen[:-1]))}
    assert final_tasks(toy(), planned, Machine(), substitutes=[fitting, {}])


def test_opening_refuses_it_again(planned: PlannedData, tmp_path: Path) -> None:
    """A task that was planned elsewhere, or changed on the way, reads nothing."""
    task = final(planned)
    seen = [*task.train_subjects, task.evaluation_subjects[-1]]
    changed = dataclasses.replace(task, artifacts={"second": seen_by_the_first(planned, seen)})
    with pytest.raises(LeakageError, match=f"has seen subjects {task.evaluation_subjects[-1]}"):
        view_of(changed)
    manifest = execute(changed, str(tmp_path))
    assert manifest["status"] == "failed"
    assert "LeakageError" in manifest["traceback"]
    assert not (tmp_path / "artifacts").exists()


def test_an_artifact_of_a_set_that_may_show_the_same_people_is_refused(planned: PlannedData) -> None:
    source = dataclasses.replace(planned, data=dataclasses.replace(planned.data, dataset="fmpn_release"))
    target = dataclasses.replace(planned, data=dataclasses.replace(planned.data, dataset="ckplus"))
    substitutes = {"first": source_substitute("first", source, toy(), Machine())}
    with pytest.raises(UserError, match=r"first stage|mean face .* whose people may be in CK\+"):
        final_tasks(toy(), target, Machine(), substitutes=substitutes)


def test_another_sets_stages_replace_the_folds_own(data_root: Path, planned: PlannedData) -> None:
    target = plan_data(data_root, "synthetic_wild", toy(), PLAN, fold_rule="holdout")
    substitutes = {"second": source_substitute("second", planned, toy(), Machine())}
    (task,) = final_tasks(toy(), target, Machine(), substitutes=substitutes)
    assert task.artifacts["second"].data.dataset == "synthetic"
    assert task.artifacts["first"].data.dataset == "synthetic_wild"
    assert final_tasks(toy(), target, Machine())[0].identity != task.identity


def test_what_is_left_out_takes_nothing_with_it_silently(planned: PlannedData) -> None:
    with pytest.raises(UserError, match="second stage rests on the artifact first, which this run"):
        final_tasks(toy(), planned, Machine(), substitutes={"first": NOTHING})
    control = Substitute(shown="permuted", control="permuted")
    with pytest.raises(UserError, match="mean face has no controls"):
        final_tasks(toy(), planned, Machine(), substitutes={"mean_face": control})


@dataclass(frozen=True)
class Undeclared(Artifact):
    """Reads an option that it did not declare, or trains without saying so."""

    reads: str
    name = "undeclared"
    title = "undeclared"

    def make(self, view: Any, settings: Any, inputs: Mapping[str, Content], tools: Any) -> Content:
        value = getattr(settings, self.reads) if self.reads else tools.train("x")
        return Content(files={}, facts={"value": value})


def test_an_artifact_reads_no_option_that_it_did_not_declare(planned: PlannedData, tmp_path: Path) -> None:
    train = planned.folds.folds[0].train_subjects
    task = artifact_task(Undeclared("third_rate"), planned.data, train, origin(planned))
    with pytest.raises(AttributeError, match="'third_rate' is not among the declared fields"):
        load_artifact(task, ResultsStore(tmp_path))
    task = artifact_task(Undeclared(""), planned.data, train, origin(planned))
    with pytest.raises(TypeError, match="must declare `trains = True`"):
        load_artifact(task, ResultsStore(tmp_path))


def brightness(face: np.ndarray) -> np.ndarray:
    """A feature of one face."""
    return np.array([face.mean()])


@dataclass(frozen=True)
class MeanBrightness(Artifact):
    """Made from features of the training faces."""

    trains: bool
    name = "mean_brightness"
    title = "mean brightness"

    def make(self, view: Any, settings: Any, inputs: Mapping[str, Content], tools: Any) -> Content:
        recipe = Recipe(name="brightness", function=brightness)
        features = tools.cached(recipe, view.read(view.training_rows))
        return Content(files={"mean.json": str(features.mean()).encode()}, facts={})


def test_an_artifact_shares_the_item_cache_whether_it_trains_or_not(
    planned: PlannedData, tmp_path: Path
) -> None:
    """What trains names the threads of its process, on which its features may depend; the other does not."""
    train, store = planned.folds.folds[0].train_subjects, ResultsStore(tmp_path)
    made, trained = (
        artifact_task(MeanBrightness(trains), planned.data, train, origin(planned))
        for trains in (False, True)
    )
    content = load_artifact(made, store)
    assert content.facts["item_cache"] == {"read": 0, "computed": 30}
    manifest = execute(trained, str(tmp_path))
    assert manifest["status"] == "complete", manifest.get("traceback")
    assert manifest["item_cache"] == {"read": 0, "computed": 30}
    assert store.read("artifacts", trained.identity, "mean.json") == content.files["mean.json"]
    more = (*train, planned.folds.folds[0].test_subjects[0])
    wider = artifact_task(MeanBrightness(False), planned.data, more, origin(planned))
    assert load_artifact(wider, store).facts["item_cache"] == {"read": 30, "computed": 6}


def test_a_plug_ins_artifacts_travel_with_its_file(planned: PlannedData) -> None:
    code = (
        "import pickle, sys; task = pickle.load(sys.stdin.buffer); "
        "print(task.artifacts['second'].rests_on['first'].artifact.title, task.identity)"
    )
    task = final(planned)
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(task), capture_output=True, check=False
    )
    assert done.stdout.decode() == f"first stage {task.identity}\n", done.stderr.decode()


@pytest.mark.parametrize("whose", ["method", "artifact"])
def test_a_layer_that_is_needed_is_in_the_records_that_read_it_and_its_lack_names_the_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    prepared = prepare_tiny(tmp_path, "synthetic", subjects=4)
    toy_method = load_method("three_stages")
    needing = toy_method if whose == "method" else toy_method.artifacts(toy())["first"]
    monkeypatch.setattr(type(needing), "needs", frozenset({"neutral"}))
    with pytest.raises(MissingLayer, match=r"lacks the layer 'neutral' .*--neutral-class"):
        plan_data(tmp_path, "synthetic", toy(), PLAN)
    write_neutral(prepared.folder, "synthetic", SIZE)
    task = final(plan_data(tmp_path, "synthetic", toy(), PLAN))
    reading = {one.identity: "layers" in one.record["data"] for one in (task, *below(task).values())}
    read = task if whose == "method" else task.artifacts["first"]
    assert reading == {one: one == read.identity for one in reading}
    assert view_of(read).training_rows.size
    changed = {**read.record, "data": {**read.record["data"], "layers": {"neutral": "0" * 64}}}
    with pytest.raises(UserError, match=r"has other layers .neutral. than planned"):
        view_of(dataclasses.replace(read, record=changed))
