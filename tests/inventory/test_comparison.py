from __future__ import annotations

from pathlib import Path

import pytest

from platform.cli.runs_screen import comparison_lines
from platform.errors import UserError
from platform.inventory.comparison import compare_experiments
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_fold_run, write_row
from tests.inventory.known_runs import row_of, two_experiments


def test_the_settings_that_differ_and_the_paired_difference(tmp_path: Path) -> None:
    found = compare_experiments(two_experiments(tmp_path), "first", "second")
    assert found.settings == ()  # the seed of a fold run is that of its record
    (pair,) = found.rows
    made = [
        [fake_predictions(right, fold, seed=seed) for fold in (0, 2)] for right, seed in ((0.9, 1), (0.5, 2))
    ]
    right = [sum(int(one.correct.sum()) for one in part) for part in made]
    assert pair.found.difference == pytest.approx((right[0] - right[1]) / (3 * 63))
    assert (pair.unit, pair.image_count, pair.found.subject_count) == ("image", 189, 9)
    assert pair.found.interval is not None
    assert pair.found.interval.low <= pair.found.difference <= pair.found.interval.high
    assert pair.holm_p_value is not None
    assert 0 < pair.holm_p_value < 0.05
    back = compare_experiments(two_experiments(tmp_path), "second", "first")
    assert back.rows[0].found.difference == -pair.found.difference
    assert back.rows[0].holm_p_value == pair.holm_p_value


def test_settings_are_those_that_ran(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    for name, rate in (("a", 0.1), ("b", 0.2)):
        identity = write_fold_run(store, fake_predictions(0.5, 0), config={"rate": rate})
        config = {"method": "fmpn", "rate": 0.3, "trials": 5, **({"space": "x"} if name == "b" else {})}
        write_experiment(store, [row_of([{"fold": 0, "identity": identity}])], name=name, config=config)
    assert compare_experiments(store, "a", "b").settings == (("rate", "0.1", "0.2"), ("space", "-", "x"))


def test_further_rows_of_the_same_title_are_compared_and_corrected(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    for name, seed in (("a", 0), ("b", 5)):
        rows = [write_row(store, accuracy=0.9 - seed / 10, seed=seed)]
        rows.append(write_row(store, "cnn", "CNN", 0.6, seed=seed + 1))
        rows.append(write_row(store, "cnn_no_mask_loss", f"only {name}", 0.6, seed=seed + 2))
        rows.append(write_row(store, dataset=f"set_{name}", seed=seed))
        write_experiment(store, rows, name=name)
    found = compare_experiments(store, "a", "b")
    assert [(pair.first.first.title, pair.second.first.title) for pair in found.rows] == [
        ("FMPN", "FMPN"),
        ("CNN", "CNN"),
    ]
    assert found.left_out == ()


def test_other_images_are_refused_with_the_reason(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    write_experiment(store, [write_row(store, dataset="mmi")], name="elsewhere")
    write_experiment(store, [write_row(store, folds=2)], name="fewer")
    other = write_fold_run(store, fake_predictions(0.5, 4), index=4)
    runs = [{"fold": 4, "identity": other}]
    write_experiment(store, [row_of(runs, chosen_folds=[4])], name="fold-4")
    runs = [{"fold": 0, "identity": write_fold_run(store, fake_predictions(0.5, 0))}]
    write_experiment(store, [row_of(runs, chosen_folds=[0])], name="fold-0")
    refused = {
        ("first", "elsewhere"): "first tested synthetic, and elsewhere tested mmi",
        ("first", "fewer"): "first tested 189 images, and fewer 126 images",
        ("fold-0", "fold-4"): "tested different images, 63 images each",
    }
    for names, reason in refused.items():
        with pytest.raises(UserError, match=reason):
            compare_experiments(store, *names)


def test_a_row_that_scores_sequences_is_compared_on_sequences(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    for name, unit in (("a", {}), ("b", {"unit": "sequence"}), ("c", {"unit": "sequence"})):
        write_experiment(store, [write_row(store, seed=ord(name), **unit)], name=name)
    write_experiment(store, [write_row(store, folds=2, unit="sequence")], name="fewer")
    of_images, of_sequences = (compare_experiments(store, name, "c").rows[0] for name in ("a", "b"))
    for pair in (of_images, of_sequences):
        assert (pair.unit, pair.image_count, pair.found.subject_count) == ("sequence", 63, 9)
        assert pair.accuracies[0] - pair.accuracies[1] == pytest.approx(pair.found.difference)
    with pytest.raises(UserError, match="a and fewer tested different sequences"):
        compare_experiments(store, "a", "fewer")


def test_bad_names_are_refused(tmp_path: Path) -> None:
    store = two_experiments(tmp_path)
    with pytest.raises(UserError, match="did you mean 'second'"):
        compare_experiments(store, "first", "secnd")
    with pytest.raises(UserError, match="both names are 'first'"):
        compare_experiments(store, "first", "first")


def test_each_data_set_is_a_family_and_few_differing_subjects_are_said(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    for name, seed in (("a", 0), ("b", 5)):
        rows = [
            write_row(store, accuracy=0.9 - seed / 10, seed=seed),
            write_row(store, "cnn", "CNN", 0.6, seed=seed + 1),
            write_row(store, accuracy=0.8, dataset="mmi", folds=1, seed=seed),
        ]
        write_experiment(store, rows, name=name)
    found = compare_experiments(store, "a", "b")
    assert [(pair.first.first.dataset, pair.family_size) for pair in found.rows] == [
        ("synthetic", 2),
        ("synthetic", 2),
        ("mmi", 1),
    ]
    text = "\n".join(comparison_lines(found, "a", "b"))
    assert "Holm-corrected over 2 on synthetic, 1 on mmi." in text
    assert "on mmi: Only 2 subjects differ, so no p value below 0.5 is possible." in text
    assert text.count("is possible") == 1
