"""`--folds-only`: chosen folds run, and the row says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.config.configuration import Plan, to_dict
from platform.errors import UserError
from platform.experiments.description import write_settings
from platform.experiments.experiment import Experiment, final_rows, plan_experiment
from platform.runs.store import ResultsStore
from platform.tables.formatting import folds_text, reported_difference, row_label, title_text
from platform.tables.render import render
from platform.tables.table import build_table
from tests.fake_runs import fake_predictions, write_experiment, write_fold_run, write_row
from tests.tiny_faces import prepare_tiny, tiny_configuration


def experiment(data_root: Path, runs: Path, **changes: Any) -> Experiment:
    return plan_experiment(
        name="trial",
        command="",
        preset="smoke",
        dataset="synthetic",
        configuration=tiny_configuration(),
        plan=Plan(folds=5, selection_rule="paper", transfer_to="none", **changes),
        data_root=data_root,
        runs_root=runs,
        search=False,
        address=None,
    )


def test_the_chosen_folds_are_the_runs_of_all_folds_and_the_row_says_which(tmp_path: Path) -> None:
    prepare_tiny(tmp_path, "synthetic", subjects=10)
    every, some = (experiment(tmp_path, tmp_path / "runs", folds_only=only) for only in ((), (4, 1)))
    made = (final_rows(one, one.configuration) for one in (every, some))
    for whole, row in zip(*made, strict=True):
        assert [task.identity for task in row.tasks] == [whole.tasks[1].identity, whole.tasks[4].identity]
        described = row.describe("paper")
        assert (described["chosen_folds"], described["chosen_of"], described["fold_count"]) == ([1, 4], 5, 2)
        assert "chosen_folds" not in whole.describe("paper")


def test_records_of_all_folds_are_what_they_were_and_another_choice_is_another_experiment(
    tmp_path: Path,
) -> None:
    assert "folds_only" not in to_dict(Plan())
    assert to_dict(Plan(folds_only=(6, 2)))["folds_only"] == [2, 6]
    prepare_tiny(tmp_path, "synthetic", subjects=10)
    write_settings(experiment(tmp_path, tmp_path / "runs", folds_only=(1,)))
    experiment(tmp_path, tmp_path / "runs", folds_only=(1,))
    with pytest.raises(UserError, match=r"folds_only was \[1\] and is now None"):
        experiment(tmp_path, tmp_path / "runs")


@pytest.mark.parametrize(
    "changes", [{"folds_only": (10,)}, {"folds_only": (1, 1)}, {"folds_only": (0,), "fold_rule": "holdout"}]
)
def test_folds_that_are_not_there_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="change --folds-only"):
        Plan(**changes)


def test_the_table_names_them_and_sets_them_beside_no_mean_of_ten(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    runs = [
        {"fold": fold, "identity": write_fold_run(store, fake_predictions(0.8, fold, dataset="ckplus"))}
        for fold in (2, 6)
    ]
    row = {
        **write_row(store, dataset="ckplus", folds=1),
        "runs": runs, "fold_count": 2, "chosen_folds": [2, 6], "chosen_of": 10,
    }  # fmt: skip
    aggregated = aggregate_experiment(store, write_experiment(store, [row]))
    made = aggregated[0].row
    assert (made.complete, folds_text(made)) == (True, "2, 6 of 10")
    assert title_text(made) == "FMPN (folds 2, 6 only)"
    assert "folds 2, 6 only" in row_label(made)
    for form in ("screen", "markdown", "csv", "json", "latex"):
        shown = render(build_table(aggregated), form, ["folds"] if form != "json" else [])
        assert "2, 6" in shown or "2 6" in shown or form == "csv", form
    assert reported_difference(made) is None


@pytest.mark.parametrize(
    ("row", "reported"),
    [({}, "98.06"), ({"stands_for": "mmi"}, "82.74"), ({"classes": ["anger", "fear"]}, "82.74")],
)
def test_a_release_shows_the_reported_rows_of_the_set_it_is(
    tmp_path: Path, row: dict[str, Any], reported: str
) -> None:
    store = ResultsStore(tmp_path)
    made = {**write_row(store, dataset="fmpn_release", folds=2), **row}
    (section,) = build_table(aggregate_experiment(store, write_experiment(store, [made]))).sections
    assert section.title in ("fmpn_release (ckplus)", "fmpn_release (mmi)")
    assert f"{next(r for r in section.reported if r.our_method == 'fmpn').accuracy_percent:.2f}" == reported


def test_a_narrow_net_and_a_changed_preset_are_called_that_in_every_table(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, folds=1)
    identity = write_fold_run(store, fake_predictions(0.8, 0), config={"backbone_width": 0.25})
    row["runs"] = [{"fold": 0, "identity": identity}]
    config = {"backbone_width": 0.25, "stage2_batch_size": 16, "lambda_mask": 0.1}
    content = write_experiment(store, [row], preset="released", config=config)
    table = build_table(aggregate_experiment(store, content))
    for form in ("screen", "markdown", "latex"):
        shown = " ".join(render(table, form, []).split())
        assert "width 0.25" in shown, form
        assert form == "latex" or "preset released, changed: backbone\\_width 0.25" in shown.replace(
            "backbone_width", "backbone\\_width"
        )
    assert '"backbone_width": 0.25' in render(table, "json", [])
