from __future__ import annotations

import json
from pathlib import Path

import pytest

from platform.config.configuration import Configuration, Plan
from platform.config.settings_source import AS_GIVEN
from platform.errors import UserError
from platform.experiments.leave_one_out import LeftOutSets, plan_rows
from platform.experiments.rows import Chosen, Effect, PlannedRows, all_tasks, row_of
from platform.experiments.seed_rows import chosen_with_seed, over_seeds, with_seed
from platform.experiments.transfer import Transfer, plan_transfer
from platform.runs.fold_tasks import plan_data
from tests.tiny_faces import prepare_tiny, tiny_configuration

PLAN = Plan(
    folds=2, holdout_share=0.3, selection_rule="paper", baselines=("cnn",), transfer_to="none", seeds=3
)


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_mmi", subjects=6, others="clip ")
    prepare_tiny(root, "synthetic_wild", subjects=8, without=("neutral",))
    return root


def two_rows(configuration: Configuration, plan: Plan, data_root: Path) -> PlannedRows:
    data = plan_data(data_root, "synthetic", configuration, plan)
    rows = (row_of(configuration, data, plan), row_of(configuration, data, plan, variation="again"))
    return PlannedRows(
        rows=rows, data=(data,), effects=(Effect(name="e", with_it=0, without=1),), remarks=("r",)
    )


def test_all_rows_of_a_seed_come_before_those_of_the_next(data_root: Path) -> None:
    made = over_seeds(two_rows, tiny_configuration(seed=3), PLAN, data_root)
    assert [(row.configurations[0].seed, row.variation) for row in made.rows] == [
        (3, ""), (3, "again"), (4, ""), (4, "again"), (5, ""), (5, "again"),
    ]  # fmt: skip
    assert made.effects == tuple(Effect(name="e", with_it=one, without=one + 1) for one in (0, 2, 4))
    assert (len(made.data), made.remarks) == (1, ("r",))
    alone = two_rows(tiny_configuration(seed=3), PLAN, data_root)
    assert made.rows[:2] == alone.rows


def test_a_transfer_and_left_out_sets_have_every_seed_and_share_what_no_seed_changes(data_root: Path) -> None:
    base = tiny_configuration()
    transfer = Transfer(sources=("synthetic",), targets=("synthetic_wild",), part="both")
    made = over_seeds(lambda *given: plan_transfer(transfer, *given), base, PLAN, data_root)
    fmpn = [row for row in made.rows if row.configurations[0].method == "fmpn"]
    tasks = all_tasks(fmpn)
    assert [task.record["seed"] for task in tasks] == [0, 1, 2]
    assert len({task.artifacts["masks"].identity for task in tasks}) == 1
    assert len({task.artifacts["stage1"].identity for task in tasks}) == 3, "a generator for each seed"
    sets = LeftOutSets(names=("synthetic", "synthetic_mmi"))
    out = over_seeds(lambda *given: plan_rows(sets, *given), base, PLAN, data_root)
    assert [(row.configurations[0].method, row.configurations[0].seed) for row in out.rows] == [
        ("fmpn", 0), ("cnn", 0), ("fmpn", 1), ("cnn", 1), ("fmpn", 2), ("cnn", 2),
    ]  # fmt: skip


def test_a_seed_that_is_given_for_a_baseline_moves_along() -> None:
    plan = Plan(methods='{"cnn": {"seed": 7, "dropout": 0.5}, "cnn_no_mask_loss": {"dropout": 0.2}}')
    configuration, moved = with_seed(tiny_configuration(seed=1), plan, 2)
    assert configuration.seed == 3
    assert json.loads(moved.methods) == {
        "cnn": {"seed": 9, "dropout": 0.5}, "cnn_no_mask_loss": {"dropout": 0.2},
    }  # fmt: skip
    assert with_seed(tiny_configuration(seed=1), plan, 0) == (tiny_configuration(seed=1), plan)
    without = Plan(methods='{"cnn": {"dropout": 0.5}}')
    assert with_seed(tiny_configuration(), without, 1)[1] is without
    with pytest.raises(UserError, match="seed must be 0 to"):
        with_seed(tiny_configuration(seed=2**31 - 1), Plan(), 1)


def test_the_score_of_a_choice_belongs_to_the_searchs_seed() -> None:
    chosen = Chosen(configurations=(tiny_configuration(seed=1),) * 2, source=AS_GIVEN, score=0.5)
    assert chosen_with_seed(chosen, 0) is chosen
    other = chosen_with_seed(chosen, 1)
    assert [one.seed for one in other.configurations] == [2, 2]
    assert (other.score, other.source) == (None, AS_GIVEN)
