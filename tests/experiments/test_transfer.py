from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.cli.transfer_flags import transfer_from
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.experiments.rows import PlannedRows
from platform.experiments.transfer import Transfer, plan_transfer
from tests.tiny_faces import prepare_tiny, subject_names, tiny_configuration

PLAN = Plan(folds=2, holdout_share=0.3, selection_rule="paper", baselines=("cnn",), transfer_to="none")


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sets with neutral faces, one of them without fear, and one in the wild without neutral faces."""
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_mmi", subjects=6, without=("fear",))
    prepare_tiny(root, "synthetic_wild", subjects=8, without=("neutral",))
    return root


def planned(data_root: Path, source: str, target: str, **changes: Any) -> PlannedRows:
    transfer = Transfer(sources=tuple(source.split(",")), targets=tuple(target.split(",")), **changes)
    return plan_transfer(transfer, tiny_configuration(), PLAN, data_root)


def cells(plan: PlannedRows) -> list[tuple[Any, ...]]:
    """Method, target, masks, generator and number of folds of each row."""
    described = [row.describe("paper") for row in plan.rows]
    return [
        (row["method"], row["dataset"], row["masks"], row["generator"], row["fold_count"])
        for row in described
    ]


def test_as_the_paper_one_mask_set_of_all_source_subjects_and_no_stage_1(data_root: Path) -> None:
    plan = planned(data_root, "synthetic", "synthetic_wild")
    assert cells(plan) == [
        ("cnn", "synthetic_wild", "none", "none", 1),
        ("fmpn", "synthetic_wild", "synthetic", "none", 1),
    ]
    (task,) = plan.rows[1].tasks
    assert "stage1" not in task.artifacts
    assert task.artifacts["masks"].train_subjects == tuple(subject_names(10))


def test_repeats_draw_the_split_again(data_root: Path) -> None:
    plan = planned(data_root, "synthetic", "synthetic_wild", repeats=3)
    transferred = [row for row in plan.rows if row.sources.get("masks") == "synthetic"]
    assert [row.repeat for row in transferred] == [0, 1, 2]
    assert len({row.tasks[0].evaluation_subjects for row in transferred}) > 1


def test_a_generator_is_pretrained_on_all_of_the_source_and_masks_stay_the_targets(data_root: Path) -> None:
    plan = planned(data_root, "synthetic", "synthetic_mmi", part="generator")
    assert cells(plan)[1] == ("fmpn", "synthetic_mmi", "own", "synthetic", 2)
    first, second = plan.rows[1].tasks
    assert first.artifacts["stage1"] == second.artifacts["stage1"]
    assert first.artifacts["stage1"].data.dataset == "synthetic"
    assert first.artifacts["stage1"].train_subjects == tuple(subject_names(10))
    assert first.artifacts["masks"].data.dataset == "synthetic_mmi"
    assert not set(first.artifacts["masks"].train_subjects) & set(first.evaluation_subjects)


def test_both_transfers_masks_and_generator(data_root: Path) -> None:
    plan = planned(data_root, "synthetic", "synthetic_wild", part="both")
    (task,) = plan.rows[1].tasks
    assert (task.artifacts["stage1"].data.dataset, task.artifacts["masks"].data.dataset) == (
        "synthetic",
        "synthetic",
    )


def test_stage_1_can_be_run_on_the_target_with_the_sources_masks(data_root: Path) -> None:
    plan = planned(data_root, "synthetic", "synthetic_wild", stage1=True)
    (task,) = plan.rows[1].tasks
    assert task.artifacts["stage1"].data.dataset == "synthetic_wild"
    assert task.artifacts["stage1"].rests_on["masks"] == task.artifacts["masks"]
    assert not set(task.artifacts["stage1"].train_subjects) & set(task.evaluation_subjects)


def test_a_matrix_has_every_pair_and_a_set_to_itself_is_its_own_cross_validation(data_root: Path) -> None:
    plan = planned(
        data_root, "synthetic,synthetic_mmi", "synthetic_mmi,synthetic,synthetic_wild", common_classes=True
    )
    masked = [cell[1:4] for cell in cells(plan) if cell[0] == "fmpn"]
    assert masked == [
        ("synthetic_mmi", "synthetic", "none"),
        ("synthetic_mmi", "own", "own"),
        ("synthetic", "own", "own"),
        ("synthetic", "synthetic_mmi", "none"),
        ("synthetic_wild", "synthetic", "none"),
        ("synthetic_wild", "synthetic_mmi", "none"),
    ]
    assert [cell[1] for cell in cells(plan) if cell[0] == "cnn"] == [
        "synthetic_mmi", "synthetic", "synthetic_wild",
    ]  # fmt: skip
    assert plan.remarks == ()


def test_common_classes_leave_out_faces_of_the_others(data_root: Path) -> None:
    with pytest.raises(UserError, match=r"no motion mask for fear.*--classes common"):
        planned(data_root, "synthetic_mmi", "synthetic_wild")
    plan = planned(data_root, "synthetic_mmi", "synthetic_wild", common_classes=True)
    assert {task.data.class_names for row in plan.rows for task in row.tasks} == {("anger", "surprise")}
    assert set(plan.data[-1].images_of_subject.values()) == {4}


def test_transfers_that_differ_have_different_names() -> None:
    changes: list[dict[str, Any]] = [
        {}, {"part": "both"}, {"stage1": True}, {"common_classes": True}, {"repeats": 3},
    ]  # fmt: skip
    names = [Transfer(sources=("a", "b"), targets=("c",), **one).name for one in changes]
    assert names[0] == "a-b-to-c"
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("source", "target", "changes", "parts"),
    [
        ("synthetic", "synthetic", {}, ["from one data set to another", "platform.crossval"]),
        (
            "synthetic,synthetic",
            "synthetic_wild",
            {},
            ["duplicate source synthetic", "list each source once"],
        ),
        ("synthetic_wild", "synthetic", {}, ["no neutral faces", "another --source"]),
        ("synthetic", "synthetic_wild", {"part": "generator"}, ["target's own", "--transfer masks or both"]),
        ("synthetic", "synthetic_wild", {"part": "both", "stage1": True}, ["--stage1", "--transfer masks"]),
        ("synthetic", "synthetic_mmi", {"repeats": 2}, ["not random", "--fold-rule holdout"]),
        ("synthetic", "synthetic_wild", {"repeats": 0}, ["--repeats must be 1 or more", "0"]),
        ("synthetic", "ckplus", {}, ["not prepared", "ckplus"]),
        (
            "fmpn_release",
            "ckplus",
            {},
            ["none of them may be tested", "FMPN's release and CK+ may show the same"],
        ),
        ("synthetic", "afectnet", {}, ["unknown data set 'afectnet'; did you mean 'affectnet'?"]),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(
    data_root: Path, source: str, target: str, changes: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(UserError) as refusal:
        planned(data_root, source, target, **changes)
    for part in parts:
        assert part in str(refusal.value)


def test_a_cell_that_cannot_be_in_a_matrix_is_named(data_root: Path) -> None:
    with pytest.raises(UserError, match="no neutral faces"):
        planned(data_root, "synthetic,synthetic_wild", "synthetic_wild,synthetic")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stage1": "maybe"}, "--stage1 takes yes or no, but got 'maybe'"),
        ({"classes": "some"}, "--classes takes all or common, but got 'some'"),
        ({"repeats": "two"}, "--repeats takes a whole number, but got 'two'"),
        ({"transfer": "mask"}, "unknown kind of transfer 'mask'; did you mean 'masks'?"),
    ],
)
def test_a_flag_with_another_value_is_named(changes: dict[str, str], message: str) -> None:
    import argparse

    flags = {
        "source": "synthetic", "target": "synthetic_wild", "stage1": "no", "classes": "all", "repeats": "1",
        "transfer": "masks", "fold_rule": None, **changes,
    }  # fmt: skip
    with pytest.raises(UserError) as refusal:
        transfer_from(argparse.Namespace(**flags))
    assert message in str(refusal.value)


def test_methods_that_use_nothing_of_a_source_are_refused(data_root: Path) -> None:
    configuration = tiny_configuration(method="cnn")
    with pytest.raises(
        UserError, match="in place of the target's, but cnn uses neither; run python -m platform"
    ):
        plan_transfer(
            Transfer(sources=("synthetic",), targets=("synthetic_wild",)),
            configuration,
            Plan(baselines=()),
            data_root,
        )
