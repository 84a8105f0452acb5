from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import aggregate_experiment
from platform.reports.conclusions import conclusions
from platform.runs.store import ResultsStore
from tests.fake_runs import write_experiment, write_row


def sentences(tmp_path: Path, accuracies: list[float], **row: Any) -> tuple[str, ...]:
    store = ResultsStore(tmp_path)
    methods = ("fmpn", "cnn", "cnn_no_mask_loss")
    rows = [
        write_row(store, method, method.upper(), accuracy, seed=number, **row)
        for number, (method, accuracy) in enumerate(zip(methods, accuracies, strict=False))
    ]
    return conclusions(aggregate_experiment(store, write_experiment(store, rows)))


def test_a_clear_winner_is_named_with_its_difference_and_interval(tmp_path: Path) -> None:
    winner, selection, sample = sentences(tmp_path, [0.9, 0.3])
    assert winner.startswith("FMPN has the highest score on synthetic, ")
    assert "points above CNN (95 % CI +" in winner
    assert "; one seed), more than the choice of subjects would explain" in winner
    assert "test subjects of one fold validate in others" in selection
    assert "the other rows use its settings" in selection
    assert "189 test images of 9 subjects, 3 folds and one training seed (0)" in sample


@pytest.mark.parametrize(
    ("settings_of", "text"),
    [
        ("winner", "points), and the other rows use its settings;"),
        ("own search", " in a search of 5 trials, and every other row in a search of its own of 5;"),
    ],
)
def test_it_says_whose_settings_the_other_rows_have(tmp_path: Path, settings_of: str, text: str) -> None:
    store = ResultsStore(tmp_path)
    own = {"settings_of": "own search", "search_trials": 5}
    other = {"settings_of": settings_of, **({"search_trials": 5} if settings_of == "own search" else {})}
    rows = [
        write_row(store, accuracy=0.9, selection_score=0.9, **own),
        write_row(store, "cnn", "CNN", 0.3, **other),
    ]
    assert text in conclusions(aggregate_experiment(store, write_experiment(store, rows)))[1]


def test_rows_that_are_nearly_equal_leave_it_open(tmp_path: Path) -> None:
    winner, selection, _ = sentences(tmp_path, [0.6, 0.65, 0.1])
    assert winner.startswith("CNN has"), "the highest score, whoever has it"
    assert winner.endswith("which of the two is better remains open.")
    assert selection.startswith("FMPN was tuned"), "the searched method, not the winner"


def test_a_tie_is_called_so(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, method, method.upper(), 0.6) for method in ("fmpn", "cnn")]
    winner, _, _ = conclusions(aggregate_experiment(store, write_experiment(store, rows)))
    assert ": level with CNN (95 % CI -" in winner
    assert "0.00 points" not in winner


def test_a_row_alone_has_no_comparison(tmp_path: Path) -> None:
    winner, _, sample = sentences(tmp_path, [0.8], folds=1)
    assert winner.endswith("; no other row was tested on the same images.")
    assert "95 % CI " in winner
    assert "one split" in sample


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("nested", "for each fold on its training subjects alone"),
        ("paper", "The settings were fixed beforehand"),
        ("test", "FMPN was selected on the test folds: leakage"),
    ],
)
def test_each_selection_rule_says_what_it_lets_through(tmp_path: Path, rule: str, text: str) -> None:
    assert text in sentences(tmp_path, [0.8, 0.5], selection_rule=rule)[1]


def test_a_transferred_row_was_chosen_elsewhere(tmp_path: Path) -> None:
    _, selection, _ = sentences(tmp_path, [0.8], kind="transfer", masks="ckplus", folds=1)
    assert "tuned on another data set (rule `inner`), so no subject of synthetic took part" in selection


def test_without_a_complete_row_nothing_is_concluded(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    row = write_row(store, folds=2)
    row["runs"].pop()
    experiment = write_experiment(store, [row])
    assert conclusions(aggregate_experiment(store, experiment, partial=True)) == ()
