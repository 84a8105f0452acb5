"""What does not fit is refused with the estimate and its basis, in a dry run and in the real start alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.config.configuration import Plan
from platform.errors import UserError
from platform.experiments import capacity
from platform.experiments.capacity import (
    check_capacity,
    free_disk_bytes,
    largest_task,
    needs,
    runs_in_memory,
)
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.rows import all_tasks
from platform.host.machine_limits import machine_memory_bytes
from platform.runs.footprint import footprint
from platform.runs.host_memory import host_memory_bytes
from platform.runs.store import ResultsStore
from platform.runs.tasks import trained_artifacts
from tests.tiny_faces import prepare_tiny, tiny_configuration


def experiment(
    tmp_path: Path, address: str | None = None, configuration: dict[str, object] | None = None, **plan: object
) -> Experiment:
    prepare_tiny(tmp_path / "data", "synthetic", subjects=10)
    settings = {"space": "fmpn", "folds": 2, "rounds": (1, 1), "trials": 3, "transfer_to": "none", **plan}
    return plan_experiment(
        name="e",
        command="",
        preset="smoke",
        dataset="synthetic",
        configuration=tiny_configuration(**(configuration or {})),
        plan=Plan(**settings),  # type: ignore[arg-type]
        data_root=tmp_path / "data",
        runs_root=tmp_path / "runs",
        search=True,
        address=address,
    )


def test_all_runs_are_counted_and_those_that_are_there_are_not(tmp_path: Path) -> None:
    made = experiment(tmp_path)
    final = all_tasks(final_rows(made, made.configuration))
    before = needs(made, search=False).results
    stage1 = trained_artifacts(final)
    assert before == pytest.approx(
        sum(footprint(task).result for task in final) + sum(footprint(t).result for t in stage1.values())
    )
    made.store.write("fold_runs", final[0].identity, final[0].record, {})
    assert needs(made, search=False).results == pytest.approx(before - footprint(final[0]).result)


def test_the_memory_of_a_run_is_known_without_a_look_at_the_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = experiment(tmp_path)
    wanted = runs_in_memory(made, search=True), needs(made, search=True).memory_a_run
    looks: list[str] = []
    monkeypatch.setattr(ResultsStore, "is_complete", lambda store, kind, name: looks.append(name))
    assert (runs_in_memory(made, search=True), max(1, int(machine_memory_bytes() // wanted[1]))) == (
        wanted[0],
        wanted[0],
    )
    assert not looks


def test_a_search_needs_the_memory_of_the_hungriest_configuration_of_its_space(tmp_path: Path) -> None:
    made = experiment(tmp_path)
    one, most = needs(made, search=False), needs(made, search=True)
    assert most.memory_a_run > one.memory_a_run
    assert most.results > one.results
    assert most == needs(made, search=True), "the draws are always the same"


def test_too_little_memory_or_disk_is_refused_with_the_estimate_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = experiment(tmp_path)
    check_capacity(made, search=True)
    monkeypatch.setattr(capacity, "machine_memory_bytes", lambda: 2**20)
    with pytest.raises(UserError, match=r"at least .* of memory \(estimate: .*but this machine has 1 MiB"):
        check_capacity(made, search=True)
    monkeypatch.setattr(capacity, "free_disk_bytes", lambda folder: 2**28)
    with pytest.raises(UserError, match=r"results may take up to .* \(estimate: .*256 MiB free; pass --runs"):
        check_capacity(made, search=True)


@pytest.mark.parametrize("changes", [{"address": "auto"}, {"gpus_per_run": 1.0}])
def test_memory_is_not_judged_where_it_is_not_this_machine_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    monkeypatch.setattr(capacity, "machine_memory_bytes", lambda: 2**20)
    made = experiment(tmp_path, **changes)  # type: ignore[arg-type]
    check_capacity(made, search=False)
    if made.address is not None:
        assert capacity.runs_in_memory(made, search=False) is None


def test_on_a_gpu_only_the_host_s_part_of_a_run_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = experiment(tmp_path, gpus_per_run=0.125)
    each = host_memory_bytes(largest_task(made, search=False))
    monkeypatch.setattr(capacity, "machine_memory_bytes", lambda: 5.5 * each)
    assert capacity.runs_in_memory(made, search=False) == 5


@pytest.mark.parametrize(("share", "fit"), [(0.5, 1), (1.5, 1), (2.5, 2)])
def test_only_as_many_runs_at_once_as_the_memory_holds_and_always_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float, fit: int
) -> None:
    made = experiment(tmp_path)
    memory = share * needs(made, search=False).memory_a_run
    monkeypatch.setattr(capacity, "machine_memory_bytes", lambda: memory)
    assert capacity.runs_in_memory(made, search=False) == fit


def test_this_machine_has_memory_and_a_folder_to_come_has_its_parent_s_disk(tmp_path: Path) -> None:
    assert capacity.machine_memory_bytes() > 2**28
    assert free_disk_bytes(tmp_path / "not" / "yet") > 0
