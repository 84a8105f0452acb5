from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.cli.final_screen import SCREEN_COLUMNS, SCREEN_LINES, final_lines
from platform.cli.output import print_presentation
from platform.reports.conclusions import conclusions
from platform.reports.next_commands import TABLE_PURPOSE
from platform.reports.publish import Presentation
from platform.search.savings import Economy, Saving
from platform.tables.screen import render_screen
from platform.tables.table import build_table
from tests.fake_runs import demo_experiment, write_experiment, write_row

WHERE = {"report": "runs/report.html", "next_command": "python -m platform.table"}

BESIDE = " (tables, figures and ray.log beside it)"


def screen_rows(text: str) -> int:
    """Rows that `text` takes on a terminal of SCREEN_COLUMNS."""
    return sum(max(1, -(-len(line) // SCREEN_COLUMNS)) for line in text.splitlines())


def shown(tmp_path: Path, capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    store, experiment = demo_experiment(tmp_path)
    rows = experiment["rows"] + [
        write_row(store, "cnn", f"Net {number}", 0.5, dataset="synthetic_wild", folds=1, seed=number)
        for number in range(changes.pop("further_rows", 2))
    ]
    saving = Saving(fold_runs=6, stage1_runs=6, images=100, hours=0.2)
    economy = Economy(
        naive=saving, pruned=saving, failed=saving, shared_fold_runs=saving, shared_stage1=saving, run=saving,
        hours_estimated=True,
    ).to_dict()  # fmt: skip
    content = write_experiment(store, rows, study=experiment["study"], economy=economy, **changes)
    aggregated = aggregate_experiment(store, content)
    folder = store.experiment_folder(content["name"])
    presentation = Presentation(
        text=render_screen(build_table(aggregated), brief=True),
        conclusions=conclusions(aggregated),
        table_files={},
        figures={},
        report=folder / "report.html",
        tensorboard=folder / "tensorboard",
        next_commands={TABLE_PURPOSE: f"python -m platform.table --runs {tmp_path}"},
    )  # what `present` gives, without the figures, which take seconds
    print_presentation(content, presentation)
    return capsys.readouterr().out


def test_a_search_with_baselines_and_a_transfer_ends_in_one_screen_without_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The demo's rows: two data sets, three rows each."""
    out = shown(tmp_path, capsys)
    assert screen_rows(out) <= SCREEN_LINES
    assert "Accuracy on synthetic_wild" in out
    assert not [line for line in out.splitlines() if line.startswith("- ")], "no notes"
    assert "more lines" not in out, "nothing of the table is cut"
    assert "FMPN has the highest score on synthetic" in out.replace("\n", " ")
    report, following = out.splitlines()[-2:]
    assert report.startswith("Report:  ")
    assert report.endswith(f"report.html{BESIDE}")
    assert following.startswith("Next:    ")
    assert "-m platform.table --runs" in following


def test_many_rows_are_cut_and_the_last_lines_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shown(tmp_path, capsys, further_rows=20)
    assert screen_rows(out) <= SCREEN_LINES + 1
    assert "more lines: see the report" in out
    assert "Next:    " in out.splitlines()[-1]


def test_a_screen_of_any_content_keeps_conclusions_and_next_command() -> None:
    lines = final_lines(
        "\n".join(f"row {number} " + 120 * "x" for number in range(60)),
        ["One.", "Two. " + 30 * "word ", "Three."],
        details=["a front"],
        failures=[f"trial {number}" for number in range(9)],
        **WHERE,
    )
    assert screen_rows("\n".join(lines)) <= SCREEN_LINES
    assert lines[-1] == "Next:    python -m platform.table"
    assert "One." in lines
    assert "trial 2" in lines
    assert "trial 3" not in lines
    assert "  ... 6 more lines in the report" in lines


def test_a_short_screen_is_shown_whole() -> None:
    assert final_lines("a\nb\n\n", ["One."], details=["c"], **WHERE) == [
        "a", "b", "", "c", "", "One.", "",
        f"Report:  runs/report.html{BESIDE}", "Next:    python -m platform.table",
    ]  # fmt: skip


def test_the_winner_is_named_between_report_and_next_command() -> None:
    lines = final_lines("a", ["One."], winner="runs/winner.yaml", **WHERE)
    assert lines[-2] == "Winner:  runs/winner.yaml"
