from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.errors import UserError
from platform.experiments.driver_lease import leading
from platform.experiments.experiment_file import read_experiment
from platform.files.local_storage import LocalStorage
from platform.inventory.disk_usage import bytes_of
from platform.inventory.references import References
from platform.inventory.removal import plan_removal, remove_experiment
from platform.inventory.runs_folder import experiment_folders
from platform.runs.store import ResultsStore
from tests.inventory.known_runs import rewrite, two_experiments, write_lease


def remove(store: ResultsStore, name: str, **options: Any) -> None:
    remove_experiment(store, plan_removal(store, name, **options), say=lambda line: None)


def complete(store: ResultsStore) -> list[str]:
    """The experiments whose table can be made; all others must be unknown to the table."""
    for name in store.experiments():
        aggregate_experiment(store, read_experiment(store, name))
    return store.experiments()


def test_planning_changes_nothing_and_counts_what_goes(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    plan = plan_removal(store, "first")
    assert sorted(tmp_path.rglob("*")) == before
    assert [kind for kind, _ in plan.results] == ["fold_runs"] * 2
    assert plan.results_bytes == sum(bytes_of(store.folder(*result)) for result in plan.results)
    assert plan.kept == {"others refer to it": 7}  # the shared fold run, masks and stage 1 of three folds


def test_an_experiment_goes_with_its_own_results_and_leaves_those_of_others(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    remove(store, "first")
    assert complete(store) == ["second"]
    assert not (tmp_path / "experiments/first").exists()
    assert len(list((tmp_path / "fold_runs").iterdir())) == 3
    remove(store, "second")
    assert References(store).results == ()


def test_results_can_stay(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    remove(store, "first", keep_results=True)
    assert len(list((tmp_path / "fold_runs").iterdir())) == 5


@pytest.mark.parametrize("after", range(12))
def test_killed_after_any_step_the_store_is_readable_and_running_again_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    store = two_experiments(tmp_path)
    steps = iter(range(after))

    def counted(original: Any) -> Any:
        def step(*arguments: Any, **options: Any) -> Any:
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return original(*arguments, **options)

        return step

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        for name in ("remove", "move"):
            patch.setattr(LocalStorage, name, counted(getattr(LocalStorage, name)))
        remove(store, "first")
    assert complete(store) == (["first", "second"] if after == 0 else ["second"])
    if "first" in experiment_folders(store):
        remove(store, "first")
    assert complete(store) == ["second"]
    of_second = References(store).of_experiment(tmp_path / "experiments/second")
    assert {identity for kind, identity in of_second if kind == "fold_runs"} == {
        path.name for path in (tmp_path / "fold_runs").iterdir() if ".removed-" not in path.name
    }


def test_an_experiment_that_a_driver_leads_is_refused(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    plan = plan_removal(store, "first")
    with leading(tmp_path / "experiments/first"):
        with pytest.raises(UserError, match="only while no driver leads it, but process"):
            plan_removal(store, "first")
        with pytest.raises(UserError, match="only one driver"):
            remove_experiment(store, plan)
    assert complete(store) == ["first", "second"]


def test_what_a_running_experiment_may_need_stays(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    other = tmp_path / "experiments/other"
    other.mkdir()
    (other / "config.yaml").write_text("")
    (other / "folds-synthetic.json").write_text("{}")
    write_lease(other)
    plan = plan_removal(store, "first")
    assert plan.results == ()
    assert plan.kept["other is running"] == 2


def test_a_damaged_experiment_can_go_but_keeps_others_from_going(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    rewrite(tmp_path / "experiments/second/experiment.json", hash="0")
    with pytest.raises(UserError, match="'second' refers to is unknown"):
        plan_removal(store, "first")
    remove(store, "second")
    assert complete(store) == ["first"]


def test_links_are_removed_and_not_followed(tmp_path: Path) -> None:
    store = two_experiments(tmp_path / "runs")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    (tmp_path / "runs/experiments/first/figures").symlink_to(outside)
    (tmp_path / "runs/experiments/first/figure.png").symlink_to(outside / "file")
    remove(store, "first")
    assert (outside / "file").read_text() == "x"
    assert not (tmp_path / "runs/experiments/first").exists()


def test_a_result_behind_a_link_is_refused(tmp_path: Path) -> None:
    store = two_experiments(tmp_path / "runs")
    (tmp_path / "runs/fold_runs").rename(tmp_path / "elsewhere")
    (tmp_path / "runs/fold_runs").symlink_to(tmp_path / "elsewhere")
    assert plan_removal(store, "first").results == ()
    identity = next((tmp_path / "elsewhere").iterdir()).name
    with pytest.raises(UserError, match="through a link"):
        store.remove("fold_runs", identity)


def test_a_study_in_a_database_is_named(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    rewrite(tmp_path / "experiments/first/experiment.json", config={"storage": "sqlite:///x.db"})
    assert plan_removal(store, "first").study_stays == "sqlite:///x.db"
