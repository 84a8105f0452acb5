"""Probability that one method is better than another by more than a negligible amount."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

EQUIVALENT = 0.01
"""Half the region of practical equivalence: differences up to one point are of no practical importance."""


@dataclass(frozen=True, kw_only=True)
class ProbabilityBetter:
    """Posterior probabilities of the mean difference (first minus second); they sum to 1."""

    better: float
    """The first is better by more than the region of equivalence."""
    equivalent: float
    worse: float


def probability_better(
    differences: np.ndarray,
    test_sizes: np.ndarray,
    train_sizes: np.ndarray,
    *,
    equivalent: float = EQUIVALENT,
) -> ProbabilityBetter | None:
    """Bayesian correlated t test of a difference between two cross-validated methods.

    differences: float (F,) or (R, F), in [-1, 1]: the first's accuracy minus the second's in each fold (and
    seed or repeat). test_sizes, train_sizes: (F,) or of the shape of `differences`: images tested and trained
    on in each. Returns None with fewer than two differences. Raises ValueError for shapes, sizes below one,
    NaN, or `equivalent` < 0.

    The posterior of the mean difference is Student's with n - 1 degrees of freedom, the mean of the n
    differences as centre, and scale^2 = (1 / n + tested / trained) * variance: folds share training images,
    so their differences correlate by rho = tested / (tested + trained), and rho / (1 - rho) = tested /
    trained, here of the sums over folds (1 / (F - 1) for F equal folds). Without any variance it is a point.
    Source: Corani and Benavoli (2015), Machine Learning 100:285-304, equation 8; Benavoli, Corani, Demsar and
    Zaffalon (2017), JMLR 18(77):1-36, section 4.1; the correction: Nadeau and Bengio (2003), Machine Learning
    52:239-281. Assumes normal differences with one common correlation, and a flat prior. A seed's common
    effect on all its folds is not in the model.
    """
    values = np.asarray(differences, dtype=np.float64)
    tested = np.broadcast_to(np.asarray(test_sizes, dtype=np.float64), values.shape)
    trained = np.broadcast_to(np.asarray(train_sizes, dtype=np.float64), values.shape)
    if not np.isfinite(values).all() or equivalent < 0.0:
        raise ValueError("differences must be finite numbers and the region of equivalence 0 or more")
    if values.size and not (tested.min() >= 1.0 and trained.min() >= 1.0):
        raise ValueError("every fold needs at least one image to test and one to train on")
    if values.size < 2:
        return None
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    scale = float(np.sqrt(variance * (1.0 / values.size + tested.sum() / trained.sum())))
    better, worse = (_above(sign * mean, equivalent, scale, values.size - 1) for sign in (1.0, -1.0))
    return ProbabilityBetter(better=better, equivalent=max(0.0, 1.0 - better - worse), worse=worse)


def _above(mean: float, limit: float, scale: float, freedom: int) -> float:
    """P(mean + scale * T > limit)."""
    from scipy.special import stdtr

    if scale == 0.0:
        return float(mean > limit)
    return float(stdtr(freedom, (mean - limit) / scale))
