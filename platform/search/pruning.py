"""Pruning: Wilcoxon signed-rank test over subjects against the best earlier trial."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import optuna
from optuna.trial import FrozenTrial

from platform.config.configuration import Plan
from platform.search.inner_scores import InnerScores

P_THRESHOLD = 0.1
FEWEST_SUBJECTS = 8
"""Subjects needed before a trial can be pruned."""


def why_unpruned(plan: Plan, steps: int) -> str:
    """Why trials of `steps` fold runs are not pruned; empty if they are."""
    if not plan.pruning:
        return "disabled with --pruning no"
    if len(plan.objectives) > 1:
        return "several objectives: a trial can be worse in one and better in another"
    if steps == 1:
        return "a trial is a single fold run, so there is nothing to compare before it ends"
    return ""


class EarlierTrials:
    """Scores of complete trials, cached for comparison with running ones; they never change."""

    def __init__(self) -> None:
        self._scores: dict[int, InnerScores] = {}
        self._means: dict[tuple[int, int], float] = {}

    def add(self, number: int, scores: InnerScores) -> None:
        """Add a complete trial."""
        self._scores[number] = scores

    def __contains__(self, number: int) -> bool:
        return number in self._scores

    def are_better(self, numbers: Iterable[int], scores: InnerScores, steps_done: int) -> bool:
        """Whether the best of these trials is significantly better over the first `steps_done` steps.

        The best trial has the highest mean of its subjects' accuracies over the same steps; the earlier one
        wins a tie. The test pairs accuracies by subject.
        """
        best = max(sorted(numbers), key=lambda number: self._mean(number, steps_done), default=None)
        if best is None:
            return False
        aside = optuna.create_study(direction="maximize")
        aside.add_trial(_by_subject(self._scores[best], steps_done))
        with warnings.catch_warnings():
            # Experimental in Optuna, whose version is pinned.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.WilcoxonPruner(p_threshold=P_THRESHOLD, n_startup_steps=FEWEST_SUBJECTS)
        return pruner.prune(aside, _by_subject(scores, steps_done))

    def _mean(self, number: int, steps_done: int) -> float:
        key = (number, steps_done)
        if key not in self._means:
            accuracies = self._scores[number].subject_accuracies(range(steps_done)).values()
            self._means[key] = sum(accuracies) / len(accuracies)
        return self._means[key]


def _by_subject(scores: InnerScores, steps_done: int) -> FrozenTrial:
    """A trial whose intermediate values are its subjects' accuracies, the pruner's input."""
    by_subject = scores.subject_accuracies(range(steps_done))
    values = dict(enumerate(by_subject[subject] for subject in sorted(by_subject)))
    return optuna.trial.create_trial(
        value=sum(values.values()) / len(values), params={}, distributions={}, intermediate_values=values
    )
