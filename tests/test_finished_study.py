"""A command on a study that is there already: what it refuses, in a dry run too, before Ray starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.errors import UserError
from platform.experiments.study_definition import search_definition
from platform.search.extension import record_end, record_wanted
from platform.search.storage import open_storage
from tests.planned_search import planned_search
from tests.tiny_faces import prepare_tiny

NO_TRANSFER = ("--transfer-to", "none", "--dry-run")
GRID = (
    "--sampler", "grid", "--set", "lambda_mask=1", "--set", "classifier_learning_rate=1e-3",
    "--set", "generator_learning_rate=1e-4",
)  # fmt: skip


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    prepare_tiny(folder, "synthetic", subjects=10)
    return folder


def planned(data_root: Path, runs: Path, *flags: str) -> Any:
    return planned_search(data_root, runs, *NO_TRANSFER, *flags)


def finish(experiment: Any, trials: int) -> None:
    """Leave the study that a search of so many trials would leave."""
    experiment.folder.mkdir(parents=True)
    study = optuna.create_study(storage=open_storage(experiment.storage_location), study_name=experiment.name)
    search_definition(experiment).check(study)
    record_wanted(study, trials, 0)
    for _ in range(trials):
        trial = study.ask()
        search_definition(experiment).suggest(trial)
        study.tell(trial, 0.5)
    record_end(study)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--set", "lambda_mask=3"], "parameter lambda_mask was '0.1 to 10 .log.' and is now None"),
        (["--study-seed", "3"], "study_seed was 0 and is now 3"),
        (["--trials", "3"], "has 4, but --trials is 3; pass --trials 4 or more"),
        (["--extend", "0"], "--extend takes a number of trials to add, 1 or more, but got 0"),
        (["--extend", "-2"], "1 or more, but got -2"),
    ],
)
def test_what_a_finished_study_cannot_become_is_refused(
    data_root: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    finish(planned(data_root, tmp_path, "--trials", "4"), 4)
    before = contents(tmp_path)
    with pytest.raises(UserError, match=message):
        planned(data_root, tmp_path, "--trials", "4", *flags)
    assert planned(data_root, tmp_path, "--trials", "4", "--extend", "2").plan.trials == 6
    assert contents(tmp_path) == before


TUNED = ("--baselines", "cnn", "--tune-baselines", "3")


def finish_both(experiment: Any) -> None:
    """Leave the studies that a search of four trials with a tuned baseline would leave."""
    finish(experiment, 4)
    storage = open_storage(experiment.storage_location)
    baseline = experiment.searches[1]
    study = optuna.create_study(storage=storage, study_name=f"{experiment.name}-cnn")
    search_definition(experiment, baseline).check(study)
    for _ in range(3):
        trial = study.ask()
        search_definition(experiment, baseline).suggest(trial)
        study.tell(trial, 0.5)
    own = optuna.load_study(storage=storage, study_name=experiment.name)
    record_wanted(own, 4, 0, 3)
    record_end(own)


def test_tuned_baselines_are_extended_with_the_method_and_keep_their_trials(
    data_root: Path, tmp_path: Path
) -> None:
    finish_both(planned(data_root, tmp_path, *TUNED))
    before = contents(tmp_path)
    more = planned(data_root, tmp_path, *TUNED, "--extend", "2").plan
    assert (more.trials, more.tune_baselines) == (6, 5)
    assert planned(data_root, tmp_path, *TUNED[:3], "7").plan.tune_baselines == 7
    with pytest.raises(UserError, match=r"-cnn has 3, but --tune-baselines is 2; pass --tune-baselines 3"):
        planned(data_root, tmp_path, *TUNED[:3], "2")
    assert contents(tmp_path) == before


def test_a_baselines_study_with_other_settings_is_refused(data_root: Path, tmp_path: Path) -> None:
    """What differs for the method itself is said first."""
    made = planned(data_root, tmp_path, *TUNED)
    finish_both(made)
    study = optuna.load_study(storage=open_storage(made.storage_location), study_name=f"{made.name}-cnn")
    study.set_user_attr("definition", {**study.user_attrs["definition"], "space": "baseline"})
    message = "-cnn was created with other settings .space was 'baseline' and is now 'baseline_quick'"
    with pytest.raises(UserError, match=message):
        planned(data_root, tmp_path, *TUNED)
    assert planned(data_root, tmp_path, "--baselines", "cnn").plan.trials == 4


def test_a_grid_of_which_everything_is_tried_has_nothing_to_add(data_root: Path, tmp_path: Path) -> None:
    finish(planned(data_root, tmp_path, *GRID, "--trials", "9"), 3)
    with pytest.raises(UserError, match="all 3 configurations of the grid have been tried; widen the"):
        planned(data_root, tmp_path, *GRID, "--trials", "9", "--extend", "4")
