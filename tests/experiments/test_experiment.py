from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datasets.folds.rules import FoldPlan
from platform.config.configuration import Configuration, Plan
from platform.config.settings_source import AS_GIVEN
from platform.errors import UserError
from platform.experiments.description import describe_experiment, write_settings
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.experiment_file import check_experiment, read_experiment
from platform.experiments.rows import Chosen, Found, all_tasks
from platform.experiments.study_definition import search_definition
from platform.experiments.winner_file import winner_files
from tests.tiny_faces import prepare_tiny, subject_names, tiny_configuration

BASE_PLAN: dict[str, Any] = {
    "space": "fmpn",
    "folds": 2,
    "rounds": (1, 1),
    "trials": 3,
    "transfer_to": "synthetic_wild",
    "holdout_share": 0.3,
}


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=6)
    return root


def experiment(
    data_root: Path,
    runs: Path,
    *,
    configuration: Configuration | None = None,
    search: bool = True,
    **changes: Any,
) -> Experiment:
    return plan_experiment(
        name="trial",
        command="python -m platform.tune",
        preset="smoke",
        dataset="synthetic",
        configuration=tiny_configuration() if configuration is None else configuration,
        plan=Plan(**{**BASE_PLAN, **changes}),
        data_root=data_root,
        runs_root=runs,
        search=search,
        address=None,
    )


def test_planning_writes_nothing(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path / "runs")
    final_rows(made, made.configuration)
    wanted_gflop(made, search=True)
    assert not list(tmp_path.iterdir())
    assert made.folder == tmp_path / "runs" / "experiments" / "trial"


@pytest.mark.parametrize("search", [True, False])
def test_images_too_small_for_the_net_are_refused(data_root: Path, tmp_path: Path, search: bool) -> None:
    too_small = tiny_configuration(backbone="inception_v3")
    with pytest.raises(UserError, match="inception_v3 needs images of at least 75 px, but gets 32; raise"):
        experiment(data_root, tmp_path, configuration=too_small, search=search)


def test_rows_are_the_chosen_method_then_the_baselines_then_the_transfer(
    data_root: Path, tmp_path: Path
) -> None:
    made = experiment(data_root, tmp_path)
    rows = final_rows(made, tiny_configuration(backbone="resnet50"))
    described = [row.describe("inner") for row in rows]
    assert [(row["kind"], row["method"], row["masks"]) for row in described] == [
        ("crossval", "fmpn", "own"),
        ("crossval", "cnn", "none"),
        ("crossval", "cnn_no_mask_loss", "none"),
        ("transfer", "fmpn", "synthetic"),
        ("transfer", "cnn", "none"),
        ("transfer", "cnn_no_mask_loss", "none"),
    ]
    assert {row["backbone"] for row in described} == {"resnet50"}
    assert [row["dataset"] for row in described] == ["synthetic"] * 3 + ["synthetic_wild"] * 3
    assert [row["fold_rule"] for row in described] == ["paper"] * 3 + ["holdout"] * 3
    assert [row["fold_count"] for row in described] == [2] * 3 + [1] * 3
    assert [run["fold"] for run in described[0]["runs"]] == [0, 1]
    assert len({task.identity for task in all_tasks(rows)}) == 3 * 2 + 3


def test_a_baseline_that_is_chosen_is_run_once(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path, transfer_to="none")
    rows = final_rows(made, tiny_configuration(method="cnn"))
    assert [row.configurations[0].method for row in rows] == ["cnn", "cnn_no_mask_loss"]


def test_transferred_runs_have_no_stage_1_and_the_sources_masks(data_root: Path, tmp_path: Path) -> None:
    rows = final_rows(experiment(data_root, tmp_path), tiny_configuration())
    (task,) = rows[3].tasks
    assert "stage1" not in task.artifacts
    assert task.artifacts["masks"].data.dataset == "synthetic"
    assert task.artifacts["masks"].train_subjects == tuple(subject_names(10))


def test_folds_may_have_configurations_of_their_own(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path, transfer_to="none", selection_rule="nested", rounds=())
    chosen = [tiny_configuration(lambda_mask=1.0), tiny_configuration(backbone="resnet50")]
    row, baseline, _ = (one.describe("nested") for one in final_rows(made, chosen, 0.75))
    assert (row["backbone"], row["selection_score"]) == ("various", 0.75)
    assert (baseline["backbone"], baseline["selection_score"]) == ("various", None)
    first, second = final_rows(made, chosen)[0].tasks
    assert first.record["config"]["lambda_mask"] == 1.0
    assert second.record["config"]["backbone"] == "resnet50"


@pytest.mark.parametrize(("rule", "groups"), [("inner", [3 * 2, 6]), ("nested", [3 * 2 * 5, 6])])
def test_a_search_may_want_every_step_of_every_trial(
    data_root: Path, tmp_path: Path, rule: str, groups: list[int]
) -> None:
    made = experiment(data_root, tmp_path, transfer_to="none", selection_rule=rule, rounds=())
    wanted = wanted_gflop(made, search=True)
    assert [len(wanted["inner"]), len(wanted["final"])] == groups


def test_a_search_on_the_test_folds_already_has_the_winners_final_runs(
    data_root: Path, tmp_path: Path
) -> None:
    wanted = wanted_gflop(
        experiment(data_root, tmp_path, transfer_to="none", selection_rule="test"), search=True
    )
    assert "inner" not in wanted
    assert len(wanted["final"]) == 3 * 2 + 2 * 2


