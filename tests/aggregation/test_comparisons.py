from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from platform.aggregation.aggregate import Ablation, AggregatedRow, aggregate_experiment
from platform.aggregation.comparisons import (
    Comparisons,
    check_reference,
    compare_lines,
    compare_pair,
    corrected,
    reversed_comparison,
)
from platform.aggregation.paired_images import paired_images
from platform.aggregation.seeds import seed_groups
from platform.errors import UserError
from platform.evaluation.paired_difference import SeedCounts, paired_difference, seed_counts
from platform.evaluation.predictions import Predictions, concatenate
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_row, write_seeds


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [
        write_row(store, accuracy=0.9),
        write_row(store, "cnn", "CNN (baseline)", 0.5, seed=1),
        write_row(store, "cnn_no_mask_loss", "CNN (no mask loss)", 0.85, seed=2),
    ]
    return aggregate_experiment(store, write_experiment(store, written))


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[AggregatedRow]:
    """FMPN with seeds 0, 1, 2 and the CNN with 1, 2, 3."""
    store = ResultsStore(tmp_path_factory.mktemp("runs"))
    written = [
        *write_seeds(store, accuracy=0.9),
        *write_seeds(store, "cnn", "CNN (baseline)", 0.5, seeds=(1, 2, 3), draw=1),
    ]
    return aggregate_experiment(store, write_experiment(store, written))


def compared(rows: list[AggregatedRow], reference: str | None = None) -> Comparisons:
    return compare_lines(seed_groups(rows), reference)


def changed(one: AggregatedRow, **change: object) -> AggregatedRow:
    return dataclasses.replace(one, row=dataclasses.replace(one.row, **change))  # type: ignore[arg-type]


def methods(found: Comparisons) -> list[tuple[str, str]]:
    return [(one.first.first.method, one.second.first.method) for one in found.to_reference]


def test_every_line_is_compared_with_the_first_baseline(rows: list[AggregatedRow]) -> None:
    found = compared(rows)
    assert methods(found) == [("fmpn", "cnn"), ("cnn_no_mask_loss", "cnn")]
    fmpn, cnn = ([fake_predictions(a, fold, seed=s) for fold in range(3)] for a, s in ((0.9, 0), (0.5, 1)))
    correct = [np.concatenate([one.correct for one in part]) for part in (fmpn, cnn)]
    expected = paired_difference(seed_counts(*correct, np.concatenate([one.subject for one in cnn])))
    (first, _) = found.to_reference
    assert first.found.difference == pytest.approx(expected.difference)
    assert first.found.p_value == expected.p_value
    assert (first.image_count, first.found.subject_count, first.unit) == (189, 9, "image")
    assert first.seeds == ((0, 0),)
    assert first.accuracies[0] - first.accuracies[1] == pytest.approx(first.found.difference)


def test_one_family_holds_each_pair_of_lines_once(rows: list[AggregatedRow]) -> None:
    """FMPN against the CNN is a difference from the reference, one of the highest line, and an ablation."""
    ablations = (Ablation(name="one", without=rows[1]), Ablation(name="two", without=rows[2]))
    found = compared([dataclasses.replace(rows[0], ablations=ablations), *rows[1:]])
    every = [*found.to_reference, *found.of_highest, *(one.comparison for one in found.ablations)]
    assert {one.family_size for one in every} == {3}
    p_values = sorted({one.found.p_value for one in every if one.found.p_value is not None})
    smallest = min(one.holm_p_value for one in every if one.holm_p_value is not None)
    assert smallest == pytest.approx(3 * p_values[0])
    first, same = found.to_reference[0], found.ablations[0].comparison
    assert (first.found, first.holm_p_value) == (same.found, same.holm_p_value)


def test_a_reference_is_named_by_method_title_or_experiment(rows: list[AggregatedRow]) -> None:
    for name in ("fmpn", "FMPN", "tune-synthetic-quick:fmpn", "tune-synthetic-quick:FMPN"):
        assert methods(compared(rows, name)) == [("cnn", "fmpn"), ("cnn_no_mask_loss", "fmpn")]
    with pytest.raises(UserError, match="unknown reference 'fmpm'; did you mean 'fmpn'"):
        check_reference(seed_groups(rows), "fmpm")
    with pytest.raises(UserError, match="tune-synthetic-quick:cnn"):
        check_reference(seed_groups(rows), "tune:cnn")


