from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from platform.cli.reproduction_flags import listed_seeds, reproduction_from
from platform.config.configuration import Configuration, Plan, plan_with, replace
from platform.errors import UserError
from platform.experiments.description import describe_experiment
from platform.experiments.estimate import estimate_lines
from platform.experiments.experiment import plan_experiment
from platform.experiments.reproduction import ReproductionPlan, plan_reproduction, reproduction_rows
from platform.experiments.reproduction_request import SETS, Reproduction
from platform.experiments.rows import all_tasks
from tests.tiny_faces import prepare_tiny, tiny_configuration

PLAN = Plan(folds=2, holdout_share=0.3, selection_rule="paper", transfer_to="none")
BASE = tiny_configuration(lambda_mask=10.0)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_mmi", subjects=6, without=("fear",))
    prepare_tiny(root, "synthetic_wild", subjects=8, without=("neutral",))
    return root


def wanted(**changes: Any) -> Reproduction:
    values: dict[str, Any] = {
        "sets": SETS["synthetic"], "backbones": ("resnet18",), "lambdas": (10.0, 0.1), **changes,
    }  # fmt: skip
    return Reproduction(**values)


def planned(data_root: Path, **changes: Any) -> ReproductionPlan:
    return plan_reproduction(wanted(**changes), BASE, PLAN, data_root)


def described(plan: ReproductionPlan, dataset: str) -> list[tuple[str, str, str]]:
    rows = [row.describe("paper") for row in plan.rows]
    return [(row["title"], row["masks"], row["generator"]) for row in rows if row["dataset"] == dataset]


def test_the_first_set_has_the_papers_rows_ablations_and_controls(data_root: Path) -> None:
    assert described(planned(data_root), "synthetic") == [
        ("CNN (baseline)", "none", "none"),
        ("CNN (no mask loss)", "none", "none"),
        ("FMPN", "own", "own"),
        ("FMPN, without stage 1", "own", "none"),
        ("FMPN, lambda_G 0", "own", "own"),
        ("FMPN, lambda_G 0.1", "own", "own"),
        ("FMPN", "permuted", "own"),
        ("FMPN", "uniform", "own"),
        ("FMPN", "centre", "own"),
        ("FMPN", "random", "own"),
    ]


def test_the_second_set_also_has_the_firsts_masks_and_the_wild_set_only_those(data_root: Path) -> None:
    plan = planned(data_root, controls=False)
    assert described(plan, "synthetic_mmi")[-1] == ("FMPN", "synthetic", "none")
    assert described(plan, "synthetic_wild") == [
        ("CNN (baseline)", "none", "none"),
        ("CNN (no mask loss)", "none", "none"),
        ("FMPN", "synthetic", "none"),
    ]


def test_repeats_plan_every_row_again_on_other_folds_and_compare_those_of_the_first(data_root: Path) -> None:
    plans = [plan_reproduction(wanted(), BASE, plan_with(PLAN, repeats=count), data_root) for count in (1, 2)]
    one, two = plans
    count = len(one.rows)
    assert two.rows[:count] == one.rows
    assert [row.repeat for row in two.rows] == [0] * count + [1] * count
    assert two.effects == one.effects
    for first, again in zip(one.rows, two.rows[count:], strict=True):
        assert again.describe("paper")["title"] == first.describe("paper")["title"]
        assert again.sources == first.sources
        assert {task.evaluation_subjects for task in again.tasks} != {
            task.evaluation_subjects for task in first.tasks
        }
    assert len(two.data) == 2 * len(one.data)


def test_stage_1_is_shared_where_only_stage_2_differs(data_root: Path) -> None:
    plan = planned(data_root, controls=False, backbones=("resnet18", "resnet50"))
    own = [
        row
        for row in plan.rows
        if row.tasks[0].data.dataset == "synthetic" and "stage1" in row.tasks[0].artifacts
    ]
    assert len(own) == 4
    assert len({task.artifacts["stage1"].identity for row in own for task in row.tasks}) == 2


def test_backbones_multiply_the_papers_rows_only(data_root: Path) -> None:
    one, two = planned(data_root), planned(data_root, backbones=("resnet18", "resnet50"))
    assert len(two.rows) - len(one.rows) == 3 * 3


def test_seeds_that_are_listed_multiply_all_rows_and_ablations(data_root: Path) -> None:
    one = reproduction_rows(wanted(), BASE, PLAN, data_root)
    two = reproduction_rows(wanted(seeds=(0, 5)), BASE, PLAN, data_root)
    assert [row.configurations[0].seed for row in two.rows] == [0] * len(one.rows) + [5] * len(one.rows)
    assert two.rows[: len(one.rows)] == one.rows
    assert [effect.name for effect in two.effects] == 2 * [effect.name for effect in one.effects]
    assert two.remarks == one.remarks


