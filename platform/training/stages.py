"""A fold run as a function of a fold view, which limits the data that it can read: train, then score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from datasets.folds.view import FoldView
from platform.models.artifact import Content
from platform.models.fitted import Evaluated, Fitted, Measured, check_scores
from platform.models.method import Method, Settings
from platform.models.recipe import Cached, computed
from platform.models.train_view import TrainView
from platform.training.checkpoint import Checkpoints, Curve
from platform.training.loop import Report
from platform.training.tools import RunTools
from platform.training.units import UNITS, EvaluationItems
from platform.training.workers import ALONE, Workers


@dataclass(frozen=True, kw_only=True)
class FoldOutcome:
    """The outcome of a fold run."""

    scored: EvaluationItems
    """The N images or sequences, in the order of the scores."""
    class_names: tuple[str, ...]
    """K class names, in the order of the scores' columns."""
    scores: np.ndarray
    """float32 [N, K]: class probabilities."""
    curves: dict[str, Curve]
    """Stage to one dictionary per epoch; empty if nothing is trained in epochs."""
    fitted: Fitted
    """The trained method."""
    pictures: dict[str, np.ndarray]
    """Name to float32 [n, 1 or 3, S, S] in [0, 1], for a few of what was scored."""
    diagnostics: dict[str, Any]
    """Facts about the trained method on what was scored (`Fitted.diagnostics`), as JSON values."""
    measured: dict[str, Mapping[str, np.ndarray]]
    """Some of these facts by name, to the numbers of each scored item behind them: column to float64 [N]."""


def train_and_evaluate(
    method: Method,
    settings: Settings,
    view: FoldView,
    inputs: Mapping[str, Content],
    *,
    minimum_batch: int,
    device: torch.device,
    report: Report,
    checkpoints: Checkpoints | None = None,
    workers: Workers = ALONE,
    cached: Cached = computed,
) -> FoldOutcome:
    """Fit the method on the view's training subjects, then score the evaluation subjects.

    inputs: the run's artifacts by name. minimum_batch: the smallest batch that the method's net can be
    trained on (`Task.costs`). cached: where features of faces come from. ValueError: scores that are no
    probabilities of every class.
    """
    tools = RunTools(
        view=view, settings=settings, device=device, report=report, minimum_batch=minimum_batch,
        checkpoints=checkpoints, workers=workers, cached=cached,
    )  # fmt: skip
    method.check_artifacts(settings, inputs.keys(), "this fold run")
    fitted = method.fit(TrainView(view), settings, inputs, tools)
    unit = UNITS[method.unit]
    training_counts = np.bincount(unit.training_labels(view), minlength=len(view.class_names))
    view.finish_training()
    scored = unit.evaluated(view, cached)
    scores = check_scores(
        fitted.scores(scored.items), len(scored.labels), len(view.class_names), method.title
    )
    evaluated = Evaluated(
        faces=scored.items,
        labels=scored.labels,
        class_names=view.class_names,
        training_counts=training_counts,
    )
    facts = fitted.diagnostics(evaluated)
    measured = {name: fact for name, fact in facts.items() if isinstance(fact, Measured)}
    for name, one in measured.items():
        one.check(name, len(scored.labels), method.title)
    return FoldOutcome(
        scored=scored,
        class_names=view.class_names,
        scores=scores,
        curves=tools.curves,
        fitted=fitted,
        diagnostics=facts | {name: one.fact for name, one in measured.items()},
        measured={name: one.values for name, one in measured.items()},
        pictures=fitted.pictures(evaluated),
    )
