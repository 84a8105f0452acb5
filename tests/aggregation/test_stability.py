"""Lines under several divisions of the same subjects."""

from __future__ import annotations

from pathlib import Path

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.aggregation.seeds import seed_groups
from platform.aggregation.stability import Stability, stability_of
from platform.runs.store import ResultsStore
from tests.divided_rows import divided_experiment, divided_row
from tests.fake_runs import write_experiment


def stability(aggregated: list[AggregatedRow]) -> Stability:
    found = stability_of(seed_groups(aggregated))
    assert found is not None
    return found


def test_lines_are_those_of_the_first_division_and_have_an_accuracy_under_each(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = aggregate_experiment(store, divided_experiment(store, {"fmpn": 0.9, "cnn": 0.5}, seeds=2))
    found = stability(rows)
    assert found.divisions == ("paper", "stratified 1", "stratified 2")
    assert [(one.line.first.method, one.line.first.repeat) for one in found.lines] == [
        ("fmpn", 0),
        ("cnn", 0),
    ]
    first = found.lines[0]
    assert first.seeds == (0, 1)
    for repeat, accuracy in enumerate(first.accuracies):
        of_seeds = [
            one.row.scores.pooled_image_accuracy
            for one in rows
            if (one.row.method, one.row.repeat) == ("fmpn", repeat) and one.row.scores
        ]
        assert accuracy == pytest.approx(sum(of_seeds) / 2)


def test_a_pair_counts_divisions_and_seeds(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = aggregate_experiment(store, divided_experiment(store, {"fmpn": 0.9, "cnn": 0.5}, seeds=2))
    (pair,) = stability(rows).pairs
    assert (pair.order.above, pair.order.tied, pair.order.below) == (6, 0, 0)
    assert (pair.order.division_count, pair.order.seed_count) == (3, 2)
    assert pair.probability is not None
    assert pair.probability.better > 0.95
    (first, second) = (pair.first.ranks, pair.second.ranks)
    assert first is not None
    assert second is not None
    assert (first.worst, second.best) == (1.0, 2.0)
    mirrored = pair.reversed()
    assert (mirrored.order.below, mirrored.first) == (6, pair.second)
    assert mirrored.probability is not None
    assert mirrored.probability.worse == pair.probability.better
    assert mirrored.reversed() == pair


def test_the_same_division_twice_counts_once(tmp_path: Path) -> None:
    """A small set may draw the same folds again; repeat 3 of these is repeat 0 modulo 3."""
    store = ResultsStore(tmp_path)
    rows = [
        divided_row(store, method, 0.7, repeat=repeat)
        for repeat in (0, 1, 4)
        for method in ("fmpn", "cnn")
    ]  # fmt: skip
    found = stability(aggregate_experiment(store, write_experiment(store, rows)))
    assert found.divisions == ("paper", "stratified 1")
    assert found.pairs[0].order.count == 2


def test_experiments_pair_where_they_have_the_same_division(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    contents = [
        divided_experiment(store, {method: 0.8}, repeats=repeats, name=method)
        for method, repeats in (("fmpn", 3), ("cnn", 2))
    ]
    found = stability([row for content in contents for row in aggregate_experiment(store, content)])
    assert found.divisions == ("paper", "stratified 1", "stratified 2")
    assert found.pairs[0].order.count == 2
    assert found.lines[1].accuracies[2] is None


def test_incomplete_rows_and_lines_of_one_division_are_left_out(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    content = divided_experiment(store, {"fmpn": 0.9, "cnn": 0.5}, repeats=2)
    content["rows"][-1]["runs"][0]["identity"] = None
    found = stability(aggregate_experiment(store, content, partial=True))
    assert [one.line.first.method for one in found.lines] == ["fmpn"]
    assert found.pairs == ()
    del content["rows"][2:]
    assert stability_of(seed_groups(aggregate_experiment(store, content))) is None
