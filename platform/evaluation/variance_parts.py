"""Intervals and p values of an estimate whose variance is a sum of separately estimated parts.

The parts here: subjects, and training seeds. Chosen by simulated coverage (docs/statistics.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SMALLEST_TAIL = 1e-100
"""Below this, quantiles are inaccurate and the larger of two bounds is taken."""


@dataclass(frozen=True, kw_only=True)
class VariancePart:
    """One estimated part of the variance of an estimate."""

    variance: float
    """Of the estimate, not of one subject or seed; 0 or more."""
    freedom: float
    """Degrees of freedom of `variance`; 1 or more."""


def subjects_part(influences: np.ndarray) -> VariancePart:
    """The part due to subjects. influences: float (S,), S >= 2, each subject's contribution to the estimate.

    Variance S / (S - 1) * sum of squares, as of S independent draws; Satterthwaite's freedom.
    """
    count = len(influences)
    return VariancePart(
        variance=count / (count - 1) * float((influences**2).sum()), freedom=satterthwaite(influences)
    )


def seeds_part(of_seeds: np.ndarray) -> VariancePart | None:
    """The part due to training seeds. of_seeds: float (R,), the estimate of each seed. None with one seed.

    Variance of the mean of R seeds, R - 1 degrees of freedom. It also holds the seeds' share of the noise of
    subjects, which `subjects_part` holds too, so that the sum of both is rather too large than too small.
    """
    if len(of_seeds) < 2:
        return None
    return VariancePart(
        variance=float(of_seeds.var(ddof=1) / len(of_seeds)), freedom=float(len(of_seeds) - 1)
    )


def satterthwaite(influences: np.ndarray) -> float:
    """Degrees of freedom of the sum of squares of `influences`, float (S,): from 1 to S - 1.

    2 (sum of r^2)^2 / (sum of r^4), at most S - 1, which is also the value where all are zero: where few
    subjects carry the variance, only they inform it. Source: Satterthwaite (1946), Biometrics Bulletin
    2:110-114, with each subject's own square as the estimate of its expected square.
    """
    squares = float((influences**2).sum())
    if squares == 0.0:
        return len(influences) - 1.0
    return min(2.0 * squares**2 / float((influences**4).sum()), len(influences) - 1.0)


def half_width(parts: Sequence[VariancePart], confidence: float = 0.95) -> float:
    """Half the length of the interval of an estimate with these parts: sqrt(sum of t_i^2 variance_i).

    t_i is the two-sided quantile of Student's distribution with the freedom of part i. For one part it is the
    t interval. Source: Banerjee (1960), Sankhya 22:357-360: whatever the ratio of the parts, it covers with
    at least the nominal probability. Assumes independent normal parts.
    """
    return _half_width(parts, (1.0 - confidence) / 2.0)


def two_sided_p(parts: Sequence[VariancePart], distance: float) -> float:
    """1 - the confidence at which `half_width` is |distance|; in (0, 1]. 1 for a distance of zero.

    So the test rejects at level a exactly when the interval of confidence 1 - a excludes the hypothesis.
    Raises ValueError when all variances are zero and the distance is not.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtr

    if distance == 0.0:
        return 1.0
    total = sum(part.variance for part in parts)
    if total == 0.0:
        raise ValueError("a p value needs a variance above zero")
    ratio = abs(distance) / math.sqrt(total)
    freedoms = [part.freedom for part in parts if part.variance > 0.0]
    # The squared half-width is a mean of squared t quantiles, so p lies between those of the parts alone.
    low, high = (float(stdtr(freedom, -ratio)) for freedom in (max(freedoms), min(freedoms)))
    if low == high or low < SMALLEST_TAIL:
        return max(2.0 * high, SMALLEST_TAIL)

    def excess(log_tail: float) -> float:
        return _half_width(parts, math.exp(log_tail)) - abs(distance)

    return min(
        1.0, 2.0 * math.exp(brentq(excess, math.log(low) - 1e-6, min(math.log(0.5), math.log(high) + 1e-6)))
    )


def equivalent_freedom(parts: Sequence[VariancePart], confidence: float = 0.95) -> float:
    """The freedom with which a t interval of the total variance has the length of `half_width`.

    It lies between the freedoms of the parts. Of the first part where all variances are zero.
    """
    from scipy.optimize import brentq
    from scipy.special import stdtrit

    freedoms = [part.freedom for part in parts if part.variance > 0.0] or [parts[0].freedom]
    low, high = min(freedoms), max(freedoms)
    if low == high:
        return low
    level = 1.0 - (1.0 - confidence) / 2.0
    wanted = half_width(parts, confidence) / math.sqrt(sum(part.variance for part in parts))
    return float(brentq(lambda freedom: float(stdtrit(freedom, level)) - wanted, low - 1e-9, high + 1e-9))


def unseen_part(subject_count: int, share: float, size: float = 1.0) -> VariancePart:
    """The part due to subjects of a kind that was not drawn, where `share` of the subjects show no variation.

    size: by how much one such subject may deviate; 1 of a share is all that is possible.
    Its 95 % half-width is share * `unseen_share` * size, with S - 1 degrees of freedom. Near the ceiling a
    few hard subjects carry a whole difference, and a draw without them shows neither it nor its variance. The
    form is a choice by simulated coverage (docs/statistics.md): it vanishes where every subject varies, and
    is the exact bound where none does.
    """
    unit = half_width([VariancePart(variance=1.0, freedom=subject_count - 1.0)])
    return VariancePart(
        variance=(share * unseen_share(subject_count) * size / unit) ** 2, freedom=subject_count - 1.0
    )


def unseen_share(subject_count: int, confidence: float = 0.95) -> float:
    """The largest share of subjects of a kind of which `subject_count` draws may well have shown none.

    1 - ((1 - confidence) / 2)^(1 / S): Clopper and Pearson's bound (1934) for no case among S. Used where no
    two subjects differ and the data therefore say nothing of the variance.
    """
    return float(1.0 - ((1.0 - confidence) / 2.0) ** (1.0 / subject_count))


def _half_width(parts: Sequence[VariancePart], tail: float) -> float:
    """`half_width` by the probability beyond each end."""
    from scipy.special import stdtrit

    return math.sqrt(sum(part.variance * float(stdtrit(part.freedom, tail)) ** 2 for part in parts))
