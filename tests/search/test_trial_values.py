"""Objective values of a trial, computed by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from platform.evaluation.metrics import class_scores, macro_f1
from platform.runs.store import ResultsStore
from platform.search.inner_scores import inner_scores
from platform.search.trial_values import pooled_macro_f1, trial_values
from tests.fake_runs import fake_predictions, write_fold_run


@pytest.fixture
def runs(tmp_path: Path) -> tuple[ResultsStore, list[Any]]:
    store = ResultsStore(tmp_path)
    identities = [write_fold_run(store, fake_predictions(0.7, fold)) for fold in range(3)]
    return store, [SimpleNamespace(identity=identity) for identity in identities]


def test_values_come_in_the_order_of_the_objectives(runs: tuple[ResultsStore, list[Any]]) -> None:
    store, tasks = runs
    scores = inner_scores(store, tasks)
    values = trial_values(
        ("latency", "macro_f1", "accuracy", "parameters"),
        scores,
        store=store,
        tasks=tasks,
        measured={"parameters": 377.0, "latency": 2.5},
    )
    assert values == [2.5, pooled_macro_f1(store, tasks), scores.mean_of_steps, 377.0]


def test_a_measured_objective_without_a_measurement_is_an_error(
    runs: tuple[ResultsStore, list[Any]],
) -> None:
    store, tasks = runs
    with pytest.raises(KeyError, match="latency"):
        trial_values(
            ("accuracy", "latency"), inner_scores(store, tasks), store=store, tasks=tasks, measured={}
        )


def test_macro_f1_is_that_of_all_predictions_together(runs: tuple[ResultsStore, list[Any]]) -> None:
    store, tasks = runs
    folds = [fake_predictions(0.7, fold) for fold in range(3)]
    pooled = macro_f1(
        class_scores(
            np.concatenate([fold.true for fold in folds]),
            np.concatenate([fold.predicted for fold in folds]),
            folds[0].class_names,
        )
    )
    assert pooled_macro_f1(store, tasks) == pytest.approx(pooled)


def test_a_fold_without_one_of_the_classes_still_gives_a_pooled_score(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    whole = fake_predictions(0.7, 0)
    kept = whole.true == whole.class_names[0]
    arrays = {
        name: value[kept]
        for name, value in vars(whole).items()
        if isinstance(value, np.ndarray) and len(value) == len(kept)
    }
    one_class = replace(whole, **{**arrays, "fold": np.full(int(kept.sum()), 1)})
    tasks: list[Any] = [
        SimpleNamespace(identity=write_fold_run(store, predictions)) for predictions in (whole, one_class)
    ]
    assert 0 < pooled_macro_f1(store, tasks) < 1
