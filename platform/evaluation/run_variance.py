"""Variance components of accuracies over training seeds and folds. Sizes: R runs (one a seed), F folds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class RunVariance:
    """Variance components of the accuracies of R runs of F folds, as standard deviations in [0, 1]."""

    mean: float
    """Over all runs and folds."""
    run_count: int
    fold_count: int
    between_runs: float | None
    """Of the runs' means of folds: the variation of one such number when it is computed again for the same
    subjects. None with one run."""
    run_effect: float | None
    """The part of `between_runs` that all folds of a run share; 0 where the estimate is negative, None with
    one run or one fold."""
    fold_effect: float | None
    """Between folds, beyond `residual`: due to subjects and training sets. 0 where the estimate is negative,
    None with one run or one fold."""
    residual: float | None
    """Of one fold's accuracy beyond the effects of its run and its fold; None with one run or one fold."""
    standard_error: float | None
    """Of `mean` for the same subjects: between_runs / sqrt(R). Not valid for other subjects."""


def seed_variance(accuracies: np.ndarray) -> RunVariance:
    """Variance components of runs that differ only in the training seed, on the same folds.

    accuracies: float (R, F) in [0, 1], row = seed, column = the same fold in every row.
    Two-way random effects without replication, by analysis of variance; negative estimates become 0.
    Source: Searle, Casella and McCulloch (1992), Variance Components, chapter 4. Assumes additive
    effects of seed and fold. None of them is the variance over new subjects or training sets: no unbiased
    estimator of the variance of a k-fold cross-validation exists (Bengio and Grandvalet (2004), JMLR
    5:1089-1105), because all folds share training subjects. For new subjects see `accuracy_interval`.
    Raises ValueError for NaN and for an array that is empty or not two-dimensional.
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
