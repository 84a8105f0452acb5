"""winner.yaml: crossval finds every final fold run of the search by it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import yaml

from platform.cli.parser import Parser
from platform.cli.planning import crossval_request, plan_request
from platform.cli.run_flags import add_run_arguments
from platform.config.configuration import replace
from platform.config.settings_source import OWN_SEARCH, SettingsSource
from platform.errors import UserError
from platform.experiments.driver_lease import leading
from platform.experiments.experiment import final_rows
from platform.experiments.rows import Chosen, Found, all_tasks
from platform.experiments.winner_file import winner_files, write_winners
from tests.planned_search import planned_search
from tests.tiny_faces import prepare_tiny


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    for name in ("synthetic", "synthetic_wild", "synthetic_mmi"):
        prepare_tiny(folder, name, subjects=10, others=name)
    return folder


PARAMETERS = {"lambda_mask": 2.5, "classifier_learning_rate": 7e-4, "backbone": "resnet18"}


def found_by(experiment: Any) -> Found:
    """What searches would have found: every study's second trial, with a rate of its own."""
    studies, chosen = [], {}
    for search in experiment.searches:
        configurations = [search.base] * experiment.fold_count
        for number, scope in enumerate(search.scopes):
            params = {name: value for name, value in PARAMETERS.items() if hasattr(search.base, name)}
            params["classifier_learning_rate"] += (
                number * 1e-4 + (search is not experiment.searches[0]) * 1e-3
            )
            trials = [
                {"number": 0, "params": {}, "score": 0.2},
                {"number": 1, "params": params, "score": 0.51389},
            ]
            studies.append(
                {
                    "method": search.method,
                    "outer_folds": list(scope.outer_folds),
                    "winner": 1,
                    "trials": trials,
                }
            )
            for fold in scope.outer_folds:
                configurations[fold] = replace(search.base, **params)
        chosen[search.method] = Chosen(
            configurations=tuple(configurations), source=SettingsSource(whose=OWN_SEARCH, trials=2), score=0.5
        )
    return Found(studies=studies, chosen=chosen, economy={})


def finals(experiment: Any, found: Found) -> set[str]:
    """Identities of the search's final fold runs."""
    first, *baselines = found.chosen
    rows = final_rows(
        experiment,
        found.chosen[first].configurations,
        trials=2,
        tuned={name: found.chosen[name] for name in baselines},
    )
    return {task.identity for task in all_tasks(rows)}


def crossval_by(file: Path, data_root: Path, runs: Path, *flags: str) -> Any:
    argv = ["--config", str(file), *flags, "--runs", str(runs), "--data-root", str(data_root), "--dry-run"]
    parser = Parser(prog="crossval")
    add_run_arguments(parser, argv, search=False)
    arguments = parser.parse_args(argv)
    return plan_request(crossval_request(arguments), arguments, argv)


def identities(experiment: Any) -> set[str]:
    return {task.identity for task in all_tasks(final_rows(experiment, experiment.configuration))}


@pytest.mark.parametrize(
    "flags",
    [
        ["--transfer-to", "synthetic_wild"],
        ["--transfer-to", "none", "--tune-baselines", "2"],
        ["--transfer-to", "none", "--seed", "4", "--fold-rule", "holdout", "--study-seed", "3"],
        ["--transfer-to", "none", "--method", "cnn", "--baselines", "fmpn", "--set", "backbone=resnet18"],
        ["--transfer-to", "none", "--selection-rule", "test", "--cpus-per-run", "2"],
        ["--transfer-to", "synthetic_wild", "--seeds", "3", "--seed", "2", "--tune-baselines", "2"],
    ],
    ids=["transfer", "tuned", "holdout", "cnn", "test", "seeds"],
)
def test_crossval_with_the_winner_has_the_searchs_final_fold_runs(
    data_root: Path, tmp_path: Path, flags: list[str]
) -> None:
    experiment = planned_search(data_root, tmp_path, *flags)
    found = found_by(experiment)
    write_winners(experiment, found)
    (file,) = winner_files(experiment.folder)
    assert file.name == "winner.yaml"
    again = crossval_by(file, data_root, tmp_path)
    assert identities(again) == finals(experiment, found)
    assert again.preset == "smoke"
    settings = yaml.safe_load(file.read_text())
    assert settings["dataset"] == "synthetic"
    assert not {"trials", "tune_baselines", "space", "storage"} & settings.keys()
    before = file.read_bytes()
    write_winners(experiment, found)
    assert file.read_bytes() == before


