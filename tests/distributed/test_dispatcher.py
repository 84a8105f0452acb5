"""The Dispatcher alone: what starts a task is a coroutine of ours, and no Ray is there."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import WorkerCrashedError

from datasets.folds.rules import Fold
from platform.config.configuration import Configuration, configuration_of
from platform.distributed import dispatcher as dispatcher_module
from platform.distributed.dispatcher import LOST, Dispatcher, group, label
from platform.files import late
from platform.models import plugins
from platform.models.plugins import read_plugin, register
from platform.runs.environment_failure import LOST_WORKERS_IN_A_ROW
from platform.runs.node_proof import UnfitNode
from platform.runs.planned_tasks import Machine, fold_task
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask
from tests.tiny_faces import fake_data, tiny_configuration

SUBJECTS = tuple(f"S{number}" for number in range(8))


def task(index: int = 0, configuration: Configuration | None = None, *, final: bool = True) -> FoldTask:
    fold = Fold(
        index=index,
        train_subjects=tuple(s for s in SUBJECTS if s != SUBJECTS[index]),
        test_subjects=(SUBJECTS[index],),
    )
    return fold_task(
        configuration or tiny_configuration(),
        fake_data(),
        fold,
        fold_rule="paper",
        part=None if final else 0,
        validation_subjects=None if final else (SUBJECTS[-1],),
        machine=Machine(),
        images_of_subject=dict.fromkeys(SUBJECTS, 3),
    )


def baseline(index: int, epochs: int = 1) -> FoldTask:
    return task(index, tiny_configuration(method="cnn", stage2_constant_epochs=epochs))


class Workers:
    """Carries tasks out by waiting a few turns of the loop; notes starts, ends and how many at once."""

    def __init__(
        self,
        root: Path,
        failing: Sequence[str] = (),
        lost: Sequence[str] = (),
        unable: Sequence[str] = (),
        raising: Sequence[str] = (),
    ) -> None:
        self.store = ResultsStore(root)
        self.failing, self.lost = list(failing), list(lost)
        self.unable, self.raising = list(unable), list(raising)
        self.waits: list[float] = []
        self.started: list[str] = []
        self.ended: list[str] = []
        self.most_at_once = 0

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def launch(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        self.started.append(task.identity)
        self.most_at_once = max(self.most_at_once, len(self.started) - len(self.ended))
        for _ in range(5):
            await asyncio.sleep(0)
        self.ended.append(task.identity)
        kind = task.kind
        if task.identity in self.lost:
            self.lost.remove(task.identity)
            raise WorkerCrashedError
        if task.identity in self.unable:
            self.unable.remove(task.identity)
            raise OSError(errno.ENOSPC, "No space left on device", "/runs")
        if task.identity in self.raising:
            self.raising.remove(task.identity)
            raise ArithmeticError("no")
        if task.identity in self.failing:
            self.failing.remove(task.identity)
            return self.store.write_failure(kind, task.identity, task.record, "ValueError: no")
        return self.store.write(kind, task.identity, task.record, {}, seconds=2.0, accuracy=0.5)


def dispatched(
    workers: Workers, tasks: list[FoldTask], *, slots: int | None = 2, retries: int = 0
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Manifests, and the last snapshot."""

    async def run() -> tuple[list[dict[str, Any]], dict[str, Any]]:
        dispatcher = Dispatcher(str(workers.store.root), slots, workers.launch, retries, workers.sleep)
        manifests = await asyncio.wait_for(dispatcher.run(tasks), 60)  # the first imports torch
        return manifests, dispatcher.snapshot()

    return asyncio.run(run())


def stage1_of(task: FoldTask) -> str:
    return task.artifacts["stage1"].identity


def test_manifests_come_in_the_order_asked(tmp_path: Path) -> None:
    tasks = [baseline(index, epochs) for index, epochs in enumerate((1, 5, 3))]
    manifests, _ = dispatched(Workers(tmp_path), tasks)
    assert [manifest["identity"] for manifest in manifests] == [task.identity for task in tasks]
    assert {manifest["status"] for manifest in manifests} == {"complete"}


