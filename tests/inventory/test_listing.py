from __future__ import annotations

from pathlib import Path

import pytest

from platform.inventory.fold_run_facts import FoldRuns
from platform.inventory.listing import ListedExperiment, list_experiments
from platform.inventory.runs_folder import REMOVAL_FILE
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment
from tests.inventory.known_runs import rewrite, row_of, two_experiments, write_lease


def listed(store: ResultsStore) -> dict[str, ListedExperiment]:
    return {one.name: one for one in list_experiments(store, watch_seconds=0.0)}


def test_a_finished_experiment_has_score_hours_and_size(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    economy = {"run": {"hours": 2.0}}
    rewrite(tmp_path / "experiments/first/experiment.json", economy=economy)
    one = listed(store)["first"]
    assert (one.state, one.method, one.dataset) == ("finished", "fmpn", "synthetic")
    accuracies = [
        fake_predictions(a, f, seed=s).correct.mean() for a, f, s in ((0.9, 0, 1), (0.6, 1, 0), (0.9, 2, 1))
    ]
    assert one.score == pytest.approx(sum(accuracies) / 3)
    assert one.hours == pytest.approx(2.0 + 3 / 3600)
    folders = [
        tmp_path / "experiments/first",
        *(tmp_path / "fold_runs" / name for name in runs_of(store, "first")),
    ]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert one.size_bytes == sum(path.stat().st_size for path in files)


def test_the_score_of_several_seeds_is_their_mean(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    rows = []
    for seed, name in enumerate(("first", "second")):
        runs = [{"fold": fold, "identity": identity} for fold, identity in enumerate(runs_of(store, name))]
        rows.append({**row_of(runs), "seed": seed})
    alone = listed(store)
    write_experiment(store, rows, name="both")
    both = listed(store)["both"].score
    assert both == pytest.approx(((alone["first"].score or 0) + (alone["second"].score or 0)) / 2)
    rows[1]["runs"] = rows[1]["runs"][:2]
    write_experiment(store, rows, name="both")
    assert listed(store)["both"].score is None
    write_experiment(store, [rows[0], {**rows[1], "title": "FMPN, another"}], name="both")
    assert listed(store)["both"].score == alone["first"].score, "a row of its own, whatever its seed"


def runs_of(store: ResultsStore, name: str) -> list[str]:
    from platform.experiments.experiment_file import read_experiment

    return [run["identity"] for row in read_experiment(store, name)["rows"] for run in row["runs"]]


def test_states(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    experiments = tmp_path / "experiments"
    done = [{"fold": 0, "identity": runs_of(store, "first")[0]}]
    failed = "f" * 24
    store.write_failure("fold_runs", failed, {}, "Traceback\nValueError: no")
    write_experiment(store, [row_of([*done, {"fold": 1, "identity": failed}])], name="failed")
    write_experiment(store, [row_of([*done, {"fold": 1, "identity": "e" * 24}])], name="missing")
    write_experiment(store, [row_of(done)], name="led")
    write_lease(experiments / "led")
    for name, file in (
        ("searching", "study.journal"),
        ("led-search", "config.yaml"),
        ("going", REMOVAL_FILE),
    ):
        (experiments / name).mkdir()
        (experiments / name / file).write_text("")
    write_lease(experiments / "led-search")
    (experiments / "broken").mkdir()
    (experiments / "broken/experiment.json").write_text("{")
    found = {name: one.state for name, one in listed(store).items()}
    assert found == {
        "broken": "damaged", "failed": "failed", "first": "finished", "going": "being removed",
        "led": "running", "led-search": "running", "missing": "interrupted", "searching": "interrupted",
        "second": "finished",
    }  # fmt: skip
    assert listed(store)["missing"].score is None


def test_a_changed_manifest_makes_the_experiment_damaged_and_says_nothing_of_its_score(
    tmp_path: Path,
) -> None:
    store = two_experiments(tmp_path)
    identity = runs_of(store, "second")[0]
    rewrite(tmp_path / "fold_runs" / identity / "manifest.json", accuracy=1.0)
    one = listed(store)["second"]
    assert (one.state, one.score) == ("damaged", None)
    assert "was changed" in FoldRuns(store).of(identity).reason


def test_a_run_of_two_experiments_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = two_experiments(tmp_path)
    read: list[str] = []
    manifest = ResultsStore.manifest
    monkeypatch.setattr(
        ResultsStore, "manifest", lambda self, kind, name: read.append(name) or manifest(self, kind, name)
    )
    list_experiments(store, watch_seconds=0.0)
    assert len(read) == len(set(read)) == 5


def test_an_extended_search_that_was_stopped_is_interrupted(tmp_path: Path) -> None:
    from platform.monitoring.progress import Progress
    from platform.monitoring.progress_file import keep_progress

    store = two_experiments(tmp_path)
    progress = Progress(slots=1)
    progress.phase = "search"
    keep_progress(tmp_path / "experiments/first", progress, "stopped", 60.0)
    assert listed(store)["first"].state == "interrupted"
    progress.phase = "final folds"  # an interrupted look at a finished experiment
    keep_progress(tmp_path / "experiments/first", progress, "stopped", 60.0)
    assert listed(store)["first"].state == "finished"
