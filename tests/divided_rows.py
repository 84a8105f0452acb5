"""Rows of the same people under several divisions into folds, as an experiment with --repeats stores them."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from platform.evaluation.predictions import Predictions, concatenate
from platform.runs.store import ResultsStore
from tests.fake_runs import fake_predictions, write_experiment, write_fold_run, write_row

FOLDS = 3
TITLES = {"fmpn": "FMPN", "cnn": "CNN (baseline)", "cnn_no_mask_loss": "CNN (no mask loss)"}


def predictions_of(correct: float, draw: int) -> Predictions:
    """Nine subjects with 21 images each; `correct` of them right, others by the draw."""
    return concatenate([fake_predictions(correct, fold, seed=draw) for fold in range(FOLDS)])


def divided(predictions: Predictions, repeat: int) -> list[Predictions]:
    """Each fold of division number `repeat`: subject i is tested by fold i + (i // 3) * repeat, mod 3."""
    names, subject = np.unique(predictions.subject, return_inverse=True)
    place = np.arange(len(names))
    of_subject = place // FOLDS if repeat == 0 else (place + place // FOLDS * repeat) % FOLDS
    fold = of_subject[subject]
    return [_some(dataclasses.replace(predictions, fold=fold), fold == one) for one in range(FOLDS)]


def _some(predictions: Predictions, rows: np.ndarray) -> Predictions:
    columns = [one.name for one in dataclasses.fields(predictions) if one.name != "class_names"]
    return dataclasses.replace(predictions, **{name: getattr(predictions, name)[rows] for name in columns})


def divided_row(
    store: ResultsStore, method: str, correct: float, *, repeat: int, seed: int = 0, **row: Any
) -> dict[str, Any]:
    """A row of experiment.json. Rows of other methods, repeats or seeds err on other images."""
    rule = "stratified" if repeat else "paper"
    draw = 100 * repeat + 10 * seed + list(TITLES).index(method)
    runs = [
        {"fold": fold, "identity": write_fold_run(store, part, method=method, rule=rule, seed=seed)}
        for fold, part in enumerate(divided(predictions_of(correct, draw), repeat))
    ]
    usual = write_row(store, method, TITLES[method], folds=1)
    return {
        **usual, "fold_rule": rule, "fold_count": FOLDS, "runs": runs, "repeat": repeat, "seed": seed,
        "selection_rule": "paper", **row,
    }  # fmt: skip


def divided_experiment(
    store: ResultsStore,
    accuracies: dict[str, float],
    *,
    repeats: int = 3,
    seeds: int = 1,
    name: str = "crossval-synthetic-quick",
) -> dict[str, Any]:
    """An experiment in which each method has that accuracy under every division, with every seed."""
    rows = [
        divided_row(store, method, correct, repeat=repeat, seed=seed)
        for repeat in range(repeats)
        for seed in range(seeds)
        for method, correct in accuracies.items()
    ]
    return write_experiment(store, rows, name=name)