def test_the_longest_run_starts_first(tmp_path: Path) -> None:
    short, long, middle = tasks = [baseline(index, epochs) for index, epochs in enumerate((1, 9, 4))]
    workers = Workers(tmp_path)
    dispatched(workers, tasks, slots=1)
    assert workers.started == [long.identity, middle.identity, short.identity]


def test_a_task_asked_for_twice_runs_once_and_answers_both(tmp_path: Path) -> None:
    workers = Workers(tmp_path)
    manifests, snapshot = dispatched(workers, [baseline(0), baseline(0), baseline(1)])
    assert len(workers.started) == 2
    assert manifests[0] == manifests[1]
    assert len(snapshot["finished"]) == 2


def test_two_askers_at_once_share_the_run(tmp_path: Path) -> None:
    workers = Workers(tmp_path)

    async def run() -> None:
        dispatcher = Dispatcher(str(tmp_path), 1, workers.launch, 0)
        await asyncio.gather(dispatcher.run([baseline(0)]), dispatcher.run([baseline(0), baseline(1)]))
        await dispatcher.run([baseline(1)])

    asyncio.run(run())
    assert len(workers.started) == 2


def test_what_is_in_the_store_is_not_run_again(tmp_path: Path) -> None:
    dispatched(Workers(tmp_path), [task(0)])
    workers = Workers(tmp_path)
    manifests, snapshot = dispatched(workers, [task(0)])
    assert workers.started == []
    assert manifests[0]["status"] == "complete"
    assert [(entry["reused"], entry["group"]) for entry in snapshot["finished"]] == [(True, "final")]


def test_what_failed_before_is_tried_again(tmp_path: Path) -> None:
    made = baseline(0)
    ResultsStore(tmp_path).write_failure("fold_runs", made.identity, made.record, "ValueError")
    workers = Workers(tmp_path)
    manifests, _ = dispatched(workers, [made])
    assert workers.started == [made.identity]
    assert manifests[0]["status"] == "complete"


def test_stage_1_ends_before_its_fold_runs_start_and_runs_once(tmp_path: Path) -> None:
    tasks = [task(0), task(0, tiny_configuration(lambda_mask=0.1)), task(1)]
    assert stage1_of(tasks[0]) == stage1_of(tasks[1]) != stage1_of(tasks[2])
    workers = Workers(tmp_path)
    dispatched(workers, tasks, slots=None)
    assert len(workers.started) == 5
    for each in tasks:
        assert workers.started.index(each.identity) > workers.started.index(stage1_of(each))
        assert workers.ended.index(stage1_of(each)) < workers.ended.index(each.identity)


def test_a_fold_run_holds_no_slot_while_it_waits_for_stage_1(tmp_path: Path) -> None:
    """With one slot, and the fold run asked first, holding it would wait for ever."""
    workers = Workers(tmp_path)
    manifests, _ = dispatched(workers, [task(0), task(1), baseline(2)], slots=1)
    assert len(manifests) == 3
    assert workers.most_at_once == 1


@pytest.mark.parametrize(("slots", "most"), [(1, 1), (3, 3), (None, 6)])
def test_at_most_the_slots_run_at_once(tmp_path: Path, slots: int | None, most: int) -> None:
    workers = Workers(tmp_path)
    dispatched(workers, [baseline(index) for index in range(6)], slots=slots)
    assert workers.most_at_once == most
    assert len(workers.ended) == 6


