"""Pairs of rows compared on the same images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.errors import UserError
from platform.reports.effects import (
    MeasuredEffect,
    effects_figure,
    effects_markdown,
    effects_screen,
    measure_effects,
)
from platform.runs.store import ResultsStore
from tests.fake_runs import write_experiment, write_row

EFFECTS = [
    {"name": "one", "with_it": 0, "without": 1},
    {"name": "the other way", "with_it": 1, "without": 0},
]


def measured(
    store: ResultsStore, rows: list[dict[str, Any]], effects: list[dict[str, Any]] = EFFECTS
) -> tuple[list[MeasuredEffect], list[AggregatedRow]]:
    experiment = write_experiment(store, rows, effects=effects)
    aggregated = aggregate_experiment(store, experiment)
    return measure_effects(experiment, aggregated), list(aggregated)


def test_an_effect_is_the_difference_of_pooled_accuracies_with_its_interval(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, accuracy=0.9), write_row(store, "cnn", "CNN (baseline)", 0.6, seed=1)]
    (one, back), aggregated = measured(store, rows)
    first, second = (row.row.scores.pooled_image_accuracy for row in aggregated if row.row.scores)
    assert one.difference == pytest.approx(first - second)
    assert back.difference == pytest.approx(-one.difference)
    assert one.interval is not None
    assert one.interval.low < one.difference < one.interval.high
    assert (one.image_count, one.subject_count) == (3 * 63, 9)
    assert 0 < one.p_value <= 1
    assert f"{100 * one.difference:+.1f}" in effects_markdown([one, back])
    assert len(effects_figure([one, back]).axes) == 1


def test_effects_on_several_backbones_name_them(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, accuracy=0.9), write_row(store, "cnn", "CNN (baseline)", 0.6, seed=1)]
    (one, other), _ = measured(store, rows)
    assert "resnet18" not in effects_screen([one, other])
    deeper = dataclasses.replace(other, backbone="vgg16_bn")
    text = effects_screen([one, deeper])
    assert "synthetic, resnet18 " in text
    assert "synthetic, vgg16_bn " in text
    (axes,) = effects_figure([one, deeper]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "the other way (synthetic, vgg16_bn)",
        "one (synthetic, resnet18)",
    ]


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("lent masks and mask loss", "transferred masks and mask loss"),
        ("FMPN with lent masks instead of the CNN", "FMPN with transferred masks instead of the CNN"),
        ("stage 1", "stage 1"),
    ],
)
def test_a_stored_name_is_shown_in_todays_words(tmp_path: Path, stored: str, shown: str) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, accuracy=0.9), write_row(store, "cnn", "CNN (baseline)", 0.6, seed=1)]
    effects, _ = measured(store, rows, [{"name": stored, "with_it": 0, "without": 1}])
    assert [effect.name for effect in effects] == [shown]
    for text in (effects_markdown(effects), effects_screen(effects)):
        assert shown in text
        assert "lent" not in text


def test_rows_of_other_images_are_not_compared(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    rows = [write_row(store, accuracy=0.9), write_row(store, "cnn", "CNN (baseline)", 0.6, folds=2, seed=1)]
    with pytest.raises(UserError, match="tested different ones"):
        measured(store, rows)
