from __future__ import annotations

import json
from pathlib import Path

import pytest

from platform.errors import UserError
from platform.experiments.experiment_file import (
    check_experiment,
    read_experiment,
    rows_of_line,
    seed_words,
    write_experiment,
)
from platform.runs.store import ResultsStore
from tests.fake_runs import demo_experiment


def test_an_experiment_is_read_as_it_was_written(tmp_path: Path) -> None:
    store, written = demo_experiment(tmp_path)
    assert read_experiment(store, written["name"]) == written


@pytest.mark.parametrize(
    ("before", "after"),
    [("FMPN", "FNPN"), ('"selection_rule": "inner"', '"selection_rule": "test"'), ("0.57", "0.67")],
)
def test_a_changed_title_rule_or_score_is_refused(before: str, after: str, tmp_path: Path) -> None:
    store, content = demo_experiment(tmp_path)
    write_experiment(store, content)
    assert read_experiment(store, content["name"]) == content
    path = store.experiment_folder(content["name"]) / "experiment.json"
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(UserError, match=r"experiment.json was changed after it was written .* remove it and"):
        read_experiment(store, content["name"])


def test_a_row_is_named_with_its_seed_where_there_are_several() -> None:
    rows = [{"seed": 0, "method": "fmpn"}, {"seed": 1, "method": "fmpn"}, {"seed": 1, "method": "cnn"}]
    assert [seed_words(row, {"rows": rows}) for row in rows] == [", seed 0", ", seed 1", ", seed 1"]
    assert seed_words(rows[1], {"rows": rows[1:]}) == ""
    assert seed_words({"method": "fmpn"}, {"rows": [{"method": "fmpn"}]}) == "", "of an early version"
    assert rows_of_line(rows[0], rows) == rows[:2]
    assert rows_of_line(rows[2], rows) == rows[2:]
    other = [
        {**rows[0], "variation": "without stage 1"},
        {**rows[0], "repeat": 1},
        {**rows[0], "generator": "x"},
    ]
    assert rows_of_line(rows[0], [*rows, *other]) == rows[:2]


def test_an_unknown_experiment_lists_the_known_ones(tmp_path: Path) -> None:
    store, _ = demo_experiment(tmp_path)
    with pytest.raises(UserError, match=r"unknown experiment 'tune-synth'.*Known: tune-synthetic-quick"):
        read_experiment(store, "tune-synth")


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "experiments" / "broken"
    folder.mkdir(parents=True)
    (folder / "experiment.json").write_text("{")
    with pytest.raises(UserError, match=r"broken/experiment\.json, line 1: not valid JSON"):
        read_experiment(ResultsStore(tmp_path), "broken")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "format must be 'experiment', but it is 'other'"),
        ({"command": None}, "command is missing"),
        ({"rows": []}, "one row or more"),
        ({"rows": 3}, "rows must be a list"),
        ({"rows": ["FMPN"]}, "rows must be a list"),
        ({"rows": [{"title": "FMPN"}]}, "row 'FMPN'.*method, dataset.* is missing"),
    ],
)
def test_what_aggregating_needs_is_checked(tmp_path: Path, change: dict[str, object], message: str) -> None:
    _, experiment = demo_experiment(tmp_path)
    changed = {key: value for key, value in {**experiment, **change}.items() if value is not None}
    with pytest.raises(UserError, match=message):
        check_experiment(changed, "experiment.json")


def test_json_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="format"):
        check_experiment(json.loads("[]"), "experiment.json")


@pytest.mark.parametrize(
    "runs", [None, 3, "abc", [3], [{}], [{"fold": "0", "identity": "a"}], [{"fold": 0, "identity": 3}]]
)
def test_runs_that_are_none_are_refused(tmp_path: Path, runs: object) -> None:
    _, experiment = demo_experiment(tmp_path)
    rows = [{**experiment["rows"][0], "runs": runs}]
    with pytest.raises(UserError, match="runs must be folds with their identities"):
        check_experiment({**experiment, "rows": rows}, "experiment.json")
