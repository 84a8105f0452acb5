"""Two searches by commit 5be6a2d are found again by the same commands: nothing is refused, nothing trains."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import optuna
import pytest

from platform.cli.parser import Parser
from platform.cli.planning import plan_request, search_request
from platform.cli.run_flags import add_run_arguments
from platform.config.configuration import plan_with, replace
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.experiment_file import read_experiment
from platform.experiments.same_name import refuse_other_rows
from platform.experiments.study_definition import search_definition
from platform.runs.fold_tasks import machine_of, step_tasks
from platform.runs.tasks import FoldTask
from platform.search.recorded_values import check_recorded
from platform.search.storage import find_study
from tests.runs.known_tasks import EARLIER_NET

ARCHIVE = Path(__file__).parent / "data" / "known_studies.zip"
NAMES = ("found-fmpn", "found-cnn")


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """The folder that both searches ran in: prepared faces, results, and the file of --enqueue."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(tmp_path)
    return tmp_path


def stored(known: Path, name: str) -> dict[str, Any]:
    """The experiment.json of a search."""
    text = (known / "runs/experiments" / name / "experiment.json").read_text()
    content: dict[str, Any] = json.loads(text)
    return content


def typed(known: Path, name: str) -> list[str]:
    """The arguments after `python -m platform.tune`, as if typed in that folder, with the net of the preset
    when they were."""
    words = shlex.split(stored(known, name)["command"])[3:]
    here = [str(known / word) if word == "enqueued.yaml" else word for word in words]
    for flag, value in EARLIER_NET["smoke"].items():
        here += [] if flag in here else [flag, value]
    return [*here, "--runs", str(known / "runs"), "--data-root", str(known / "data")]


def planned(known: Path, name: str) -> Experiment:
    """The experiment that the same command plans now. UserError: other settings, or another study."""
    return planned_from(typed(known, name))


def planned_from(argv: list[str]) -> Experiment:
    parser = Parser(prog="tune")
    add_run_arguments(parser, argv)
    arguments = parser.parse_args(argv)
    return plan_request(search_request(arguments), arguments, argv)


def study_of(experiment: Experiment) -> optuna.Study:
    study = find_study(experiment.storage_location, experiment.name)
    assert study is not None
    return study


def trial_tasks(experiment: Experiment, overrides: dict[str, Any]) -> list[FoldTask]:
    (scope,) = experiment.scopes
    configuration = replace(experiment.configuration, **overrides)
    return step_tasks(configuration, experiment.planned, machine_of(experiment.plan), scope.steps)


def check_stored(experiment: Experiment, tasks: list[FoldTask], identities: list[str]) -> None:
    """The tasks have these identities and are stored under them, with what they rest on."""
    assert sorted(task.identity for task in tasks) == sorted(identities)
    for task in tasks:
        for one in (task, *task.artifacts.values()):
            assert experiment.store.is_complete(one.kind, one.identity)
            assert experiment.store.record(one.kind, one.identity) == one.record


@pytest.mark.parametrize("name", NAMES)
def test_the_same_command_finds_its_study_and_every_fold_run_of_its_trials(known: Path, name: str) -> None:
    """A study of cnn has `base.*` settings that cnn does not read: they do not make it another study."""
    experiment = planned(known, name)
    definition, study = search_definition(experiment), study_of(experiment)
    definition.refuse_other(study)
    assert study.user_attrs["definition"]["base.lambda_mask"] == 10
    (described,) = stored(known, name)["studies"]
    trials = study.get_trials()
    assert [trial.number for trial in trials] == list(range(experiment.plan.trials))
    for trial, known_trial in zip(trials, described["trials"], strict=True):
        tasks = trial_tasks(experiment, trial.user_attrs["overrides"])
        check_recorded(
            trial,
            tasks,
            study=name,
            suggest=definition.suggest,
            base=experiment.configuration,
            class_count=experiment.class_count,
            objectives=experiment.plan.objectives,
            store=experiment.store,
        )
        assert trial.user_attrs["overrides"] == known_trial["params"]
        check_stored(experiment, tasks, [run["identity"] for run in known_trial["runs"]])


@pytest.mark.parametrize("name", NAMES)
def test_the_rows_of_the_winner_and_its_baselines_are_those_that_are_stored(known: Path, name: str) -> None:
    experiment = planned(known, name)
    content = read_experiment(experiment.store, name)
    (study,) = content["studies"]
    winner = study["trials"][study["winner"]]
    rows = final_rows(experiment, replace(experiment.configuration, **winner["params"]), winner["score"])
    refuse_other_rows(experiment.store, name, rows, experiment.plan.selection_rule)
    assert len(rows) == len(content["rows"])
    for row, known_row in zip(rows, content["rows"], strict=True):
        made = json.loads(json.dumps(row.describe(experiment.plan.selection_rule)))
        assert {key: made[key] for key in known_row} == known_row
        check_stored(experiment, list(row.tasks), [run["identity"] for run in known_row["runs"]])


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_settings_are_read_as_a_configuration_file(known: Path, name: str) -> None:
    """Those of cnn name settings that cnn does not read."""
    settings = known / "runs/experiments" / name / "config.yaml"
    experiment = planned_from(["--name", name, "--config", str(settings), *typed(known, name)[-4:]])
    assert experiment.configuration == planned(known, name).configuration
    plan = planned(known, name).plan
    assert experiment.plan == plan_with(plan, preset="quick")  # which the file does not hold


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("name", NAMES)
def test_the_same_command_trains_nothing_and_leaves_the_same_trials(
    known: Path, root: Path, name: str
) -> None:
    before, found = stored(known, name), results(known)
    command = [sys.executable, "-m", "platform.tune", *typed(known, name)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert results(known) == found
    after = stored(known, name)
    assert after["rows"] == [{**new, **old} for new, old in zip(after["rows"], before["rows"], strict=True)]
    (study,), (study_before,) = after["studies"], before["studies"]
    assert {**study, "storage": ""} == {**study, **study_before, "storage": ""}
    assert len(study_of(planned(known, name)).get_trials()) == len(study["trials"])


def results(folder: Path) -> dict[str, tuple[int, int]]:
    """Every manifest, with what changes when it is written again."""
    states = {str(path): path.stat() for path in folder.glob("runs/*/*/manifest.json")}
    return {path: (state.st_ino, state.st_mtime_ns) for path, state in states.items()}
