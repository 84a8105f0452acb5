"""The score that chose a configuration is that of the winner's stored fold runs, or the row is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_row
from platform.aggregation.parallel import aggregate_experiments
from platform.errors import UserError
from platform.runs.store import ResultsStore
from platform.search.inner_scores import accuracy_of_run
from tests.fake_runs import fake_predictions, fake_study, write_experiment, write_fold_run, write_row


def searched(root: Path) -> tuple[ResultsStore, dict[str, Any]]:
    """An experiment whose study's winner has three fold runs."""
    store = ResultsStore(root)
    identities = [
        write_fold_run(store, fake_predictions(0.6, fold, seed=9), role="inner part") for fold in range(3)
    ]
    score = sum(accuracy_of_run(store, identity) for identity in identities) / 3
    study = fake_study()
    winner = study["trials"][study["winner"]]
    winner |= {"score": score, "params": {"backbone": "resnet18"}}
    winner["runs"] = [{"fold": fold, "part": 0, "identity": one} for fold, one in enumerate(identities)]
    row = write_row(store, accuracy=0.85, selection_score=score)
    return store, write_experiment(store, [row], studies=[study])


def selection_score(store: ResultsStore, experiment: dict[str, Any]) -> float | None:
    return aggregate_row(store, experiment, experiment["rows"][0]).row.selection_score


def winner_of(experiment: dict[str, Any]) -> dict[str, Any]:
    study = experiment["studies"][0]
    trial: dict[str, Any] = study["trials"][study["winner"]]
    return trial


def test_the_score_of_the_winners_fold_runs_is_shown(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    assert selection_score(store, experiment) == winner_of(experiment)["score"]


def test_a_baselines_score_is_that_of_its_own_study(tmp_path: Path) -> None:
    """And no study of another method speaks of its row."""
    store, experiment = searched(tmp_path)
    study = experiment["studies"][0]
    of_cnn = {**study, "name": "study-1-cnn", "method": "cnn"}
    row = write_row(store, "cnn", "CNN", 0.7, selection_score=winner_of(experiment)["score"])
    study |= {"method": "fmpn", "trials": []}
    experiment = write_experiment(store, [*experiment["rows"], row], studies=[study, of_cnn])
    scores = [one.row.selection_score for one in aggregate_experiments(store, [experiment])]
    assert scores == [row["selection_score"]] * 2
    of_cnn["method"] = "fmpn"
    of_cnn["trials"][5]["params"]["backbone"] = "vgg16_bn"
    experiment = write_experiment(store, experiment["rows"], studies=[of_cnn])
    with pytest.raises(UserError, match=r"FMPN .* trial 5 of study-1-cnn, but it has backbone"):
        selection_score(store, experiment)


def test_another_score_is_refused_with_both(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    experiment["rows"][0]["selection_score"] += 0.1
    for read in (selection_score, lambda *both: aggregate_experiments(both[0], [both[1]])):
        with pytest.raises(
            UserError, match="the score that selected its configuration must equal that of its stored"
        ):
            read(store, experiment)


def test_another_score_of_the_winner_is_refused(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    winner_of(experiment)["score"] = 0.99
    with pytest.raises(
        UserError, match="the score of trial 5 of study-1 must equal that of its stored fold runs"
    ):
        selection_score(store, experiment)


def test_another_winner_than_the_one_that_was_trained_is_refused(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    winner_of(experiment)["params"]["backbone"] = "vgg16_bn"
    with pytest.raises(UserError, match="it has backbone 'resnet18' and not 'vgg16_bn'"):
        selection_score(store, experiment)


def test_a_fold_run_of_the_winner_that_is_gone_is_named(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    gone = winner_of(experiment)["runs"][1]["identity"]
    shutil.rmtree(store.folder("fold_runs", gone))
    with pytest.raises(
        UserError, match=f"fold run {gone} of trial 5 of study-1 is missing; run the experiment's"
    ):
        selection_score(store, experiment)


def test_an_earlier_versions_score_without_fold_runs_is_read(tmp_path: Path) -> None:
    store, experiment = searched(tmp_path)
    winner_of(experiment)["runs"] = []
    experiment["rows"][0]["selection_score"] = 0.5
    assert selection_score(store, experiment) == 0.5