def test_every_row_is_there_once_for_each_seed_and_those_of_the_first_are_as_ever(
    data_root: Path, tmp_path: Path
) -> None:
    own = {"methods": '{"cnn": {"seed": 7}}'}
    one, three = (experiment(data_root, tmp_path, seeds=seeds, **own) for seeds in (1, 3))
    first, rows = (final_rows(made, tiny_configuration(seed=4), 0.75, trials=3) for made in (one, three))
    assert rows[:6] == first
    seeds = [row.describe("inner")["seed"] for row in rows]
    assert seeds == [4, 7, 4, 4, 7, 4, 5, 8, 5, 5, 8, 5, 6, 9, 6, 6, 9, 6]
    assert len({task.identity for task in all_tasks(rows)}) == 3 * (3 * 2 + 3)
    assert [row.selection_score for row in rows] == [0.75, *[None] * 17], "the search had the first seed"
    assert [row.settings for row in rows] == 3 * [row.settings for row in first]
    masks = {task.artifacts["masks"].identity for row in rows[::6] for task in row.tasks}
    assert len(masks) == 2, "masks of the training subjects, whatever the seed"


def test_further_seeds_are_final_runs_alone(data_root: Path, tmp_path: Path) -> None:
    for rule, final in (("inner", 3 * 3 * 2), ("nested", 3 * 3 * 2), ("test", 3 * 2 + 2 * 2 + 2 * 3 * 2)):
        made = experiment(data_root, tmp_path, transfer_to="none", selection_rule=rule, rounds=(), seeds=3)
        wanted = wanted_gflop(made, search=True)
        assert len(wanted["final"]) == final
        assert len(wanted.get("inner", [])) == {"inner": 3 * 2, "nested": 3 * 2 * 5, "test": 0}[rule]


def test_a_study_is_the_same_whatever_the_number_of_seeds(data_root: Path, tmp_path: Path) -> None:
    one, three = (experiment(data_root, tmp_path, seeds=seeds) for seeds in (1, 3))
    assert search_definition(one).settings == search_definition(three).settings


def test_the_description_is_a_valid_experiment_with_the_plans_rule(data_root: Path, tmp_path: Path) -> None:
    for rule in ("inner", "paper"):
        made = experiment(data_root, tmp_path / rule, search=rule == "inner", selection_rule=rule)
        trial = {"number": 0, "params": {}, "score": 0.5}
        folds = list(range(made.fold_count))
        study = {"name": "s", "method": "fmpn", "outer_folds": folds, "winner": 0, "trials": [trial]}
        chosen = Chosen(configurations=(made.configuration,) * made.fold_count, source=AS_GIVEN)
        found = Found(studies=[study], chosen={"fmpn": chosen}, economy={"run": {}})
        result = found if rule == "inner" else None
        content = describe_experiment(made, final_rows(made, made.configuration), result)
        path = made.folder / "experiment.json"
        assert read_experiment(made.store, made.name) == json.loads(json.dumps(content))
        assert content["selection_rule"] == rule
        assert {row["selection_rule"] for row in content["rows"]} == {rule}
        assert content["config"]["generator_width"] == 2
        assert content["config"]["trials"] == 3
        check_experiment(content, str(path))
        assert bool(winner_files(made.folder)) == (rule == "inner")


def test_settings_and_folds_are_stored_beside_the_results(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path)
    write_settings(made)
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "config.yaml", "folds-synthetic.json", "folds-synthetic_wild.json",
    ]  # fmt: skip
    stored = FoldPlan.from_json((made.folder / "folds-synthetic.json").read_text())
    assert stored == made.planned.folds


def test_the_same_name_with_other_settings_is_refused_with_what_differs(
    data_root: Path, tmp_path: Path
) -> None:
    write_settings(experiment(data_root, tmp_path))
    experiment(data_root, tmp_path)
    with pytest.raises(UserError) as refusal:
        experiment(data_root, tmp_path, configuration=tiny_configuration(lambda_mask=3.0), study_seed=2)
    message = str(refusal.value)
    assert "lambda_mask was 10.0 and is now 3.0" in message
    assert "study_seed was 0 and is now 2" in message
    assert "config.yaml" in message
    assert "seed was 0" not in message.replace("study_seed was 0", "")
    assert "--name" in message


def test_more_trials_or_retries_go_on_with_the_same_experiment(data_root: Path, tmp_path: Path) -> None:
    write_settings(experiment(data_root, tmp_path))
    assert experiment(data_root, tmp_path, trials=5, retries=4).plan.trials == 5


def test_wanted_runs_are_counted_by_group(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path)
    groups = wanted_gflop(made, search=True)
    # final: (2 folds + 1 transfer) x 3 methods; inner: 2 folds x 3 trials; stage 1: 2 inner + 2 final.
    assert {name: len(costs) for name, costs in groups.items()} == {"final": 9, "inner": 6, "stage 1": 4}
    assert all(cost > 0 for costs in groups.values() for cost in costs)
    without = wanted_gflop(experiment(data_root, tmp_path, search=False), search=False)
    assert {name: len(costs) for name, costs in without.items()} == {"final": 9, "stage 1": 2}


def test_a_runs_arithmetic_is_of_its_training_images(data_root: Path, tmp_path: Path) -> None:
    made = experiment(data_root, tmp_path)
    task = all_tasks(final_rows(made, made.configuration))[0]
    # Fold 0 trains on five of ten subjects with six images each.
    assert task.training_images == 30
    assert wanted_gflop(made, search=False)["final"][0] == task.gflop
