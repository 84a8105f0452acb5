"""Substitutes for the artifacts of any method: planned, shown in the row, refused with the reason."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from platform.config.configuration import Plan, to_dict
from platform.errors import UserError
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.experiments.rows import Row
from platform.experiments.substitutes import asked_substitutes, source_sets
from platform.models import plugins
from platform.runs.execute import execute
from platform.runs.tasks import FoldTask, trained_artifacts
from tests.every_method import OWN_FILES, registered, smallest
from tests.tiny_faces import prepare_tiny, subject_names


@pytest.fixture(scope="module", autouse=True)
def known() -> Iterator[None]:
    with registered():
        yield


@pytest.fixture(scope="module")
def data_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    prepare_tiny(root, "synthetic", subjects=10)
    prepare_tiny(root, "synthetic_wild", subjects=6, others="wild ")
    prepare_tiny(root, "synthetic_mmi", subjects=6, without=("fear",), others="clip ")
    return root


def planned(data_root: Path, runs: Path, name: str, *substitutes: str, **fields: Any) -> Experiment:
    plan = Plan(**{"folds": 2, "transfer_to": "none", "baselines": (), "substitutes": substitutes, **fields})
    return plan_experiment(
        name="substituted", command="", preset="smoke", dataset="synthetic", configuration=smallest(name),
        plan=plan, data_root=data_root, runs_root=runs, search=False, address=None,
    )  # fmt: skip


def row_and_task(experiment: Experiment) -> tuple[Row, FoldTask]:
    row = final_rows(experiment, experiment.configuration)[0]
    return row, row.tasks[0]


def test_a_plug_ins_stage_is_taken_from_another_data_set(data_root: Path, tmp_path: Path) -> None:
    row, task = row_and_task(planned(data_root, tmp_path, "three_stages", "second=synthetic_wild"))
    second = task.artifacts["second"]
    assert second.data.dataset == "synthetic_wild"
    assert set(second.train_subjects) == set(subject_names(6))
    assert second.rests_on["first"].data.dataset == "synthetic_wild"
    assert task.artifacts["first"].data.dataset == "synthetic"
    assert len({one.artifacts["second"].identity for one in row.tasks}) == 1
    assert row.variation.startswith("second stage of ")
    assert "second stage of" in row.describe("paper")["title"]
    plain, own = row_and_task(planned(data_root, tmp_path, "three_stages"))
    assert own.identity != task.identity
    assert plain.variation == ""


@pytest.mark.usefixtures("process_settings_as_before")
def test_a_run_with_a_substitute_starts_from_it(data_root: Path, tmp_path: Path) -> None:
    _, task = row_and_task(planned(data_root, tmp_path, "three_stages", "second=synthetic_wild"))
    for one in (*trained_artifacts([task]).values(), task):
        manifest = execute(one, str(tmp_path))
        assert manifest["status"] == "complete", manifest.get("traceback")


def test_what_has_a_column_of_its_own_is_named_there(data_root: Path, tmp_path: Path) -> None:
    row, task = row_and_task(planned(data_root, tmp_path, "fmpn", "stage1=none", "masks=uniform"))
    shown = row.describe("paper")
    assert (shown["masks"], shown["generator"], shown["variation"]) == ("uniform", "none", "")
    assert task.artifacts["masks"].artifact.title == "mask control"
    # The same runs as by the setting that masks have of their own.
    _, same = row_and_task(planned(data_root, tmp_path, "fmpn", "stage1=none", masks="uniform"))
    assert same.identity == task.identity


def test_baselines_without_the_artifact_keep_what_they_have(data_root: Path, tmp_path: Path) -> None:
    experiment = planned(
        data_root, tmp_path, "three_stages", "second=synthetic_wild", baselines=("cnn", "pixel_svm"),
        preset="smoke",
    )  # fmt: skip
    rows = final_rows(experiment, experiment.configuration)
    assert [bool(row.variation) for row in rows] == [True, False, False]


@pytest.mark.parametrize(
    ("name", "substitutes", "fields", "message"),
    [
        ("three_stages", ("second",), {}, "is written ARTIFACT=none, ARTIFACT=DATASET or .*got 'second'"),
        ("three_stages", ("second=",), {}, "is written ARTIFACT=none"),
        ("three_stages", ("second=none", "second=none"), {}, "second can have one substitute only"),
        ("three_stages", ("secnd=none",), {}, "unknown artifact 'secnd'; did you mean 'second'"),
        ("pixel_svm", ("second=none",), {}, "no method of this command has artifacts"),
        ("three_stages", ("second=none",), {}, "three_stages cannot do without its second stage"),
        ("three_stages", ("second=permuted",), {}, "second stage has no controls"),
        ("three_stages", ("second=synthetic",), {}, "another data set's, .* names synthetic, which the rows"),
        ("three_stages", ("second=ckplus",), {}, "not prepared"),
        ("three_stages", ("second=synthetic_mmi",), {}, "has no second stage for fear"),
        ("fmpn", ("masks=none",), {}, "fmpn cannot do without its motion mask"),
        ("fmpn", ("masks=uniform",), {"masks": "uniform"}, "both replace the artifact masks"),
    ],
)
def test_a_substitute_that_cannot_be_is_refused(
    data_root: Path, tmp_path: Path, name: str, substitutes: tuple[str, ...], fields: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        planned(data_root, tmp_path, name, *substitutes, **fields)
    assert not list(tmp_path.iterdir())


def test_a_stage_that_tells_more_classes_apart_is_refused(data_root: Path, tmp_path: Path) -> None:
    plan = Plan(
        dataset="synthetic_mmi", folds=2, transfer_to="none", baselines=(), substitutes=("second=synthetic",)
    )
    with pytest.raises(
        UserError, match=r"was trained to tell anger, fear, surprise apart, but .* has anger, su"
    ):
        plan_experiment(
            name="substituted", command="", preset="smoke", dataset="synthetic_mmi",
            configuration=smallest("three_stages"), plan=plan, data_root=data_root, runs_root=tmp_path,
            search=False, address=None,
        )  # fmt: skip


def test_stored_settings_of_before_have_no_such_key() -> None:
    assert "substitutes" not in to_dict(Plan())
    plan = Plan(substitutes=("stage1=none", "first=synthetic_wild"))
    assert to_dict(plan)["substitutes"] == ["stage1=none", "first=synthetic_wild"]
    assert asked_substitutes(plan) == {"stage1": "none", "first": "synthetic_wild"}
    assert source_sets(plan) == ("synthetic_wild",)


def test_only_crossval_without_a_transfer_has_it(
    data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(plugins, "_KNOWN", {})
    monkeypatch.setattr(plugins, "_MODULES", {})
    (tmp_path / "settings.yaml").write_text("substitutes: [stage1=none]\n")
    place = (
        "--data-root",
        str(data_root),
        "--runs",
        str(tmp_path / "runs"),
        "--preset",
        "smoke",
        "--dry-run",
    )
    asked = ("--config", str(tmp_path / "settings.yaml"))

    def run(command: str, *arguments: str) -> str:
        main: Any = importlib.import_module(f"platform.{command}").main
        assert main([*arguments, *place]) in (None, 0)
        return capsys.readouterr().out

    for command, arguments in (
        ("tune", asked), ("crossval", (*asked, "--transfer-to", "synthetic_wild")),
        ("transfer", (*asked, "--source", "synthetic", "--target", "synthetic_wild")), ("reproduce", asked),
    ):  # fmt: skip
        with pytest.raises(UserError, match=r"substitutes replace artifacts in python -m platform\.crossval"):
            run(command, *arguments)
    method = ("--method", str(OWN_FILES["three_stages"]), "--baselines", "", "--folds", "2")
    shown = run("crossval", *method, "--substitutes", "second=synthetic_wild")
    assert (
        "substitutes: [second=synthetic_wild]" in shown.replace("\n- ", " [").replace("'", "")
        or "second=" in shown
    )
    assert "nothing was run" in shown
