from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from platform.cli import forecast as forecast_module
from platform.cli.forecast import forecast, resources
from platform.config.configuration import Plan
from platform.distributed.cluster import Slots
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.rows import all_tasks
from platform.host.durations import duration
from platform.runs.cost import GFLOP_A_SECOND_AND_CORE
from tests.tiny_faces import prepare_tiny, tiny_configuration


@pytest.fixture(autouse=True)
def two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    def slots(plan: Plan, runs_in_memory: int | None = None) -> Slots:
        return Slots(cpus=2, gpus=plan.gpus_per_run, fold_runs=2)

    monkeypatch.setattr(forecast_module, "local_slots", slots)


def experiment(tmp_path: Path, **plan: object) -> Experiment:
    prepare_tiny(tmp_path / "data", "synthetic", subjects=10)
    return plan_experiment(
        name="e",
        command="",
        preset="smoke",
        dataset="synthetic",
        configuration=tiny_configuration(),
        plan=Plan(space="fmpn", folds=2, rounds=(1, 1), trials=3, transfer_to="none", **plan),  # type: ignore[arg-type]
        data_root=tmp_path / "data",
        runs_root=tmp_path / "runs",
        search=True,
        address=None,
    )


def test_runs_arithmetic_and_time_are_those_of_the_wanted_tasks(tmp_path: Path) -> None:
    made = experiment(tmp_path)
    lines = forecast(made, search=True)
    groups = wanted_gflop(made, search=True)
    total = sum(map(sum, groups.values()))
    for name, costs in groups.items():
        assert f"{name}: up to {len(costs)} runs, {sum(costs):,.0f} GFLOP" in lines
    left = duration(total / (GFLOP_A_SECOND_AND_CORE * 2))
    assert any(line.startswith(f"time: about {left} on 2 cores, if each computes") for line in lines)
    assert "cached: 0 of 6 final runs of the first configuration" in lines
    assert lines[-1] == "Ray Train: local mode in running workers"


def test_finished_runs_are_counted_as_there(tmp_path: Path) -> None:
    made = experiment(tmp_path)
    for task in all_tasks(final_rows(made, made.configuration))[:2]:
        made.store.write("fold_runs", task.identity, task.record, {})
    assert any(line.startswith("cached: 2 of 6") for line in forecast(made, search=True))


def test_no_time_is_made_up_for_a_gpu(tmp_path: Path) -> None:
    lines = forecast(experiment(tmp_path, gpus_per_run=0.5, train_workers=1), search=False)
    assert any(line.startswith("time: only estimated for CPUs of this machine") for line in lines)
    assert any(line.endswith("activations), in the memory of its GPU") for line in lines)
    assert lines[-1].startswith("Ray Train: 1 separate worker per fold run")
    assert not any(line.startswith("inner") for line in lines)


def test_memory_and_disk_are_named_as_estimates_beside_what_there_is(tmp_path: Path) -> None:
    memory, disk = forecast(experiment(tmp_path), search=True)[-3:-1]
    assert memory.startswith("memory: peak of about ")
    assert re.search(r"the maximum over \d\d configurations \(estimate: weights", memory)
    assert "; this machine has " in memory
    assert disk.startswith("disk: at most about ")
    assert disk.endswith(" free")


def test_a_cluster_is_not_asked_in_a_dry_run(tmp_path: Path) -> None:
    made = dataclasses.replace(experiment(tmp_path), address="auto")
    assert resources(made, search=True).startswith("the Ray cluster at auto, of which a dry run asks only")
    assert resources(experiment(tmp_path), search=True) == "2 CPUs, 0 GPUs; 2 fold runs at once"
