from __future__ import annotations

import os
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.host import ray_sessions
from platform.inventory import garbage
from platform.inventory.garbage import GarbagePlan, find_garbage, remove_garbage
from platform.runs.store import ResultsStore
from tests.inventory.known_runs import make_older, rewrite, two_experiments, write_lease

UNUSED = {"data": {"dataset": "synthetic"}}


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No session of this machine is looked at."""
    monkeypatch.setattr(ray_sessions, "SHORT_FOLDERS", tmp_path / "tmp")
    for name in ("TMPDIR", "RAY_TMPDIR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "tmp"


def paths(plan: GarbagePlan, root: Path) -> dict[str, str]:
    return {one.path.relative_to(root).as_posix(): one.what for one in plan.garbage}


def test_results_of_experiments_stay_and_others_go(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write("fold_runs", "a" * 24, UNUSED, {"x": b"1" * 1000})
    store.write_failure("artifacts", "b" * 24, UNUSED, "no")
    before = sorted(tmp_path.rglob("*"))
    plan = find_garbage(store)
    assert sorted(tmp_path.rglob("*")) == before
    expected = [f"fold_runs/{'a' * 24}", f"artifacts/{'b' * 24}"]
    assert paths(plan, tmp_path) == dict.fromkeys(expected, "result of no experiment")
    assert plan.garbage[0].size_bytes > 1000
    remove_garbage(store, plan)
    assert find_garbage(store).garbage == ()
    assert len(list((tmp_path / "fold_runs").iterdir())) == 5


def test_leftovers_go_once_they_are_old(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    leftovers = [
        f"fold_runs/{'a' * 24}.parts/one/file",
        f"fold_runs/{'c' * 24}/record.json",
        "experiments/first/.table.csv.0123456789ab.partial",
        "experiments/over/driver.json",
    ]
    for name in leftovers:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    assert find_garbage(store).garbage == ()
    make_older(tmp_path, days=1.1)
    assert set(paths(find_garbage(store), tmp_path)) == {
        f"fold_runs/{'a' * 24}.parts", f"fold_runs/{'c' * 24}", leftovers[2], "experiments/over",
    }  # fmt: skip
    remove_garbage(store, find_garbage(store))
    assert not any((tmp_path / name).exists() for name in leftovers)
    assert store.experiments() == ["first", "second"]


def test_the_rest_of_a_removal_that_was_killed_goes_at_once(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    (tmp_path / "fold_runs" / f"{'a' * 24}.removed-0123").mkdir()
    assert list(paths(find_garbage(store), tmp_path).values()) == ["leftover"]


def test_checkpoints_of_stored_runs_go_after_a_day_and_others_after_a_month(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    stored = next((tmp_path / "fold_runs").iterdir()).name
    for name in (stored, "e" * 24):
        (tmp_path / "checkpoints" / name / "owner").mkdir(parents=True)
        (tmp_path / "checkpoints" / name / "owner" / "stage2-001.json").write_text("{}")
    assert find_garbage(store).garbage == ()
    make_older(tmp_path / "checkpoints", days=2)
    assert paths(find_garbage(store), tmp_path) == {f"checkpoints/{stored}": "checkpoint"}
    assert len(find_garbage(store, checkpoint_days=1.5).garbage) == 2
    write_lease(tmp_path / "experiments/first")
    assert len(find_garbage(store, checkpoint_days=1.5).garbage) == 1
    make_older(tmp_path / "checkpoints", days=31)
    assert len(find_garbage(store).garbage) == 2


def test_ray_sessions_of_ours_that_have_ended_go_and_those_of_others_stay(
    tmp_path: Path, temporary: Path
) -> None:
    store = two_experiments(tmp_path / "runs")
    for process, marked in ((999_999_998, True), (999_999_999, False), (os.getpid(), True)):
        session = temporary / "ray" / f"session_2026-11-28_12-00-00_123456_{process}"
        session.mkdir(parents=True)
        if marked:
            ray_sessions.mark_session(session)
    assert find_garbage(store).garbage == ()
    make_older(temporary, days=2)
    (found,) = find_garbage(store).garbage
    assert (found.what, found.path.name[-9:]) == ("Ray session", "999999998")
    remove_garbage(store, find_garbage(store))
    assert len(list((temporary / "ray").iterdir())) == 2


def test_what_a_running_experiment_may_need_stays(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write("fold_runs", "a" * 24, UNUSED, {})
    store.write("fold_runs", "b" * 24, {"data": {"dataset": "mmi"}}, {})
    folder = tmp_path / "experiments/first"
    (folder / "folds-synthetic.json").write_text("{}")
    write_lease(folder)
    plan = find_garbage(store)
    assert list(paths(plan, tmp_path)) == [f"fold_runs/{'b' * 24}"]
    assert plan.kept == {"first is running": 1}


def test_a_driver_that_starts_meanwhile_ends_the_removal(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    store.write("fold_runs", "a" * 24, UNUSED, {})
    plan = find_garbage(store)
    write_lease(tmp_path / "experiments/first")
    with pytest.raises(UserError, match="first has started meanwhile"):
        remove_garbage(store, plan)
    assert store.is_complete("fold_runs", "a" * 24)


def test_a_damaged_experiment_keeps_everything(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    rewrite(tmp_path / "experiments/first/experiment.json", hash="0")
    with pytest.raises(UserError, match="'first' refers to is unknown"):
        find_garbage(store)


def test_links_lead_nowhere(tmp_path: Path) -> None:
    store = two_experiments(tmp_path / "runs")
    (tmp_path / "outside" / ("a" * 24)).mkdir(parents=True)
    (tmp_path / "runs/checkpoints").symlink_to(tmp_path / "outside")
    (tmp_path / "runs/fold_runs" / ("a" * 24)).symlink_to(tmp_path / "outside")
    make_older(tmp_path, days=40)
    assert find_garbage(store).garbage == ()


def test_what_cannot_be_removed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = two_experiments(tmp_path)
    (tmp_path / "fold_runs" / f"{'a' * 24}.removed-0123").mkdir()
    monkeypatch.setattr(garbage.shutil, "rmtree", lambda path, ignore_errors: None)
    with pytest.raises(UserError, match="1 of 1 could not be removed"):
        remove_garbage(store, find_garbage(store))


def test_an_empty_store_has_no_garbage(tmp_path: Path) -> None:
    assert find_garbage(ResultsStore(tmp_path)).garbage == ()
