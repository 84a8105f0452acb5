"""How far an accuracy moves between runs: repeats of a cross-validation, or seeds of training.

Sizes: R runs (repeats or seeds), F folds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class RunVariance:
    """Accuracies of R runs of F folds, taken apart. Standard deviations, in the accuracies' unit."""

    mean: float
    """Over all runs and folds."""
    run_count: int
    fold_count: int
    between_runs: float | None
    """Of a run's mean of folds between runs: how far one such number moves when it is computed again
    for the same subjects. None with one run."""
    run_effect: float | None
    """The part of `between_runs` that all folds of a run share; 0 where the data show none, None with one
    run or one fold."""
    fold_effect: float | None
    """Between folds, beyond `residual`: subjects and training sets. 0 where the data show none; None with one
    run or one fold, and for repeats, whose folds are others each time."""
    residual: float | None
    """Of one fold's accuracy around what its run and its fold explain; None with one fold, and for
    seeds with one run."""
    standard_error: float | None
    """Of `mean` for the same subjects: between_runs / sqrt(R). Says nothing on other subjects."""


def seed_variance(accuracies: np.ndarray) -> RunVariance:
    """Runs that differ by the seed of training only, on the same folds.

    accuracies: float (R, F) in [0, 1], row = seed, column = the same fold in every row.
    Two-way random effects without replication, by analysis of variance; negative estimates are shown as 0.
    Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 4. Assumes that a seed and a
    fold act additively. Nothing here is the variance over new subjects or training sets: no unbiased
    estimator of the variance of a k-fold cross-validation exists (Bengio and Grandvalet (2004), JMLR
    5:1089-1105), because all folds share training subjects; `accuracy_interval` speaks of new subjects.
    Raises ValueError on NaN and on an array that is empty or not of two dimensions.
    """
    accuracies = _checked(accuracies)
    runs, folds = accuracies.shape
    if runs == 1 or folds == 1:
        return _run_variance(accuracies, run_effect=None, fold_effect=None, residual=None)
    run_means, fold_means = accuracies.mean(axis=1), accuracies.mean(axis=0)
    error = accuracies - run_means[:, None] - fold_means[None, :] + accuracies.mean()
    residual = float((error**2).sum() / ((runs - 1) * (folds - 1)))
    return _run_variance(
        accuracies,
        run_effect=_effect(folds * run_means.var(ddof=1), residual, folds),
        fold_effect=_effect(runs * fold_means.var(ddof=1), residual, runs),
        residual=float(np.sqrt(residual)),
    )


def repeat_variance(accuracies: np.ndarray) -> RunVariance:
    """Repeats of a cross-validation, each with its own partition of the subjects (and its own seed).

    accuracies: float (R, F) in [0, 1], row = repeat; a column means nothing, folds belong to their repeat.
    One-way random effects, folds nested in repeats, by analysis of variance; a negative estimate is shown
    as 0. Source: Searle, Casella and McCulloch (1992), chapter 3. Assumes that the folds of a repeat are
    independent given the repeat. They are not, since every repeat tests the same subjects: where one fold
    is hard the others are easier, and `run_effect` is often 0; `between_runs` needs no such assumption.
    More repeats shrink `standard_error` towards zero without a new subject, so it makes no interval for
    new subjects: Vanwinckelen and Blockeel (2012), BeneLearn; Bengio and Grandvalet as in `seed_variance`.
    Raises ValueError as `seed_variance`.
    """
    accuracies = _checked(accuracies)
    runs, folds = accuracies.shape
    if folds == 1:
        return _run_variance(accuracies, run_effect=None, fold_effect=None, residual=None)
    within = float(accuracies.var(axis=1, ddof=1).mean())
    between = folds * accuracies.mean(axis=1).var(ddof=1) if runs > 1 else None
    return _run_variance(
        accuracies,
        run_effect=None if between is None else _effect(between, within, folds),
        fold_effect=None,
        residual=float(np.sqrt(within)),
    )


def _checked(accuracies: np.ndarray) -> np.ndarray:
    """float64 (R, F)."""
    accuracies = np.asarray(accuracies, dtype=np.float64)
    if accuracies.ndim != 2 or not accuracies.size:
        raise ValueError(f"accuracies must be an array (runs, folds), got shape {accuracies.shape}")
    if np.isnan(accuracies).any():
        raise ValueError("every run needs every fold: an accuracy is NaN")
    return accuracies


def _run_variance(
    accuracies: np.ndarray, *, run_effect: float | None, fold_effect: float | None, residual: float | None
) -> RunVariance:
    runs, folds = accuracies.shape
    between = float(accuracies.mean(axis=1).std(ddof=1)) if runs > 1 else None
    return RunVariance(
        mean=float(accuracies.mean()),
        run_count=runs,
        fold_count=folds,
        between_runs=between,
        run_effect=run_effect,
        fold_effect=fold_effect,
        residual=residual,
        standard_error=None if between is None else between / runs**0.5,
    )


def _effect(mean_square: float, residual: float, count: int) -> float:
    """Standard deviation of a random effect from its mean square; 0 where the estimate is negative."""
    return float(np.sqrt(max(0.0, (mean_square - residual) / count)))