def test_lost_workers_have_a_budget_and_waits_of_their_own_and_are_no_failure(tmp_path: Path) -> None:
    made = baseline(0)
    workers = Workers(tmp_path, lost=[made.identity] * LOST_WORKERS_IN_A_ROW)
    manifests, snapshot = dispatched(workers, [made], retries=0)
    assert workers.started == [made.identity] * (LOST_WORKERS_IN_A_ROW + 1)
    assert manifests[0]["status"] == "complete"
    assert len(snapshot["finished"]) == 1  # an attempt that was lost is not a run that failed
    assert workers.waits == [1, 2, 4, 8, 16, 32]
    assert [event["in_a_row"] for event in snapshot["events"]] == [1, 2, 3, 4, 5, 6]
    assert snapshot["events"][0]["words"].startswith(f"{label(made)} lost its worker on an unknown host: ")
    assert snapshot["events"][0]["words"].endswith("; restarting in 1 s")


def test_a_worker_lost_for_good_leaves_nothing_behind_that_the_next_start_would_believe(
    tmp_path: Path,
) -> None:
    made, other = task(0), baseline(1)
    workers = Workers(tmp_path, lost=[stage1_of(made)] * (LOST_WORKERS_IN_A_ROW + 1))
    manifests, snapshot = dispatched(workers, [made, other], retries=2)
    assert workers.started.count(stage1_of(made)) == LOST_WORKERS_IN_A_ROW + 1
    assert [manifest["status"] for manifest in manifests] == [LOST, "complete"]
    assert manifests[0]["identity"] == made.identity
    assert "WorkerCrashedError" in manifests[0]["reason"]
    assert "its worker was lost 7 times in a row" in manifests[0]["reason"]
    store = ResultsStore(tmp_path)
    assert store.manifest("fold_runs", made.identity) is None
    assert store.manifest("stage1", stage1_of(made)) is None
    assert snapshot["events"][-1]["wait_seconds"] is None
    assert snapshot["events"][-1]["words"].endswith("; no further attempt")
    manifests, _ = dispatched(Workers(tmp_path), [made])
    assert manifests[0]["status"] == "complete"


def test_a_worker_lost_after_a_new_checkpoint_has_its_whole_budget_again(tmp_path: Path) -> None:
    made = baseline(0)
    workers = Workers(tmp_path, lost=[made.identity] * 20)
    folder = tmp_path / "checkpoints" / made.identity / "owner"
    folder.mkdir(parents=True)

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        (folder / f"stage2-{len(workers.started):06d}.json").touch()
        return await workers.launch(task)

    dispatcher = Dispatcher(str(tmp_path), 1, launch, 0, workers.sleep)
    (manifest,) = asyncio.run(dispatcher.run([made]))
    assert manifest["status"] == "complete"
    assert workers.waits == [1] * 20


def test_the_host_of_a_lost_worker_is_named(tmp_path: Path) -> None:
    made = baseline(0)
    workers = Workers(tmp_path, lost=[made.identity])

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        dispatcher.started(task.identity, "77", "node7", 7)
        return await workers.launch(task)

    dispatcher = Dispatcher(str(tmp_path), 1, launch, 0, workers.sleep)
    asyncio.run(dispatcher.run([made]))
    assert dispatcher.snapshot()["events"][0]["host"] == "node7"


def test_a_full_disk_is_tried_again_as_often_as_asked_and_never_stored(tmp_path: Path) -> None:
    made, other = baseline(0), baseline(1)
    workers = Workers(tmp_path, unable=[made.identity] * 2 + [other.identity])
    manifests, snapshot = dispatched(workers, [made, other], retries=1)
    assert [manifest["status"] for manifest in manifests] == [LOST, "complete"]
    assert "No space left on device: /runs" in manifests[0]["reason"]
    assert {event["kind"] for event in snapshot["events"]} == {"stopped"}
    assert ResultsStore(tmp_path).manifest("fold_runs", made.identity) is None


