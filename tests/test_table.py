from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.runs.store import ResultsStore
from platform.table import main
from tests.fake_runs import demo_experiment, write_experiment, write_row


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    store, _ = demo_experiment(root)
    write_experiment(store, [write_row(store, accuracy=0.9, folds=2)], name="second")
    return root


def test_all_experiments_are_shown_by_default(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not main(["--runs", str(runs)])
    text = capsys.readouterr().out
    assert "Ours: second (preset quick)" in text
    assert "Ours: tune-synthetic-quick (preset quick)" in text
    assert "Accuracy on synthetic_wild" in text


def test_one_experiment_can_be_asked_for(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--runs", str(runs), "--experiment", "second"])
    assert "tune-synthetic-quick" not in capsys.readouterr().out


def test_the_row_that_others_are_compared_with_can_be_named(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--runs", str(runs), "--reference", "fmpn"])
    assert "Reference: FMPN (resnet18)" in capsys.readouterr().out
    with pytest.raises(UserError, match="unknown reference 'fmnp'; did you mean 'fmpn'"):
        main(["--runs", str(runs), "--reference", "fmnp"])


def test_out_writes_the_file_and_says_so(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "table.json"
    main(["--runs", str(runs), "--format", "json", "--out", str(out)])
    assert json.loads(out.read_text())["format"] == "comparison-table"
    assert capsys.readouterr().out == f"wrote {out}\n"


def test_partial_shows_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, folds=2)
    row["runs"].pop()
    write_experiment(store, [row])
    with pytest.raises(UserError, match="fold 1 is missing"):
        main(["--runs", str(tmp_path)])
    main(["--runs", str(tmp_path), "--partial"])
    out = capsys.readouterr().out
    assert "FMPN (INCOMPLETE)" in out
    assert "1 of 2/1/1" in out


def test_parts_are_shown_below_the_rows(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--runs", str(runs), "--experiment", "second", "--parts", "folds", "classes", "confusions"])
    out = capsys.readouterr().out
    assert "Accuracy % of each fold on synthetic" in out
    assert "Each class: FMPN (resnet18) of second" in out
    assert "Confusion matrix, sequences by majority: FMPN (resnet18)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "latx"], "unknown format 'latx'; did you mean 'latex'"),
        (["--parts", "class"], "unknown part 'class'; did you mean 'classes'"),
        (["--format", "csv", "--parts", "folds", "classes"], "a CSV file holds one table"),
    ],
)
def test_a_form_that_is_not_known_is_refused_before_anything_is_read(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        main(["--runs", str(tmp_path / "nothing"), *arguments])


@pytest.mark.parametrize(
    ("make", "arguments", "message"),
    [
        (False, [], "runs does not exist; run `python -m platform.tune"),
        (True, [], "runs has no experiments; run `python -m platform.tune"),
    ],
)
def test_a_runs_folder_without_experiments_says_what_makes_them(
    tmp_path: Path, make: bool, arguments: list[str], message: str
) -> None:
    folder = tmp_path / "runs"
    if make:
        folder.mkdir()
    with pytest.raises(UserError, match=message):
        main(["--runs", str(folder), *arguments])
    assert folder.exists() == make


def test_an_unknown_experiment_ends_with_status_2_and_the_known_ones(root: Path, runs: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "platform.table", "--runs", str(runs), "--experiment", "secnd"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "unknown experiment 'secnd'; did you mean 'second'?" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_help_teaches_without_loading_anything_heavy(root: Path) -> None:
    code = (
        "import sys; from platform.table import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'torch', 'matplotlib', 'pyarrow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert "examples:" in done.stdout
    assert "--partial" in done.stdout


def test_predictions_are_written_beside_the_table(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "p.csv"
    main(["--runs", str(runs), "--experiment", "second", "--predictions", str(out)])
    shown = capsys.readouterr().out
    assert "Accuracy on synthetic" in shown
    assert shown.endswith(f"wrote {out} (126 lines)\n")
    assert len(out.read_text().splitlines()) == 127


def test_predictions_of_another_format_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--predictions is p\.json; pass a name with one of these endings"):
        main(["--runs", str(tmp_path / "nothing"), "--predictions", "p.json"])


def test_groups_of_a_set_that_has_none_are_said_to_be_none(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--runs", str(runs), "--experiment", "second", "--parts", "groups"])
    assert "no groups of subjects: only bu3dfe names them" in capsys.readouterr().err
