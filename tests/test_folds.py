"""`python -m platform.folds`, and fold lists given to the commands that run fold runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets.folds.rules import FoldPlan, step_folds
from platform import audit, crossval, folds, transfer
from platform.errors import UserError
from tests.tiny_faces import prepare_tiny, subject_names


def written(data_root: Path, out: Path, *flags: str) -> FoldPlan:
    """The plan that the command writes."""
    arguments = ["--dataset", "synthetic", "--data-root", str(data_root), "--out", str(out), *flags]
    assert folds.main(arguments) == 0
    return FoldPlan.from_json(out.read_text())


def test_a_plan_is_written_audited_and_the_same_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = prepare_tiny(tmp_path, subjects=6)
    out = tmp_path / "step.json"
    assert written(tmp_path, out, "--rule", "step", "--folds", "3") == step_folds(subject_names(6), 3)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("fold   training: images")
    assert shown[-2].startswith("disjoint and covering")
    assert shown[-1] == f"folds: {out} (rule step)"
    before = out.read_bytes()
    written(tmp_path, out, "--rule", "step", "--folds", "3")
    assert out.read_bytes() == before
    assert audit.main([str(out), "--data", str(store.folder)]) == 0
    with pytest.raises(UserError, match=r"is not overwritten, but .* differs"):
        written(tmp_path, out, "--folds", "3")
    assert out.read_bytes() == before


def test_a_single_split_depends_on_its_seed(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, subjects=6)
    rule = ("--rule", "holdout", "--holdout-share", "0.5", "--seed")
    plans = [written(tmp_path, tmp_path / f"{seed}.json", *rule, seed) for seed in ("0", "1")]
    assert [len(plan.folds[0].test_subjects) for plan in plans] == [3, 3]
    assert plans[0] != plans[1]


def test_an_embedded_set_need_not_be_drawn(tmp_path: Path) -> None:
    made = written(tmp_path, tmp_path / "paper.json")
    assert (made.rule, len(made.folds)) == ("paper", 10)
    assert not (tmp_path / "prepared").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--folds", "7"], "each fold needs a test subject"),
        (["--out", "plan.txt"], "must|.json file"),
        (["--dataset", "ckplus"], "is not prepared at 320 pixels"),
    ],
)
def test_what_cannot_be_divided_is_refused(tmp_path: Path, flags: list[str], message: str) -> None:
    prepare_tiny(tmp_path, subjects=6)
    with pytest.raises(UserError, match=message):
        written(tmp_path, tmp_path / "plan.json", *flags)
    assert not (tmp_path / "plan.json").exists()


def test_one_of_several_sizes_must_be_chosen(tmp_path: Path) -> None:
    for size in (34, 40):
        prepare_tiny(tmp_path, subjects=6, size=size)
    with pytest.raises(UserError, match=r"prepared at 34, 40 pixels.*--size"):
        written(tmp_path, tmp_path / "plan.json", "--folds", "3")
    assert len(written(tmp_path, tmp_path / "plan.json", "--folds", "3", "--size", "40").folds) == 3


def dry_run(data_root: Path, *flags: str) -> None:
    """Plan a cross-validation of the tiny set."""
    sizes = ["--load-size-pixels", "34", "--image-size-pixels", "32"]
    common = ["--dataset", "synthetic", "--data-root", str(data_root), "--runs", str(data_root / "runs")]
    crossval.main([*common, "--preset", "smoke", *sizes, "--baselines", "", "--dry-run", *flags])


def test_fold_lists_are_given_as_folds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    prepare_tiny(tmp_path, subjects=6)
    written(tmp_path, tmp_path / "step.json", "--rule", "step", "--folds", "3")
    dry_run(tmp_path, "--folds", str(tmp_path / "step.json"))
    assert "3 folds (rule step)" in capsys.readouterr().out
    (tmp_path / "settings.yaml").write_text(json.dumps({"folds": str(tmp_path / "step.json")}))
    dry_run(tmp_path, "--config", str(tmp_path / "settings.yaml"))
    assert "3 folds (rule step)" in capsys.readouterr().out
    dry_run(tmp_path, "--config", str(tmp_path / "settings.yaml"), "--folds", "2")
    assert "2 folds (rule paper)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--folds", "ten"], "takes a number, or a file or folder with fold lists, but got 'ten'"),
        (["--folds", "FILE", "--fold-rule", "step"], "fold lists replace the fold rule"),
    ],
)
def test_wrong_folds_are_refused(tmp_path: Path, flags: list[str], message: str) -> None:
    prepare_tiny(tmp_path, subjects=6)
    plan = tmp_path / "plan.json"
    written(tmp_path, plan, "--folds", "3")
    with pytest.raises(UserError, match=message):
        dry_run(tmp_path, *(str(plan) if flag == "FILE" else flag for flag in flags))


def test_a_command_with_several_data_sets_takes_no_lists(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, subjects=6)
    written(tmp_path, tmp_path / "plan.json", "--folds", "3")
    with pytest.raises(UserError, match="fold lists divide one data set"):
        transfer.main(
            ["--source", "synthetic", "--target", "synthetic_mmi", "--folds", str(tmp_path / "plan.json")]
        )