def test_a_result_that_only_its_worker_tells_of_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its runs folder is another one, such as a local disk."""
    monkeypatch.setattr(late, "PAUSES_SECONDS", (0.0, 0.0))
    made, here, elsewhere = baseline(0), Workers(tmp_path / "runs"), Workers(tmp_path / "elsewhere")
    lives = iter((elsewhere, elsewhere, here))

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        dispatcher.started(task.identity, "0a1b", "node7", 4711)
        return await next(lives).launch(task)

    dispatcher = Dispatcher(str(here.store.root), 1, launch, 2, here.sleep)
    (manifest,) = asyncio.run(dispatcher.run([made]))
    assert manifest == here.store.manifest("fold_runs", made.identity)
    first, _ = dispatcher.snapshot()["events"]
    folder = tmp_path / "runs" / "fold_runs" / made.identity
    assert (first["kind"], first["host"]) == ("stopped", "node7")
    assert f"its worker told of a result, but {folder} holds none" in first["words"]


def test_what_the_store_holds_counts_and_not_what_the_worker_tells(tmp_path: Path) -> None:
    made, workers = baseline(0), Workers(tmp_path)

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        return {**await workers.launch(task), "accuracy": 1.0}

    dispatcher = Dispatcher(str(tmp_path), 1, launch, 0, workers.sleep)
    (manifest,) = asyncio.run(dispatcher.run([made]))
    assert manifest["accuracy"] == dispatcher.snapshot()["finished"][0]["accuracy"] == 0.5


def test_a_node_that_lacks_something_costs_no_attempt(tmp_path: Path) -> None:
    made, workers = baseline(0), Workers(tmp_path)
    unfit = [UnfitNode(["it lacks a disk."], "node7", "0a1b")] * 20

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        if unfit:
            raise unfit.pop()
        return await workers.launch(task)

    dispatcher = Dispatcher(str(tmp_path), 1, launch, 0, workers.sleep)
    (manifest,) = asyncio.run(dispatcher.run([made]))
    assert manifest["status"] == "complete"
    assert dispatcher.snapshot()["events"] == []
    assert workers.waits == []


def test_a_manifest_that_was_changed_is_named_and_the_others_run(tmp_path: Path) -> None:
    made, other = baseline(0), baseline(1)
    dispatched(Workers(tmp_path), [made])
    path = tmp_path / "fold_runs" / made.identity / "manifest.json"
    path.write_text(path.read_text().replace("0.5", "0.9"))
    manifests, _ = dispatched(Workers(tmp_path), [made, other])
    assert [manifest["status"] for manifest in manifests] == [LOST, "complete"]
    assert f"{path} was changed after it was written" in manifests[0]["reason"]


def test_a_failure_is_tried_again_as_often_as_asked_and_then_stored(tmp_path: Path) -> None:
    made, other = baseline(0), baseline(1)
    workers = Workers(tmp_path, raising=[made.identity] * 3)
    manifests, snapshot = dispatched(workers, [made, other], retries=2)
    assert workers.started.count(made.identity) == 3
    assert [manifest["status"] for manifest in manifests] == ["failed", "complete"]
    assert "attempt 3:" in manifests[0]["traceback"]
    assert "ArithmeticError: no" in manifests[0]["traceback"]
    assert ResultsStore(tmp_path).manifest("fold_runs", made.identity) == manifests[0]
    assert sorted(entry["status"] for entry in snapshot["finished"]) == ["complete", "failed"]


def test_a_run_that_failed_by_itself_keeps_its_own_traceback(tmp_path: Path) -> None:
    made = baseline(0)
    workers = Workers(tmp_path, failing=[made.identity] * 2)
    manifests, _ = dispatched(workers, [made], retries=1)
    assert workers.started == [made.identity] * 2
    assert manifests[0]["traceback"] == "ValueError: no"


def test_a_fold_run_fails_with_its_stage_1_and_never_starts(tmp_path: Path) -> None:
    made = task(0)
    workers = Workers(tmp_path, failing=[stage1_of(made)])
    manifests, snapshot = dispatched(workers, [made, baseline(1)])
    assert made.identity not in workers.started
    assert [manifest["status"] for manifest in manifests] == ["failed", "complete"]
    assert f"stage 1 ({stage1_of(made)}) failed:\nValueError: no" in manifests[0]["traceback"]
    assert ResultsStore(tmp_path).manifest("fold_runs", made.identity) == manifests[0]
    assert sum(entry["status"] == "failed" for entry in snapshot["finished"]) == 2


# --- artifacts that rest on others: mean face (trains nothing) <- first stage <- second stage <- fold run


TOY = Path(__file__).parent.parent / "data" / "methods" / "three_stages.py"


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FoldTask]:
    """Makes a fold run of a plug-in with two shared stages."""
    monkeypatch.setattr(plugins, "_KNOWN", {})
    register(read_plugin(str(TOY)))
    small = {"load_size_pixels": 34, "image_size_pixels": 32, "augmentation": "none"}
    return lambda index=0, **changes: task(index, configuration_of("three_stages", **{**small, **changes}))


def trains_of(task: FoldTask) -> list[str]:
    return [task.artifacts[name].identity for name in ("first", "second")]


class FirstComeQueue:
    """A cluster's own queue: takes what is handed over in order, and has places on its nodes."""

    def __init__(self, workers: Workers, places: int) -> None:
        self.workers = workers
        self.free = asyncio.Semaphore(places)  # first come, first served
        self.handed: list[str] = []

    async def launch(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        self.handed.append(task.identity)
        async with self.free:
            return await self.workers.launch(task)


@pytest.mark.parametrize("window", [4, 8])
def test_on_a_cluster_the_longest_starts_first_and_stage_1_before_what_waits_for_nothing(
    tmp_path: Path, window: int
) -> None:
    short = [baseline(index, epochs) for epochs in (1, 2, 3) for index in range(8)]
    chained = task(0, tiny_configuration(stage2_constant_epochs=500))
    workers = Workers(tmp_path)

    async def run() -> None:
        nodes = FirstComeQueue(workers, places=4)
        dispatcher = Dispatcher(str(tmp_path), window, nodes.launch, 0)
        await asyncio.wait_for(dispatcher.run([*short, chained]), 20)

    asyncio.run(run())
    assert workers.started[0] == stage1_of(chained)
    # As soon as it may, the chain goes on: before all that is still in our own queue.
    assert workers.started.index(chained.identity) <= window + 4
    work = {one.identity: one.gflop for one in short}
    started = [work[one] for one in workers.started if one in work]
    assert started == sorted(started, reverse=True)


def test_what_is_asked_for_later_overtakes_all_but_the_window(tmp_path: Path) -> None:
    workers, long = Workers(tmp_path), baseline(0, 500)

    async def run() -> None:
        nodes = FirstComeQueue(workers, places=1)
        dispatcher = Dispatcher(str(tmp_path), 2, nodes.launch, 0)
        first = asyncio.ensure_future(dispatcher.run([baseline(index, 1) for index in range(8)]))
        while not workers.started:
            await asyncio.sleep(0)
        await asyncio.gather(first, dispatcher.run([long]))

    asyncio.run(run())
    assert workers.started.index(long.identity) <= 5


def test_a_chain_runs_in_order_and_what_is_shared_once(tmp_path: Path, toy: Callable[..., FoldTask]) -> None:
    tasks = [toy(), toy(third_rate=0.5), toy(second_rate=0.5), toy(1)]
    workers = Workers(tmp_path)
    manifests, snapshot = dispatched(workers, tasks, slots=1)
    assert {manifest["status"] for manifest in manifests} == {"complete"}
    assert len(workers.started) == 4 + 2 + 3  # two first stages (folds), three second ones
    assert len(set(workers.started)) == len(workers.started)
    for each in tasks:
        first, second = trains_of(each)
        assert workers.ended.index(first) < workers.started.index(second)
        assert workers.ended.index(second) < workers.started.index(each.identity)
    groups = [entry["group"] for entry in snapshot["finished"]]
    assert (groups.count("first stage"), groups.count("second stage")) == (2, 3)
    mean_face = tasks[0].artifacts["mean_face"]
    assert mean_face.identity not in workers.started  # its consumer makes it


def test_the_first_stage_of_the_longest_chain_starts_first(
    tmp_path: Path, toy: Callable[..., FoldTask]
) -> None:
    """Of two first stages with equal work, the one that more work waits for."""
    short, long = toy(0), toy(1, second_epochs=50)
    workers = Workers(tmp_path)
    dispatched(workers, [baseline(2, 500), short, long], slots=1)
    started = [one for one in workers.started if one in (*trains_of(short), *trains_of(long))]
    assert started.index(trains_of(long)[1]) < started.index(trains_of(short)[1])


def test_a_failure_goes_up_the_chain_with_the_name_of_what_failed(
    tmp_path: Path, toy: Callable[..., FoldTask]
) -> None:
    made = toy()
    first, second = trains_of(made)
    workers = Workers(tmp_path, failing=[first])
    manifests, _ = dispatched(workers, [made, toy(1)])
    assert [manifest["status"] for manifest in manifests] == ["failed", "complete"]
    assert second not in workers.started
    assert made.identity not in workers.started
    said = f"second stage ({second}) failed:\nfirst stage ({first}) failed:\nValueError: no"
    assert manifests[0]["traceback"] == said
    assert ResultsStore(tmp_path).manifest("artifacts", second)["status"] == "failed"  # type: ignore[index]


def test_a_loss_goes_up_the_chain_and_nothing_is_stored(tmp_path: Path, toy: Callable[..., FoldTask]) -> None:
    made = toy()
    first, second = trains_of(made)
    workers = Workers(tmp_path, lost=[first] * (LOST_WORKERS_IN_A_ROW + 1))
    manifests, _ = dispatched(workers, [made])
    assert manifests[0]["status"] == LOST
    assert f"first stage synthetic {first[:6]} could not be run" in manifests[0]["reason"]
    store = ResultsStore(tmp_path)
    assert store.manifest("fold_runs", made.identity) is None
    assert store.manifest("artifacts", second) is None
    assert dispatched(Workers(tmp_path), [made])[0][0]["status"] == "complete"


def test_snapshots_count_what_runs_and_what_finished(tmp_path: Path) -> None:
    workers, placed = Workers(tmp_path), asyncio.Event()

    async def launch(task: FoldTask | ArtifactTask) -> dict[str, Any]:
        await placed.wait()  # in the queue of whoever carries it out
        dispatcher.started(task.identity, "77", "node7", 7)
        return await workers.launch(task)

    dispatcher = Dispatcher(str(tmp_path), 1, launch, 0)

    async def run() -> None:
        assert dispatcher.snapshot() == {**dispatcher.snapshot(), "running": [], "waiting": 0, "finished": []}
        running = asyncio.ensure_future(dispatcher.run([task(0, final=False)]))
        while not dispatcher.window.held:
            await asyncio.sleep(0.001)
        assert dispatcher.snapshot() == {**dispatcher.snapshot(), "running": [], "waiting": 2}
        placed.set()
        while not dispatcher.snapshot()["running"]:
            await asyncio.sleep(0)
        ((what, seconds),) = dispatcher.snapshot()["running"]
        assert dispatcher.snapshot()["waiting"] == 1
        assert what.startswith("stage 1 synthetic ")
        assert seconds >= 0
        await running
        snapshot = dispatcher.snapshot()
        assert snapshot["running"] == []
        assert [entry["group"] for entry in snapshot["finished"]] == ["stage 1", "inner"]
        first = snapshot["finished"][0]
        assert (first["seconds"], first["accuracy"], first["status"]) == (2.0, 0.5, "complete")
        assert first["slot_seconds"] >= 0
        assert [(entry["fold"], entry["part"]) for entry in snapshot["finished"]] == [(None, None), (0, 0)]
        assert dispatcher.snapshot(1)["finished"] == snapshot["finished"][1:]

    asyncio.run(run())


def test_a_snapshot_holds_a_part_of_very_many_finished_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher_module, "FINISHED_AT_ONCE", 2)
    dispatcher = Dispatcher(str(tmp_path), 1, Workers(tmp_path).launch, 0)
    asyncio.run(dispatcher.run([baseline(index) for index in range(3)]))
    assert [len(dispatcher.snapshot(known)["finished"]) for known in (0, 2, 3)] == [2, 1, 0]
    assert dispatcher.snapshot(3)["finished_count"] == 3


