"""The numbers that a trial is judged by, in the order of the study's objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

MEASURED = ("latency", "parameters")
"""Objectives that are taken from the net itself, not from its predictions."""


def trial_values(
    objectives: Sequence[str],
    scores: InnerScores,
    *,
    store: ResultsStore,
    tasks: Sequence[FoldTask],
    measured: Mapping[str, float],
) -> list[float]:
    """The values of a trial whose fold runs are all there; `measured` holds those of MEASURED."""
    known: dict[str, float] = {**measured, "accuracy": scores.mean_of_steps}
    if "macro_f1" in objectives:
        known["macro_f1"] = pooled_macro_f1(store, tasks)
    return [known[name] for name in objectives]


def pooled_macro_f1(store: ResultsStore, tasks: Sequence[FoldTask]) -> float:
    """Macro F1 in [0, 1] of all these fold runs' predictions together.

    A fold's own macro F1 is undefined where its validation subjects lack a class.
    """
    import numpy as np

    from platform.evaluation.metrics import class_scores, macro_f1
    from platform.evaluation.predictions import from_bytes

    runs = [
        from_bytes(store.read("fold_runs", task.identity, "predictions.parquet"), f"fold run {task.identity}")
        for task in tasks
    ]
    true, predicted = (np.concatenate([getattr(run, name) for run in runs]) for name in ("true", "predicted"))
    return macro_f1(class_scores(true, predicted, runs[0].class_names))