def test_without_a_baseline_the_first_line_is_the_reference(rows: list[AggregatedRow]) -> None:
    assert methods(compared([changed(one, is_baseline=False) for one in rows])) == [
        ("cnn", "fmpn"),
        ("cnn_no_mask_loss", "fmpn"),
    ]
    assert compared(rows[:1]).to_reference == ()


def test_seeds_pair_by_number_and_only_those_in_common_are_used(seeds: list[AggregatedRow]) -> None:
    (found,) = compared(seeds).to_reference
    assert found.seeds == ((1, 1), (2, 2))
    counts = [one.images for one in seeds[1:5] if one.images is not None]
    correct = np.stack([one.correct for one in counts]).astype(np.int64)
    images, fold = counts[0].images.astype(np.int64), counts[0].fold.astype(np.int64)
    expected = paired_difference(SeedCounts(first=correct[:2], second=correct[2:], images=images, fold=fold))
    assert found.found == expected
    assert found.found.seed_count == 2
    assert found.probability is not None
    parts = (found.probability.better, found.probability.equivalent, found.probability.worse)
    assert sum(parts) == pytest.approx(1)


def test_lines_without_a_common_seed_pair_theirs_in_order(seeds: list[AggregatedRow]) -> None:
    (found,) = compared([seeds[0], *seeds[4:]]).to_reference
    assert found.seeds == ((0, 2),)


def test_the_other_way_round_everything_changes_its_sign(seeds: list[AggregatedRow]) -> None:
    first, second = seed_groups(seeds)
    found, back = compare_pair(first, second), compare_pair(second, first)
    assert found is not None
    assert back is not None
    turned = reversed_comparison(found)
    assert turned.found.difference == back.found.difference
    assert turned.found.interval is not None
    assert back.found.interval is not None
    assert turned.found.interval.low == pytest.approx(back.found.interval.low)
    assert (turned.seeds, turned.accuracies) == (back.seeds, back.accuracies)
    assert turned.probability is not None
    assert back.probability is not None
    assert turned.probability.better == pytest.approx(back.probability.better)


def test_a_tie_has_no_sign(rows: list[AggregatedRow]) -> None:
    first, second = seed_groups([rows[0], changed(rows[0], method="cnn", title="Same")])
    found = compare_pair(first, second)
    assert found is not None
    turned = reversed_comparison(found)
    assert f"{turned.found.difference:+.2f}" == "+0.00"


def joined(accuracy: float = 0.5, folds: int = 3) -> Predictions:
    return concatenate([fake_predictions(accuracy, fold, seed=1) for fold in range(folds)])


def test_pairing_is_by_image_and_not_by_position(rows: list[AggregatedRow]) -> None:
    predictions = joined()
    order = np.random.default_rng(0).permutation(len(predictions))
    columns = ("dataset", "fold", "subject", "sequence", "image", "true", "predicted", "scores")
    shuffled = dataclasses.replace(
        predictions, **{name: getattr(predictions, name)[order] for name in columns}
    )
    of_both = [
        compared([rows[0], dataclasses.replace(rows[1], images=paired_images(one)), rows[2]]).to_reference
        for one in (predictions, shuffled)
    ]
    assert [one.found for one in of_both[0]] == [one.found for one in of_both[1]]


@pytest.mark.parametrize("column", ["image", "true", "subject", "dataset"])
def test_lines_on_other_images_are_not_compared_but_named(rows: list[AggregatedRow], column: str) -> None:
    predictions = joined()
    changed_column = getattr(predictions, column).astype("U40")
    changed_column[5] += "x"
    other = paired_images(dataclasses.replace(predictions, **{column: changed_column}))
    found = compared([rows[0], dataclasses.replace(rows[1], images=other), rows[2]], "cnn_no_mask_loss")
    assert methods(found) == [("fmpn", "cnn_no_mask_loss")]
    assert [(one.line.first.method, one.reason) for one in found.left_out] == [("cnn", "tested other images")]
    assert "differ in images" in found.why_no_best