def test_a_store_that_is_slow_does_not_keep_the_display_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, workers = threading.Event(), Workers(tmp_path)
    dispatcher = Dispatcher(str(tmp_path), 1, workers.launch, 0)
    read = ResultsStore.manifest

    def slowly(self: ResultsStore, kind: str, identity: str) -> Any:
        assert answered.wait(20)  # it would wait for ever on the event loop
        return read(self, kind, identity)

    async def run() -> None:
        running = asyncio.ensure_future(dispatcher.run([baseline(0)]))
        await asyncio.sleep(0.01)
        assert dispatcher.snapshot()["finished"] == []
        assert not running.done()
        monkeypatch.setattr(ResultsStore, "manifest", read)
        answered.set()
        await running

    monkeypatch.setattr(ResultsStore, "manifest", slowly)
    asyncio.run(run())
    assert dispatcher.snapshot()["finished_count"] == 1


def test_each_dispatcher_has_a_life_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    one, other = (Dispatcher(str(tmp_path), 1, Workers(tmp_path).launch, 0) for _ in range(2))
    assert one.snapshot()["life"] == one.snapshot()["life"] != other.snapshot()["life"]


def test_labels_and_groups_are_what_a_person_calls_a_task() -> None:
    final, inner = task(3), task(3, final=False)
    assert label(final) == "fmpn resnet18 synthetic seed 0 fold 3 final"
    assert label(inner) == "fmpn resnet18 synthetic seed 0 fold 3 validation split 0"
    stage1 = final.artifacts["stage1"]
    assert label(stage1) == f"stage 1 synthetic {stage1.identity[:6]}"
    assert [group(each) for each in (final, inner, stage1)] == ["final", "inner", "stage 1"]


