"""Simulated counts of correct images of two methods by training seed and subject.

For benchmarks/paired_coverage.py and benchmarks/paired_power.py. An image is right with
probability Phi(x), x = level of the method + effects: of the subject (one that both methods share, one of
each method), of the seed on all nets of the method, and of the seed on each fold's net. All effects are
normal, so the expected accuracy over new subjects and new seeds is known exactly.
Sizes: B data sets, R seeds, S subjects, F folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from benchmarks.interval_coverage import FOLDS, images_a_subject

HETEROGENEITY = {"alike": (1.0, 0.0), "weak": (0.4, 0.3), "strong": (1.0, 0.7)}
"""Standard deviations of the subject effects: shared by the methods, and of each method. A subject's images
correlate 0.5, 0.2 and 0.6 on the scale of x."""
SPREADS = {
    "seeds agree": (0.0, 0.0),
    "2 points, shared": (0.02, 0.0),
    "2 points, by fold": (0.0, 0.02),
    "4.9 points, shared": (0.049, 0.0),
    "4.9 points, by fold": (0.0, 0.049),
}
"""Standard deviation of one seed's pooled accuracy at 75 %: by an effect that all nets of the seed share, and
by effects of each fold's net."""
SLOPE = 0.3178
"""Change of an accuracy of 75 % with x, in standard deviations of x."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What is simulated."""

    subjects: int
    accuracy: float
    """Of the better method, over new subjects and seeds."""
    difference: float
    heterogeneity: str
    spread: str


@dataclass(frozen=True, kw_only=True)
class Draws:
    """B simulated comparisons of M methods."""

    right: np.ndarray
    """int64 (M, B, R, S), correct images of each method."""
    images: np.ndarray
    """int64 (B, S)."""
    fold: np.ndarray
    """int64 (S,)."""
    of_nets: np.ndarray
    """float64 (M, B, R): the accuracy of the nets of each seed over new subjects."""


def simulate(truth: Truth, seeds: int, count: int, sizes: str, generator: np.random.Generator) -> Draws:
    """`count` comparisons of two methods with `seeds` seeds, the better one first."""
    return simulate_methods(
        (truth.accuracy, truth.accuracy - truth.difference), truth, seeds, count, sizes, generator
    )


def simulate_methods(
    accuracies: Sequence[float],
    truth: Truth,
    seeds: int,
    count: int,
    sizes: str,
    generator: np.random.Generator,
) -> Draws:
    """Methods of these accuracies, else as `truth`. sizes: images a subject, see `images_a_subject`."""
    subjects = truth.subjects
    images = images_a_subject(sizes, count * subjects, generator).reshape(count, subjects)
    cuts = np.round(np.arange(1, FOLDS) * subjects / FOLDS)
    _, fold = np.unique(np.searchsorted(cuts, np.arange(subjects), side="right"), return_inverse=True)
    folds = int(fold.max()) + 1
    shared, own = HETEROGENEITY[truth.heterogeneity]
    inner = np.sqrt(1.0 + shared**2 + own**2)
    of_all, of_fold = (spread / SLOPE for spread in SPREADS[truth.spread])
    of_fold *= np.sqrt(folds)
    outer = inner * np.sqrt(1.0 + of_all**2 + of_fold**2)
    share = np.stack([images[:, fold == one].sum(axis=1) for one in range(folds)], axis=1)
    share = share / images.sum(axis=1, keepdims=True)
    common = shared * generator.standard_normal((count, 1, subjects))
    right, expected = [], []
    for accuracy in accuracies:
        nets = of_all * generator.standard_normal((count, seeds, 1))
        nets = nets + of_fold * generator.standard_normal((count, seeds, folds))
        nets = outer * ndtri(accuracy) + inner * nets
        effect = common + own * generator.standard_normal((count, 1, subjects))
        right.append(generator.binomial(images[:, None], ndtr(nets[..., fold] + effect)))
        expected.append((ndtr(nets / inner) * share[:, None]).sum(axis=-1))
    return Draws(right=np.stack(right), images=images, fold=fold, of_nets=np.stack(expected))