def test_a_line_of_another_division_of_the_subjects_is_not_compared(rows: list[AggregatedRow]) -> None:
    assert rows[0].images is not None
    images = dataclasses.replace(rows[0].images, fold=rows[0].images.fold[::-1].copy())
    moved = changed(dataclasses.replace(rows[0], images=images), fold_rule="step", fold_runs="other")
    found = compared([*rows[:2], moved])
    assert methods(found) == [("fmpn", "cnn")]
    assert [one.reason for one in found.left_out] == ["the subjects were divided into folds otherwise"]


def test_incomplete_lines_are_not_compared(rows: list[AggregatedRow]) -> None:
    incomplete = changed(rows[0], problems={0: "is missing"})
    assert methods(compared([incomplete, *rows[1:]])) == [("cnn_no_mask_loss", "cnn")]
    assert compared([incomplete, *rows[1:]], "fmpn").to_reference == ()
    assert compared([incomplete]).why_no_best == "no row is complete"


def test_the_same_fold_runs_in_two_experiments_are_compared_once(rows: list[AggregatedRow]) -> None:
    again = [changed(one, experiment="second") for one in rows]
    assert len(compared([*rows, *again]).to_reference) == 2
    assert {one.family_size for one in compared([*rows, *again]).to_reference} == {3}


def test_an_ablation_of_repeated_rows_belongs_to_those_that_stand_for_them(rows: list[AggregatedRow]) -> None:
    again = [changed(one, experiment="second") for one in rows]
    again[0] = dataclasses.replace(again[0], ablations=(Ablation(name="one", without=again[1]),))
    (found,) = compared([*rows, *again]).ablations
    assert (found.comparison.first.first, found.comparison.second.first) == (rows[0].row, rows[1].row)


def test_a_best_line_differs_from_every_other_by_a_corrected_test(rows: list[AggregatedRow]) -> None:
    """By construction FMPN (.9) is far from the CNN (.5), and not from the third row (.85)."""
    best = compared(rows[:2]).best
    assert best is not None
    assert best.first.method == "fmpn"
    close = compared(rows)
    assert close.best is None
    assert "does not differ from every other" in close.why_no_best
    assert compared(rows[:1]).best is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"problems": {1: "is missing"}}, "incomplete"),
        ({"selection_rule": "test"}, "leakage"),
        ({"unit": "sequence"}, "some rows score images"),
    ],
)
def test_no_best_line_beside_incomplete_leaking_or_otherwise_scored_ones(
    rows: list[AggregatedRow], change: dict[str, object], why: str
) -> None:
    found = compared([rows[0], changed(rows[1], **change)])
    assert found.best is None
    assert why in found.why_no_best


def test_one_subject_cannot_be_tested(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    made = aggregate_experiment(
        store, write_experiment(store, [write_row(store), write_row(store, "cnn", "CNN", 0.5, seed=1)])
    )
    alone = [
        dataclasses.replace(one, images=paired_images(fake_predictions(a, 0, subjects=1)))
        for one, a in zip(made, (0.9, 0.2), strict=True)
    ]
    found = compared(alone)
    (first,) = found.to_reference
    assert (first.found.p_value, first.holm_p_value, first.found.interval) == (None, None, None)
    assert first.family_size == 0
    assert not first.differs
    assert "with one subject nothing can be tested" in found.why_no_best


def test_a_family_of_given_pairs_is_corrected(rows: list[AggregatedRow]) -> None:
    first, *others = seed_groups(rows)
    pairs = [pair for other in others if (pair := compare_pair(first, other)) is not None]
    adjusted = corrected(pairs)
    assert {one.family_size for one in adjusted} == {2}
    smallest = min(one.found.p_value for one in pairs if one.found.p_value is not None)
    assert min(one.holm_p_value for one in adjusted if one.holm_p_value is not None) == min(1, 2 * smallest)