def test_tuned_baselines_state_what_their_own_searches_chose(data_root: Path, tmp_path: Path) -> None:
    experiment = planned_search(
        data_root, tmp_path, "--transfer-to", "none", "--baselines", "cnn", "--tune-baselines", "2"
    )
    write_winners(experiment, found_by(experiment))
    text = (experiment.folder / "winner.yaml").read_text()
    assert text.startswith(
        "# Chosen by the search tune-synthetic-smoke: trial 1 of 2, accuracy on validation splits 51.39 %.\n"
    )
    assert yaml.safe_load(text)["methods"] == {
        "cnn": {"backbone": "resnet18", "classifier_learning_rate": 7e-4 + 1e-3}
    }


def test_a_nested_search_has_a_file_for_each_fold_that_runs_this_fold(
    data_root: Path, tmp_path: Path
) -> None:
    flags = ("--selection-rule", "nested", "--baselines", "cnn", "--tune-baselines", "2")
    experiment = planned_search(data_root, tmp_path, *flags)
    found = found_by(experiment)
    write_winners(experiment, found)
    files = winner_files(experiment.folder)
    assert [path.name for path in files] == ["winner-fold-0.yaml", "winner-fold-1.yaml"]
    made = [identities(crossval_by(path, data_root, tmp_path)) for path in files]
    assert made[0] | made[1] == finals(experiment, found)
    assert not made[0] & made[1]
    everywhere = crossval_by(files[1], data_root, tmp_path, "--folds-only", "")
    assert identities(everywhere) > made[1]


def test_another_seed_or_data_set_is_the_same_configuration_there(data_root: Path, tmp_path: Path) -> None:
    experiment = planned_search(
        data_root, tmp_path, "--transfer-to", "synthetic_wild", "--tune-baselines", "2"
    )
    write_winners(experiment, found_by(experiment))
    file = experiment.folder / "winner.yaml"
    own = crossval_by(file, data_root, tmp_path)
    more = crossval_by(file, data_root, tmp_path, "--seeds", "3", "--name", "more")
    assert identities(more) > identities(own)
    assert {row.configurations[0].seed for row in final_rows(more, more.configuration)} == {0, 1, 2}
    seeded = crossval_by(file, data_root, tmp_path, "--seed", "5")
    assert seeded.configuration == replace(own.configuration, seed=5)
    assert {row.configurations[0].seed for row in final_rows(seeded, seeded.configuration)} == {5}
    elsewhere = crossval_by(file, data_root, tmp_path, "--dataset", "synthetic_mmi")
    assert elsewhere.configuration == own.configuration
    assert elsewhere.target is None
    assert elsewhere.remarks == (f"the mask transfer in {file} is left out: it belongs to another data set",)
    with_target = ("--dataset", "synthetic_mmi", "--transfer-to", "synthetic_wild")
    assert crossval_by(file, data_root, tmp_path, *with_target).target is not None


def test_a_winner_of_another_data_sets_classes_is_refused_unless_the_set_is_named(
    data_root: Path, tmp_path: Path
) -> None:
    experiment = planned_search(data_root, tmp_path, "--transfer-to", "none")
    write_winners(experiment, found_by(experiment))
    file = experiment.folder / "winner.yaml"
    other = tmp_path / "data"
    prepare_tiny(other, "synthetic", subjects=10, without=("fear",))
    with pytest.raises(
        UserError,
        match=r"chosen for the classes anger, fear, surprise, but the prepared set synthetic has anger, "
        r"surprise; .* --dataset synthetic",
    ):
        crossval_by(file, other, tmp_path)
    named = crossval_by(file, other, tmp_path, "--dataset", "synthetic")
    assert named.planned.data.class_names == ("anger", "surprise")


def test_options_that_the_user_gave_a_baseline_stay(data_root: Path, tmp_path: Path) -> None:
    given = tmp_path / "given.yaml"
    given.write_text("methods: {cnn: {stage2_batch_size: 5}}\n")
    experiment = planned_search(data_root, tmp_path, "--config", str(given), "--transfer-to", "none")
    found = found_by(experiment)
    write_winners(experiment, found)
    again = crossval_by(experiment.folder / "winner.yaml", data_root, tmp_path)
    assert identities(again) == finals(experiment, found)
    assert again.plan.methods == experiment.plan.methods


def test_a_search_that_was_killed_while_it_wrote_leaves_no_half_of_the_file(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = planned_search(data_root, tmp_path, "--transfer-to", "none")
    found = found_by(experiment)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with leading(experiment.folder), monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_winners(experiment, found)
        assert winner_files(experiment.folder) == []
    write_winners(experiment, found)
    whole = (experiment.folder / "winner.yaml").read_bytes()
    worse = dataclasses.replace(found, chosen={
        name: dataclasses.replace(one, configurations=(experiment.configuration,) * 2)
        for name, one in found.chosen.items()
    })  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr("os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_winners(experiment, worse)
    assert (experiment.folder / "winner.yaml").read_bytes() == whole
