from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from datasets.folds.rules import LEFT_OUT_SETS
from platform.cli.transfer_flags import left_out_sets_from
from platform.config.configuration import Plan
from platform.errors import UserError
from platform.evaluation.predictions import from_bytes
from platform.experiments.leave_one_out import LeftOutSets, plan_rows
from platform.runs.execute import execute
from platform.runs.store import ResultsStore
from platform.transfer import main
from tests.tiny_faces import CLASSES, prepare_tiny, tiny_configuration

pytestmark = pytest.mark.usefixtures("process_settings_as_before")

PLAN = Plan(folds=2, selection_rule="paper", baselines=("cnn",), transfer_to="none")


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=4)
    prepare_tiny(root, "synthetic_mmi", subjects=3, others="b")
    prepare_tiny(root, "oulu_casia", subjects=3, without=("fear",), others="c")
    prepare_tiny(root, "synthetic_wild", subjects=3, without=("neutral",), others="d")
    return root


def rows_of(data_root: Path, *names: str, plan: Plan = PLAN, **changes: Any) -> Any:
    made = plan_rows(LeftOutSets(names=names, **changes), tiny_configuration(), plan, data_root)
    return made.rows, made.data[0]


def test_a_fold_tests_all_of_a_set_and_trains_and_masks_on_the_others_alone(data_root: Path) -> None:
    rows, data = rows_of(data_root, "synthetic_mmi", "synthetic")
    assert [row.describe("paper")["method"] for row in rows] == ["fmpn", "cnn"]
    assert data.folds.rule == LEFT_OUT_SETS
    for row in rows:
        for task, tested in zip(row.tasks, ("synthetic", "synthetic_mmi"), strict=True):
            assert {subject.split(":")[0] for subject in task.evaluation_subjects} == {tested}
            assert not {one for one in task.train_subjects if one.startswith(f"{tested}:")}
            if "masks" in task.artifacts:
                assert task.artifacts["masks"].train_subjects == task.train_subjects
            if "stage1" in task.artifacts:
                assert task.artifacts["stage1"].train_subjects == task.train_subjects
    assert "stage1" in rows[0].tasks[0].artifacts


def test_a_fold_run_scores_every_image_of_the_set_left_out(data_root: Path, tmp_path: Path) -> None:
    rows, data = rows_of(data_root, "synthetic", "synthetic_mmi")
    task = rows[0].tasks[1]
    for one in (task.artifacts["stage1"], task):
        manifest = execute(one, str(tmp_path))
        assert manifest["status"] == "complete", manifest.get("traceback")
    predictions = from_bytes(
        ResultsStore(tmp_path).read("fold_runs", task.identity, "predictions.parquet"), "predictions"
    )
    assert {image.split(":")[0] for image in predictions.image.tolist()} == {"synthetic_mmi"}
    assert len(predictions) == data.image_count(task.evaluation_subjects) == 3 * 2 * len(CLASSES)


def test_sets_of_other_classes_need_common_ones(data_root: Path) -> None:
    with pytest.raises(UserError, match=r"Oulu-CASIA lacks fear; pass --classes common"):
        rows_of(data_root, "synthetic", "oulu_casia")
    rows, data = rows_of(data_root, "synthetic", "oulu_casia", common_classes=True)
    assert data.data.class_names == ("anger", "surprise")
    assert len(rows[0].tasks) == 2


def test_masks_need_neutral_faces_in_every_set(data_root: Path) -> None:
    with pytest.raises(UserError, match="fmpn makes motion masks from every training set's neutral faces"):
        rows_of(data_root, "synthetic", "synthetic_wild")
    assert not list((data_root / "prepared").glob("synthetic+synthetic_wild*"))
    plan = Plan(folds=2, selection_rule="paper", baselines=(), transfer_to="none")
    made = plan_rows(
        LeftOutSets(names=("synthetic", "synthetic_wild")),
        tiny_configuration(method="cnn"), plan, data_root,
    )  # fmt: skip
    assert [len(row.tasks) for row in made.rows] == [2]


def parsed(*argv: str) -> Any:
    import argparse

    flags = (
        "source", "target", "transfer", "stage1", "repeats", "fold_rule", "folds", "holdout_share",
        "study_seed",
    )  # fmt: skip
    given = dict(zip(argv[::2], argv[1::2], strict=True))
    values = {name: given.get("--" + name.replace("_", "-")) for name in flags}
    return argparse.Namespace(
        leave_one_out=given.get("--leave-one-out"), classes=given.get("--classes", "all"), **values
    )


def test_names_tell_experiments_apart() -> None:
    one = left_out_sets_from(parsed("--leave-one-out", "mmi, ckplus"), Plan())
    same = left_out_sets_from(parsed("--leave-one-out", "ckplus,mmi"), Plan())
    common = left_out_sets_from(parsed("--leave-one-out", "ckplus,mmi", "--classes", "common"), Plan())
    assert one.name == same.name == "leave-one-out-ckplus-mmi"
    assert common.name == "leave-one-out-ckplus-mmi-common"


@pytest.mark.parametrize(
    ("argv", "parts"),
    [
        (["--source", "synthetic"], ["transfers nothing", "--source", "remove it"]),
        (["--stage1", "no"], ["--stage1"]),
        (["--repeats", "3", "--transfer", "both"], ["--transfer, --repeats"]),
        (["--fold-rule", "holdout"], ["whole data sets", "--fold-rule"]),
        (["--study-seed", "5"], ["whole data sets", "--study-seed"]),
        (["--config", "FILE"], ["whole data sets", "folds.yaml sets fold_rule paper, folds 3"]),
        (["--classes", "some"], ["all or common", "'some'"]),
    ],
)
def test_flags_that_mean_nothing_here_are_refused(argv: list[str], parts: list[str], tmp_path: Path) -> None:
    file = tmp_path / "folds.yaml"
    file.write_text("folds: 3\n")
    argv = [str(file) if word == "FILE" else word for word in argv]
    common = ["--data-root", str(tmp_path / "data"), "--runs", str(tmp_path / "runs"), "--preset", "smoke"]
    with pytest.raises(UserError) as raised:
        main(["--leave-one-out", "synthetic,synthetic_mmi", *argv, *common])
    for part in parts:
        assert part in str(raised.value)
    assert list(tmp_path.iterdir()) == [file]


def test_a_person_without_a_wanted_class_needs_no_neutral_face(tmp_path: Path) -> None:
    from datasets.prepared.store import store_folder
    from datasets.records import FrameRecord
    from tests.tiny_faces import SIZE, face, records
    from tests.written_stores import write_store

    prepare_tiny(tmp_path, "oulu_casia", subjects=3, without=("fear",), others="c")
    alone = [one for one in records(4) if one.subject_id == "S04" and one.expression == "fear"]
    kept: list[FrameRecord] = [*records(3), *alone]
    write_store(
        store_folder(tmp_path, "synthetic", SIZE), "synthetic", SIZE, kept,
        lambda record: face(record.subject_id, record.expression, record.frame), aligned=True,
    )  # fmt: skip
    rows, _ = rows_of(tmp_path, "synthetic", "oulu_casia", common_classes=True)
    assert [len(row.tasks) for row in rows] == [2, 2]
