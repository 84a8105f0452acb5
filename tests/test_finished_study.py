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


def test_a_grid_of_which_everything_is_tried_has_nothing_to_add(data_root: Path, tmp_path: Path) -> None:
    finish(planned(data_root, tmp_path, *GRID, "--trials", "9"), 3)
    with pytest.raises(UserError, match="all 3 configurations of the grid have been tried; widen the"):
        planned(data_root, tmp_path, *GRID, "--trials", "9", "--extend", "4")