class Nodes(Workers):
    """Workers on nodes; the first attempt at each task of `silent` is never heard of again."""

    def __init__(self, root: Path, silent: Sequence[str], *, reported: bool) -> None:
        super().__init__(root)
        self.silent, self.reported = list(silent), reported
        self.dispatcher = Dispatcher(str(root), 2, self.launch, 0, self.sleep)

    async def launch(self, task: FoldTask | ArtifactTask) -> dict[str, Any]:
        node = "gone" if task.identity in self.silent else "there"
        if node == "there" or self.reported:
            self.dispatcher.started(task.identity, node, f"host-{node}", 1)
        if node == "gone":
            self.silent.remove(task.identity)
            await asyncio.get_running_loop().create_future()
        return await super().launch(task)

    def run(self, tasks: list[FoldTask]) -> list[dict[str, Any]]:
        async def case() -> list[dict[str, Any]]:
            running = asyncio.ensure_future(self.dispatcher.run(tasks))
            while self.silent:
                await asyncio.sleep(0)
            self.dispatcher.node_left("gone")
            return await asyncio.wait_for(running, 20)

        return asyncio.run(case())


@pytest.mark.parametrize("reported", [True, False])
def test_what_a_node_had_that_left_without_a_word_runs_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reported: bool
) -> None:
    """The host lost its power or its network; with `reported`, after the worker had told of itself."""
    monkeypatch.setattr("platform.distributed.dispatcher.GONE_SECONDS", 0.0)
    lost, healthy = tasks = [baseline(0), baseline(1)]
    nodes = Nodes(tmp_path, [lost.identity], reported=reported)
    assert {manifest["status"] for manifest in nodes.run(tasks)} == {"complete"}
    assert nodes.started.count(lost.identity) == nodes.started.count(healthy.identity) == 1
    words = [event["words"] for event in nodes.dispatcher.snapshot()["events"]]
    told = f"{label(lost)} lost its worker on host-gone: its node left the cluster; restarting in 1 s"
    assert words == ([told] if reported else [])
