"""Of several attempts at a run only the newest writes, whatever an older one does that was taken for lost."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan
from platform.errors import UserError
from platform.runs.attempts import Attempt, Attempts, driver_folder, drop_driver_folder
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.execute import execute
from platform.runs.fold_tasks import final_tasks, plan_data
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore, results_storage
from platform.runs.tasks import FoldTask
from tests.tiny_faces import prepare_tiny, tiny_configuration

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

RUN = "ab" * 12
EPOCHS = 3


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> FoldTask:
    """A run with a checkpoint after every epoch but the last."""
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    configuration = tiny_configuration(method="cnn", stage2_constant_epochs=EPOCHS, stage2_decay_epochs=0)
    planned = plan_data(root, "synthetic", configuration, Plan(folds=2, rounds=(1, 1)))
    return final_tasks(configuration, planned, Machine(checkpoint_every_epochs=1))[0]


def files(folder: Path) -> dict[str, bytes]:
    """Every file of a runs folder, but the tokens of attempts."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.parent.name != "attempts"
    }


def begun(experiment: Path) -> Attempts:
    """Of a driver that has just started."""
    return Attempts(driver_folder(experiment))


def test_a_newer_attempt_ends_the_one_before(tmp_path: Path) -> None:
    attempts = begun(tmp_path)
    older = pickle.loads(pickle.dumps(attempts.begin(RUN)))
    older.check()
    newer = attempts.begin(RUN)
    newer.check()
    with pytest.raises(EnvironmentFailure, match="a newer attempt at this run has begun"):
        older.check()


def test_no_attempt_outlives_its_run_nor_its_dispatcher(tmp_path: Path) -> None:
    folder = driver_folder(tmp_path)
    attempts = Attempts(folder)
    ended, standing = attempts.begin(RUN), attempts.begin("cd" * 12)
    attempts.end(RUN)
    with pytest.raises(EnvironmentFailure):
        ended.check()
    standing.check()
    Attempts(folder)  # the same dispatcher, lost and started again
    with pytest.raises(EnvironmentFailure):
        standing.check()
    drop_driver_folder(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_was_replaced_begins_no_attempt_and_ends_none_of_its_successor(tmp_path: Path) -> None:
    folder = driver_folder(tmp_path)
    older = Attempts(folder)
    cut_off = older.begin(RUN)
    newer = begun(tmp_path).begin(RUN)
    with pytest.raises(EnvironmentFailure, match="a newer attempt"):
        cut_off.check()
    with pytest.raises(EnvironmentFailure, match="another driver has started this experiment again"):
        older.begin(RUN)
    drop_driver_folder(folder)
    newer.check()


def test_two_experiments_never_stop_each_other(tmp_path: Path) -> None:
    one, other = (begun(tmp_path / name).begin(RUN) for name in ("one", "other"))
    one.check()
    other.check()


def test_an_attempt_that_cannot_be_written_is_a_failure_of_the_environment(tmp_path: Path) -> None:
    folder = driver_folder(tmp_path)
    (folder / "attempts").rmdir()
    (folder / "attempts").write_text("no folder")
    with pytest.raises(EnvironmentFailure, match="Not a directory"):
        Attempts(folder).begin(RUN)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match="cannot make"):
        driver_folder(tmp_path / "file")


class Replaced:
    """An attempt that a newer one replaces after so many looks."""

    def __init__(self, looks: int) -> None:
        self.left = looks

    def may_write(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise EnvironmentFailure("a newer attempt at this run has begun")


@pytest.mark.parametrize("looks", [0, 1], ids=["before it writes", "before the rename"])
@pytest.mark.parametrize("failed", [False, True])
def test_an_attempt_that_was_replaced_leaves_the_store_as_it_was(
    looks: int, failed: bool, tmp_path: Path
) -> None:
    earlier = ResultsStore(tmp_path).write_failure("fold_runs", RUN, {}, "of an earlier start")
    before = files(tmp_path)
    store = ResultsStore(tmp_path, results_storage(Replaced(looks).may_write))
    write = (
        partial(store.write_failure, traceback="of the older attempt")
        if failed
        else partial(store.write, files={"weights": b"1"}, seconds=1.0)
    )
    with pytest.raises(EnvironmentFailure):
        write("fold_runs", RUN, {})
    assert files(tmp_path) == before
    assert ResultsStore(tmp_path).manifest("fold_runs", RUN) == earlier


class Cut:
    """An older attempt, cut off after its first epoch, that goes on after `meanwhile`."""

    def __init__(self, runs: Path, task: FoldTask, meanwhile: Any) -> None:
        self.runs, self.task, self.meanwhile = runs, task, meanwhile
        self.attempts = begun(runs / "experiments" / "one")
        self.kept: dict[str, bytes] = {}

    def report(self, values: dict[str, Any]) -> None:
        if values["epoch"] == 1:
            self.meanwhile(self)
            self.kept = files(self.runs)

    def newer(self) -> Attempt:
        return self.attempts.begin(self.task.identity)

    def go(self) -> dict[str, Any]:
        return execute(self.task, str(self.runs), report=self.report, attempt=self.newer())


def test_the_older_stops_and_writes_nothing_while_the_newer_runs(task: FoldTask, tmp_path: Path) -> None:
    """It ends at its next checkpoint, not after all of its epochs."""
    cut = Cut(tmp_path, task, lambda cut: cut.newer())
    with pytest.raises(EnvironmentFailure, match="a newer attempt at this run has begun"):
        cut.go()
    assert files(tmp_path) == cut.kept
    assert not (tmp_path / "fold_runs").exists()


def test_the_older_adds_nothing_to_what_the_newer_has_stored(task: FoldTask, tmp_path: Path) -> None:
    def newer_runs_to_its_end(cut: Cut) -> None:
        attempt = cut.newer()
        assert execute(task, str(tmp_path), attempt=attempt)["status"] == "complete"
        cut.attempts.end(task.identity)

    cut = Cut(tmp_path, task, newer_runs_to_its_end)
    with pytest.raises(EnvironmentFailure):
        cut.go()
    assert cut.kept == files(tmp_path)
    assert (tmp_path / "fold_runs" / task.identity / "manifest.json").exists()
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_the_failure_of_an_older_attempt_is_not_stored(task: FoldTask, tmp_path: Path) -> None:
    def newer_starts_and_the_older_fails(cut: Cut) -> None:
        cut.newer()
        raise ArithmeticError("on the cut-off host")

    with pytest.raises(EnvironmentFailure):
        Cut(tmp_path, task, newer_starts_and_the_older_fails).go()
    assert ResultsStore(tmp_path).manifest("fold_runs", task.identity) is None


def test_an_attempt_that_starts_late_takes_no_checkpoints_of_the_newer(
    task: FoldTask, tmp_path: Path
) -> None:
    attempts = begun(tmp_path / "experiments" / "one")
    late, newer = attempts.begin(task.identity), attempts.begin(task.identity)

    def a_late_one_starts(values: dict[str, Any]) -> None:
        if values["epoch"] == EPOCHS:
            before = files(tmp_path / "checkpoints")
            assert before
            with pytest.raises(EnvironmentFailure):
                execute(task, str(tmp_path), attempt=late)
            assert files(tmp_path / "checkpoints") == before

    manifest = execute(task, str(tmp_path), report=a_late_one_starts, attempt=newer)
    assert manifest["status"] == "complete"
