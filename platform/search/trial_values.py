"""Objective values of a trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.inner_scores import InnerScores

MEASURED = ("latency", "parameters")
"""Objectives measured on the network itself, not on its predictions."""


def trial_values(
    objectives: Sequence[str],
    scores: InnerScores,
    *,
    store: ResultsStore,
    tasks: Sequence[FoldTask],
    measured: Mapping[str, float],
) -> list[float]:
    """Values of a trial with complete fold runs, ordered as `objectives`; `measured`: those in MEASURED."""
    known: dict[str, float] = {**measured, "accuracy": scores.mean_of_steps}
    if "macro_f1" in objectives:
        known["macro_f1"] = pooled_macro_f1(store, tasks)
    return [known[name] for name in objectives]


def pooled_macro_f1(store: ResultsStore, tasks: Sequence[FoldTask]) -> float:
    """Macro F1 in [0, 1] of the pooled predictions of these fold runs.

    A single fold's macro F1 is undefined if its validation subjects lack a class.
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
