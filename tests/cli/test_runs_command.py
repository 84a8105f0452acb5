from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from platform.cli.runs_command import main
from platform.errors import UserError
from platform.host.launcher import pasteable
from platform.monitoring.progress import Progress
from platform.monitoring.progress_file import keep_progress
from tests.inventory.known_runs import two_experiments, write_lease


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    two_experiments(tmp_path)
    return tmp_path


def lines_of(capsys: pytest.CaptureFixture[str], *argv: str) -> list[str]:
    assert main(list(argv)) == 0
    return capsys.readouterr().out.splitlines()


def test_ls_has_a_line_an_experiment(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    header, first, second, *_ = lines_of(capsys, "ls", "--runs", str(runs))
    assert header.split("  ")[0] == "experiment"
    assert first.split()[:4] == ["first", "finished", "fmpn", "synthetic"]
    assert second.startswith("second")


def test_ls_of_a_folder_without_experiments_says_what_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments").mkdir()
    assert "no experiment" in lines_of(capsys, "ls", "--runs", str(tmp_path))[0]


def test_show_has_settings_rows_scores_and_places(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(lines_of(capsys, "show", "first", "--runs", str(runs)))
    assert f"command         {pasteable('python -m platform.tune')}" in text
    assert "side    1" in text
    assert text.count(str(runs / "fold_runs")) == 3
    assert "Mean of" in text


def test_show_of_a_search_that_has_not_chosen(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (runs / "experiments/searching").mkdir()
    (runs / "experiments/searching/config.yaml").write_text("trials: 7\n")
    text = "\n".join(lines_of(capsys, "show", "searching", "--runs", str(runs)))
    assert "trials  7" in text
    assert "not known before the search has chosen" in text


def test_status_of_a_running_experiment(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = runs / "experiments/first"
    write_lease(folder)
    progress = Progress(slots=1)
    progress.phase = "search"
    progress.expect("final", 10, 50.0)
    keep_progress(folder, progress, "running", 120.0)
    text = "\n".join(lines_of(capsys, "status", "first", "--runs", str(runs)))
    assert "first: running, led by process 1 on here" in text
    assert "search: 0 of up to 10 runs done" in text
    assert "elapsed: 2 min 0 s, about" in text
    assert "estimated end: 20" in text


def test_du_ends_with_what_is_shared(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *_, shared, unreferenced = lines_of(capsys, "du", "--runs", str(runs))
    assert shared.startswith("shared between experiments: ")
    assert unreferenced == "results of no experiment: 0 B"


def test_an_unknown_experiment_ends_with_one_sentence_and_status_2(root: Path, runs: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "platform.runs", "show", "frist", "--runs", str(runs)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "did you mean 'first'?" in done.stderr


@pytest.mark.parametrize("argv", [["status", "x"], ["ls"], ["du"]])
def test_a_runs_folder_that_is_none_is_refused(tmp_path: Path, argv: list[str]) -> None:
    with pytest.raises(UserError, match="a runs folder"):
        main([*argv, "--runs", str(tmp_path)])


def test_rm_and_gc_are_dry_until_told(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from platform.host import ray_sessions

    monkeypatch.setattr(ray_sessions, "SHORT_FOLDERS", runs)
    before = sorted(runs.rglob("*"))
    *_, last = lines_of(capsys, "rm", "first", "--runs", str(runs))
    assert last == "Nothing was removed: --delete does it."
    assert sorted(runs.rglob("*")) == before
    text = "\n".join(lines_of(capsys, "rm", "first", "--runs", str(runs), "--keep-results", "--delete"))
    assert text.startswith("first: removed")
    assert "kept: 9 results (asked for)" in text
    text = "\n".join(lines_of(capsys, "gc", "--runs", str(runs)))
    assert "results of no experiment: 2, " in text
    assert "would remove: 2, " in text
    lines_of(capsys, "gc", "--runs", str(runs), "--delete")
    assert lines_of(capsys, "gc", "--runs", str(runs)) == ["Nothing to remove."]


@pytest.mark.parametrize("days", ["-1", "nan", "x"])
def test_days_are_a_number(runs: Path, days: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["gc", "--runs", str(runs), f"--checkpoint-days={days}"])
    assert "--checkpoint-days" in capsys.readouterr().err


def test_compare_shows_settings_and_the_difference(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = lines_of(capsys, "compare", "first", "second", "--runs", str(runs))
    assert lines[0] == "The settings are equal."
    header, row = lines[2:4]
    assert header.split()[:5] == ["row", "data", "set", "first", "second"]
    assert row.startswith("FMPN (resnet18)  synthetic")
    assert " to " in row


def test_a_bundle_is_written_and_verified(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs / "first.zip"
    lines = lines_of(capsys, "bundle", "first", "--out", str(out), "--runs", str(runs))
    digest = next(line for line in lines if line.startswith("SHA-256")).split()[4]
    assert lines[-1] == f"Anybody can check it: python -m platform.runs verify {out}"
    text = "\n".join(lines_of(capsys, "verify", str(out)))
    assert "Mean of" in text
    assert "verified: every hash of first is right" in text
    assert digest in text


def test_an_unknown_flag_of_an_action_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["gc", "--delet"])
    assert "did you mean --delete? Known flags: --checkpoint-days, --delete," in capsys.readouterr().err