def test_every_effect_compares_two_rows_on_the_same_data_and_folds(data_root: Path) -> None:
    plan = planned(data_root)
    for effect in plan.effects:
        first, second = plan.rows[effect.with_it], plan.rows[effect.without]
        assert [task.evaluation_subjects for task in first.tasks] == [
            task.evaluation_subjects for task in second.tasks
        ]
        assert [t.identity for t in first.tasks] != [t.identity for t in second.tasks]
    names = {effect.name for effect in plan.effects}
    assert {"stage 1", "mask loss in stage 2", "own masks instead of `permuted` ones"} <= names
    assert "lambda_G 10 instead of 0.1" in names


def test_a_set_that_is_not_there_is_left_out_by_name_with_its_remedy(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "synthetic_mmi", subjects=6)
    prepare_tiny(tmp_path, "synthetic_wild", subjects=8, without=("neutral",))
    plan = planned(tmp_path)
    assert set(plan.missing) == {"synthetic", "synthetic_wild"}
    assert "python -m platform.prepare" in plan.missing["synthetic"]
    assert "uses the masks of Synthetic faces" in plan.missing["synthetic_wild"]
    assert {row.tasks[0].data.dataset for row in plan.rows} == {"synthetic_mmi"}


def test_without_any_set_there_is_nothing_to_reproduce(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="at least one data set"):
        planned(tmp_path)


def test_a_set_prepared_later_adds_rows_and_changes_none(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "synthetic", subjects=10)
    before = planned(tmp_path)
    prepare_tiny(tmp_path, "synthetic_wild", subjects=8, without=("neutral",))
    after = planned(tmp_path)
    old, new = ({task.identity for task in all_tasks(plan.rows)} for plan in (before, after))
    assert old < new


def request(**changes: Any) -> argparse.Namespace:
    flags = {
        "dataset": "synthetic", "preset": "paper", "backbone": None, "config": None, "backbones": None,
        "seed": None, "seeds": None, "lambdas": "10,0.1", "no_controls": False, **changes,
    }  # fmt: skip
    return argparse.Namespace(**flags)


def asked_for(arguments: argparse.Namespace, configuration: Configuration) -> Reproduction:
    return reproduction_from(arguments, configuration, listed_seeds(arguments))


def test_flags_become_the_request() -> None:
    asked = asked_for(request(backbones="resnet18,vgg16", seeds="0,3", no_controls=True), BASE)
    assert asked == Reproduction(
        sets=SETS["synthetic"],
        backbones=("resnet18", "vgg16"),
        seeds=(0, 3),
        lambdas=(10.0, 0.1),
        controls=False,
    )
    assert asked_for(request(), BASE).seeds == ()
    assert asked_for(request(), BASE).backbones == ("resnet18",)
    assert asked_for(request(), replace(BASE, backbone="resnet50")).backbones == ("resnet50",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset": "papr"}, "unknown group of data sets 'papr'; did you mean 'paper'?"),
        ({"backbones": "resnet19"}, "unknown backbone 'resnet19'"),
        ({"seeds": "0,x"}, "--seeds takes values between commas, but got '0,x'"),
        ({"seeds": "1,1"}, "--seeds: duplicate value 1; list each value once"),
        ({"seeds": "-1,0"}, "seeds from 0 to 2**31 - 1 between commas, but got '-1,0'"),
        ({"seeds": ","}, "--seeds takes a number of seeds, or seeds from 0 to 2**31 - 1 between commas"),
        ({"seeds": "0,3", "seed": "3"}, "of which the first is 0, but --seed is 3; remove --seed"),
    ],
)
def test_a_request_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as refusal:
        asked_for(request(**changes), BASE)
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("asked", "seed", "seeds", "listed"),
    [
        ("3", None, "3", ()),
        ("0,1,2", "0", "3", ()),
        ("4,5", "4", "2", ()),
        ("7,", "7", "1", ()),
        ("0,3", "0", "1", (0, 3)),
        ("1,0", "1", "1", (1, 0)),
    ],
)
def test_a_list_of_consecutive_seeds_is_a_first_seed_and_a_number(
    asked: str, seed: str | None, seeds: str, listed: tuple[int, ...]
) -> None:
    arguments = request(seeds=asked)
    assert listed_seeds(arguments) == listed
    assert (arguments.seed, arguments.seeds) == (seed, seeds)


def test_hours_and_cost_follow_from_slots_and_price(data_root: Path, tmp_path: Path) -> None:
    experiment = plan_experiment(
        name="r", command="python -m platform.reproduce", preset="smoke", dataset=PLAN.dataset,
        configuration=BASE, plan=PLAN, data_root=data_root, runs_root=tmp_path / "runs", search=False,
        address=None, plan_rows=partial(reproduction_rows, wanted(controls=False)),
    )  # fmt: skip
    lines = estimate_lines(experiment, "2", "3.5")
    assert "runs remaining" in lines[0]
    assert "with 2 fold runs at once" in lines[0]
    assert "assumed for 1 CPU core, not measured" in lines[0]
    assert lines[1].startswith("cost: about 0.00 at 3.5 per hour")
    assert not (tmp_path / "runs").exists()
    for slots, price in (("0", None), ("x", None), ("2", "-1")):
        with pytest.raises(UserError, match="takes a"):
            estimate_lines(experiment, slots, price)
    content = describe_experiment(experiment, experiment.rows)
    assert len(content["effects"]) == len(experiment.effects)
