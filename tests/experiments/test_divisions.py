"""`--repeats`: the same rows on further divisions of the subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan, to_dict
from platform.errors import UserError
from platform.experiments.description import write_settings
from platform.experiments.estimate import every_task, wanted_gflop
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.rows import Row, all_tasks
from tests.tiny_faces import prepare_tiny, tiny_configuration


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=8)
    prepare_tiny(root, "synthetic_wild", subjects=6, without=("neutral",))
    return root


def experiment(data_root: Path, runs: Path, **changes: Any) -> Experiment:
    values: dict[str, Any] = {
        "folds": 2, "selection_rule": "paper", "transfer_to": "none", "baselines": ("cnn",), **changes,
    }  # fmt: skip
    return plan_experiment(
        name="trial",
        command="",
        preset="smoke",
        dataset="synthetic",
        configuration=tiny_configuration(),
        plan=Plan(**values),
        data_root=data_root,
        runs_root=runs,
        search=False,
        address=None,
    )


def rows_of(made: Experiment) -> list[Row]:
    return final_rows(made, made.configuration)


def identities(rows: list[Row]) -> list[str]:
    return [task.identity for task in all_tasks(rows)]


def test_repeat_0_is_what_it_was_and_further_rows_follow(data_root: Path, tmp_path: Path) -> None:
    usual, rows = (rows_of(experiment(data_root, tmp_path, repeats=count)) for count in (1, 3))
    assert "repeats" not in to_dict(Plan())
    assert [(row.configurations[0].method, row.repeat) for row in rows] == [
        (method, repeat) for repeat in range(3) for method in ("fmpn", "cnn")
    ]
    assert identities(rows[:2]) == identities(usual)
    assert len(set(identities(rows))) == 3 * len(identities(usual))
    described = [row.describe("paper") for row in rows]
    assert [row["repeat"] for row in described] == [0, 0, 1, 1, 2, 2]
    assert [row["fold_rule"] for row in described] == ["paper"] * 2 + ["stratified"] * 4


def test_every_seed_has_every_repeat(data_root: Path, tmp_path: Path) -> None:
    rows = rows_of(experiment(data_root, tmp_path, repeats=2, seeds=2, baselines=()))
    assert [(row.configurations[0].seed, row.repeat) for row in rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [task.evaluation_subjects for task in rows[1].tasks] == [
        task.evaluation_subjects for task in rows[3].tasks
    ]


def test_masks_and_stage_1_of_a_repeat_see_no_test_subject_of_their_fold(
    data_root: Path, tmp_path: Path
) -> None:
    for row in rows_of(experiment(data_root, tmp_path, repeats=3)):
        for task in row.tasks:
            assert not set(task.train_subjects) & set(task.evaluation_subjects)
            for artifact in task.artifacts.values():
                assert artifact.train_subjects == task.train_subjects


def test_the_target_of_a_transfer_is_drawn_again_too(data_root: Path, tmp_path: Path) -> None:
    changes = {"transfer_to": "synthetic_wild", "holdout_share": 0.3}
    rows = rows_of(experiment(data_root, tmp_path, repeats=2, **changes))
    moved = [row for row in rows if row.kind == "transfer"]
    assert [row.repeat for row in moved] == [0, 0, 1, 1]
    first, second = moved[0].tasks[0], moved[2].tasks[0]
    assert first.evaluation_subjects != second.evaluation_subjects
    assert first.artifacts["masks"] == second.artifacts["masks"]


def test_estimates_count_the_repeats_and_the_folds_are_stored(data_root: Path, tmp_path: Path) -> None:
    one, two = (experiment(data_root, tmp_path / "runs", repeats=count) for count in (1, 2))
    counted = [len(wanted_gflop(made, search=False)["final"]) for made in (one, two)]
    assert counted == [4, 8]
    write_settings(two)
    assert [path.name for path in sorted(two.folder.glob("folds-*"))] == [
        "folds-synthetic-2.json", "folds-synthetic.json",
    ]  # fmt: skip
    assert every_task(one) == []  # of rows that are known in advance


def test_repeats_may_become_more_and_not_fewer(data_root: Path, tmp_path: Path) -> None:
    write_settings(experiment(data_root, tmp_path))
    write_settings(experiment(data_root, tmp_path, repeats=3))
    with pytest.raises(UserError, match=r"started with --repeats 3, and now it is 2; pass --repeats 3"):
        experiment(data_root, tmp_path, repeats=2)


def test_one_subject_a_fold_cannot_be_repeated(data_root: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="8 subjects in 8 folds have one division only"):
        experiment(data_root, tmp_path, folds=8, repeats=2)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"repeats": 0}, "repeats"),
        ({"repeats": -3}, "repeats"),
        ({"repeats": 2, "fold_list": "mine.csv"}, "--folds mine.csv belongs to one division"),
        ({"repeats": 2, "folds_only": (1,)}, "folds_only 1 belongs to one division"),
        ({"repeats": 2, "masks": "/there"}, "masks released belongs to one division"),
        ({"repeats": 2, "masks": "permuted:/there"}, "masks permuted released belongs to one division"),
    ],
)
def test_what_cannot_be_repeated_is_refused(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(UserError, match=named):
        Plan(**changes)
