"""One fold run through Ray Train, in this process and in a real worker, against a plain call."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from platform.config.configuration import to_dict
from platform.distributed.lost_workers import environment_failure_of
from platform.distributed.train import run_on_train
from platform.evaluation.predictions import Predictions, from_bytes
from platform.runs.execute import execute
from platform.runs.fold_tasks import PlannedData, final_tasks
from platform.runs.planned_tasks import Machine
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from tests.distributed.processes import LINUX_ONLY, LOOPBACK, descendants, listening_addresses
from tests.distributed.token_traces import assert_nowhere
from tests.tiny_faces import tiny_configuration

pytestmark = [
    pytest.mark.ray,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("process_settings_as_before"),
]


def task(planned: PlannedData, train_workers: int) -> FoldTask:
    """The final run of fold 1; only the record says where it runs."""
    machine = Machine(train_workers=train_workers)
    return final_tasks(tiny_configuration(), planned, machine)[1]


def predictions(store: ResultsStore, one: FoldTask) -> Predictions:
    return from_bytes(store.read("fold_runs", one.identity, "predictions.parquet"), "fold run")


@pytest.fixture(scope="module")
def plain(planned: PlannedData, tmp_path_factory: pytest.TempPathFactory) -> tuple[ResultsStore, FoldTask]:
    """The fold run by a plain call, without Ray."""
    store = ResultsStore(tmp_path_factory.mktemp("plain"))
    one = task(planned, train_workers=0)
    for each in (one.artifacts["stage1"], one):
        assert execute(each, str(store.root))["status"] == "complete"
    return store, one


def test_local_mode_writes_the_same_bytes_as_a_plain_call(
    cluster: Any, plain: tuple[ResultsStore, FoldTask], tmp_path: Path
) -> None:
    expected, one = plain
    for each in (one.artifacts["stage1"], one):
        manifest = run_on_train(each, str(tmp_path), train_workers=0, resources={"CPU": 1})
        assert manifest["status"] == "complete"
    store = ResultsStore(tmp_path)
    for name in ("predictions.parquet", "weights.safetensors"):
        assert store.read("fold_runs", one.identity, name) == expected.read("fold_runs", one.identity, name)


@contextmanager
def addresses_listened_on() -> Iterator[set[str]]:
    """Collects what this process and all that it started listen on while the block runs."""
    addresses: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.05):
            addresses.update(listening_addresses({os.getpid(), *descendants(os.getpid())}))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield addresses
    finally:
        over.set()
        thread.join()


@LINUX_ONLY
# Ray's own: importing what TorchTrainer needs sets a setting that Ray has deprecated.
@pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning")
def test_a_train_worker_of_its_own_computes_the_same_to_the_last_bit(
    cluster: Any, planned: PlannedData, plain: tuple[ResultsStore, FoldTask], tmp_path: Path
) -> None:
    expected, local = plain
    one = task(planned, train_workers=1)
    assert one.identity != local.identity
    store = ResultsStore(tmp_path)
    # Stage 1 by a plain call: the worker's start is the slow part, and once is enough.
    execute(one.artifacts["stage1"], str(tmp_path))
    with addresses_listened_on() as addresses:
        manifest = run_on_train(one, str(tmp_path), train_workers=1, resources={"CPU": 1})
    assert manifest["status"] == "complete"
    assert addresses
    assert addresses <= LOOPBACK, "torch's process group would listen on every interface"
    worker, plainly = predictions(store, one), predictions(expected, local)
    np.testing.assert_array_equal(worker.scores, plainly.scores)
    np.testing.assert_array_equal(worker.image, plainly.image)
    np.testing.assert_array_equal(worker.predicted, plainly.predicted)
    assert store.read("fold_runs", one.identity, "weights.safetensors") == expected.read(
        "fold_runs", local.identity, "weights.safetensors"
    )
    assert list((tmp_path / "ray_train").iterdir()) == [], "Train's own files are removed"


def test_a_failed_fold_run_comes_back_as_its_manifest(
    cluster: Any, planned: PlannedData, tmp_path: Path
) -> None:
    impossible = tiny_configuration(method="cnn", stage2_batch_size=1)
    one = final_tasks(impossible, planned, Machine())[0]
    manifest = run_on_train(one, str(tmp_path), train_workers=0, resources={"CPU": 1})
    assert manifest["status"] == "failed"
    assert "Expected more than 1 value per channel" in manifest["traceback"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_search_command_works_with_train_workers(root: Path, data_root: Path, tmp_path: Path) -> None:
    settings = to_dict(tiny_configuration(method="cnn")) | {
        "space": "baseline",
        "folds": 2,
        "rounds": [1, 1],
        "trials": 1,
        "baselines": [],
        "transfer_to": "none",
        "train_workers": 1,
    }
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(settings))
    token = secrets.token_hex(32)
    with (tmp_path / "out.txt").open("w") as out, (tmp_path / "err.txt").open("w") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "platform.tune", "--name", "workers",
             "--config", str(tmp_path / "tiny.yaml"), "--data-root", str(data_root),
             "--runs", str(tmp_path / "runs"), "--log-json", str(tmp_path / "events.jsonl")],
            cwd=root, env={**os.environ, "RAY_AUTH_TOKEN": token}, stdout=out, stderr=err,
        )  # fmt: skip
        commands: set[str] = set()
        while process.poll() is None:
            commands |= set(descendants(process.pid).values())
            time.sleep(0.1)
    assert process.returncode == 0, (tmp_path / "err.txt").read_text()
    assert (tmp_path / "err.txt").read_text() == ""
    assert_nowhere(token, commands, tmp_path)
    records = [json.loads(path.read_text()) for path in tmp_path.glob("runs/fold_runs/*/record.json")]
    assert [record["train_workers"] for record in records] == [1] * 4


@LINUX_ONLY
# Ray's own: importing what TorchTrainer needs sets a setting that Ray has deprecated.
@pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning")
def test_two_train_workers_share_every_batch_and_compute_the_same_within_rounding(
    cluster: Any, planned: PlannedData, tmp_path: Path
) -> None:
    """With synchronised batch norm, so that both see the statistics of the whole batch; the CNN, because
    FMPN's first fused face is nearly plain, and batch norm makes much of such a face's last bits."""
    configuration = tiny_configuration(method="cnn", augmentation="paper")
    alone, one = (
        final_tasks(configuration, planned, Machine(train_workers=workers))[1] for workers in (0, 2)
    )
    store = ResultsStore(tmp_path)
    assert execute(alone, str(tmp_path))["status"] == "complete"
    with addresses_listened_on() as addresses:
        manifest = run_on_train(one, str(tmp_path), train_workers=2, resources={"CPU": 1})
    assert manifest["status"] == "complete", manifest.get("traceback")
    assert addresses
    assert addresses <= LOOPBACK
    curves = [
        json.loads(store.read("fold_runs", run.identity, "curves.json"))["stage2"] for run in (one, alone)
    ]
    for ours, theirs in zip(*curves, strict=True):
        assert ours["loss"] == pytest.approx(theirs["loss"], rel=5e-3)
        assert ours["training_accuracy"] == pytest.approx(theirs["training_accuracy"], abs=0.05)
    team, plainly = predictions(store, one), predictions(store, alone)
    np.testing.assert_array_equal(team.image, plainly.image)
    np.testing.assert_allclose(team.scores, plainly.scores, atol=0.05)
    assert list((tmp_path / "ray_train").iterdir()) == []


# Ray's own: importing what TorchTrainer needs sets a setting that Ray has deprecated.
@pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning")
def test_a_failure_among_two_workers_is_stored_and_ends_the_run(
    cluster: Any, planned: PlannedData, tmp_path: Path
) -> None:
    machine = Machine(train_workers=2)
    impossible = tiny_configuration(method="cnn", stage2_batch_size=1)
    one = final_tasks(impossible, planned, machine)[1]
    manifest = run_on_train(one, str(tmp_path), train_workers=2, resources={"CPU": 1})
    assert manifest["status"] == "failed"
    assert "each of 2 workers needs an item of every batch" in manifest["traceback"]


# Ray's own: importing what TorchTrainer needs sets a setting that Ray has deprecated.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`use_\\w+`:DeprecationWarning")
def test_what_two_workers_cannot_carry_out_is_told_apart_from_a_failure(
    cluster: Any, planned: PlannedData, tmp_path: Path
) -> None:
    one = final_tasks(tiny_configuration(method="cnn"), planned, Machine(train_workers=2))[1]
    broken = dataclasses.replace(one, data=dataclasses.replace(one.data, hash="0" * 64))
    with pytest.raises(Exception, match="this run was planned for 0000") as caught:
        run_on_train(broken, str(tmp_path), train_workers=2, resources={"CPU": 1})
    assert environment_failure_of(caught.value) is not None
    assert ResultsStore(tmp_path).manifest("fold_runs", broken.identity) is None
