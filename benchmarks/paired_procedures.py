"""Procedures for a paired difference over subjects and seeds, for B data sets at once.

Candidates of benchmarks/paired_coverage.py: functions of gained, int64 (B, R, S), the differences of correct
images; images, int64 (B, S); fold, int64 (S,); and a generator. They return both ends of 95 % intervals,
float (B,). Sources: docs/statistics.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import stdtrit

RESAMPLES = 500
LEVEL = 0.975

Ends = tuple[np.ndarray, np.ndarray]
Procedure = Callable[[np.ndarray, np.ndarray, np.ndarray, np.random.Generator], Ends]


def subjects_variance(gained: np.ndarray, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variance of the seeds' mean over subjects, and Satterthwaite's freedom; both float (B,)."""
    subjects = images.shape[1]
    mean = gained.mean(axis=1)
    total = images.sum(axis=1, keepdims=True)
    residual = mean / total - images * mean.sum(axis=1, keepdims=True) / total**2
    residual[np.abs(residual) < 1e-14] = 0.0
    squares, fourth = (residual**2).sum(axis=1), (residual**4).sum(axis=1)
    freedom = np.full(len(squares), subjects - 1.0)
    some = fourth > 0.0
    freedom[some] = np.minimum(2.0 * squares[some] ** 2 / fourth[some], subjects - 1.0)
    return subjects / (subjects - 1) * squares, freedom


def seeds_variance(gained: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Variance of the mean over seeds, float (B,)."""
    of_seeds = gained.sum(axis=2) / images.sum(axis=1, keepdims=True)
    return np.asarray(of_seeds.var(axis=1, ddof=1) / gained.shape[1])


def folds_variance(gained: np.ndarray, images: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """As `seeds_variance`, if a seed has no effect that its folds share; F (R - 1) degrees of freedom."""
    folds = range(int(fold.max()) + 1)
    of_folds = np.stack([gained[:, :, fold == one].sum(axis=2) for one in folds], axis=2)
    of_folds = of_folds / images.sum(axis=1)[:, None, None]
    return np.asarray(of_folds.var(axis=1, ddof=1).sum(axis=1) / gained.shape[1])


def interaction_variance(gained: np.ndarray, images: np.ndarray) -> np.ndarray:
    """The variance that both of the former contain: of seed x subject."""
    seeds, subjects = gained.shape[1:]
    total = images.sum(axis=1)[:, None, None]
    rest = gained / total - images[:, None] / total * (gained.sum(axis=2, keepdims=True) / total)
    rest = rest - rest.mean(axis=1, keepdims=True)
    scale = subjects / ((subjects - 1) * (seeds - 1) * seeds)
    return np.asarray((rest**2).sum(axis=(1, 2)) * scale)


def around(gained: np.ndarray, images: np.ndarray, half: np.ndarray) -> Ends:
    """Ends of an interval around the difference."""
    difference = gained.mean(axis=1).sum(axis=1) / images.sum(axis=1)
    return np.maximum(difference - half, -1.0), np.minimum(difference + half, 1.0)


def bootstrap(
    gained: np.ndarray, images: np.ndarray, fold: np.ndarray, generator: np.random.Generator
) -> Ends:
    """Percentile bootstrap over subjects of the seeds' mean, as this platform had it."""
    weights = generator.multinomial(images.shape[1], np.full(images.shape[1], 1 / images.shape[1]), RESAMPLES)
    values = (gained.mean(axis=1) @ weights.T) / (images @ weights.T)
    low, high = np.quantile(values, [1.0 - LEVEL, LEVEL], axis=1)
    return low, high


def bootstrap_both(
    gained: np.ndarray, images: np.ndarray, fold: np.ndarray, generator: np.random.Generator
) -> Ends:
    """Percentile bootstrap over subjects and, independently, over seeds."""
    seeds, subjects = gained.shape[1:]
    weights = generator.multinomial(subjects, np.full(subjects, 1 / subjects), RESAMPLES).T
    of_seeds = generator.multinomial(seeds, np.full(seeds, 1 / seeds), RESAMPLES).T / seeds
    top = sum((gained[:, seed] @ weights) * of_seeds[seed] for seed in range(seeds))
    low, high = np.quantile(top / (images @ weights), [1.0 - LEVEL, LEVEL], axis=1)
    return low, high


def t_subjects(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """t over subjects of the seeds' mean, S - 1 degrees of freedom."""
    variance, _freedom = subjects_variance(gained, images)
    return around(gained, images, stdtrit(images.shape[1] - 1, LEVEL) * np.sqrt(variance))


def t_satterthwaite(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """t over subjects of the seeds' mean, Satterthwaite's freedom."""
    variance, freedom = subjects_variance(gained, images)
    return around(gained, images, stdtrit(freedom, LEVEL) * np.sqrt(variance))


def t_and_unseen(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """The former and a part for unseen subjects, by Banerjee's sum: the platform's for one seed."""
    variance, freedom = subjects_variance(gained, images)
    of_subjects = stdtrit(freedom, LEVEL) ** 2 * variance
    return around(gained, images, np.sqrt(of_subjects + _unseen(gained, images)))


def t_folds(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """t over folds of the seeds' mean, F - 1 degrees of freedom."""
    folds = range(int(fold.max()) + 1)
    by_fold = np.stack([gained[:, :, fold == one].sum(axis=2) for one in folds], axis=2)
    sizes = np.stack([images[:, fold == one].sum(axis=1) for one in folds], axis=1)
    return t_subjects(by_fold, sizes, np.arange(len(folds)), _)


def t_seeds(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """t over seeds, R - 1 degrees of freedom: these subjects only."""
    half = stdtrit(gained.shape[1] - 1, LEVEL) * np.sqrt(seeds_variance(gained, images))
    return around(gained, images, half)


def crossed(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """Two-way crossed random effects: unbiased sum of both variances, Satterthwaite's freedom."""
    of_subjects, freedom = subjects_variance(gained, images)
    of_seeds = seeds_variance(gained, images)
    both = interaction_variance(gained, images)
    total = np.maximum(of_subjects + of_seeds - both, np.maximum(of_subjects, of_seeds))
    return around(gained, images, _satterthwaite(of_subjects, of_seeds, freedom, gained, total))


def added(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """Sum of both variances, Satterthwaite's freedom: also the jackknife over subjects and seeds."""
    of_subjects, freedom = subjects_variance(gained, images)
    of_seeds = seeds_variance(gained, images)
    return around(
        gained, images, _satterthwaite(of_subjects, of_seeds, freedom, gained, of_subjects + of_seeds)
    )


def nested(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """Banerjee's sum of subjects and of seeds within folds, F (R - 1) degrees of freedom."""
    of_subjects, freedom = subjects_variance(gained, images)
    of_nets = folds_variance(gained, images, fold)
    quantile = stdtrit((int(fold.max()) + 1) * (gained.shape[1] - 1), LEVEL)
    return around(gained, images, np.sqrt(stdtrit(freedom, LEVEL) ** 2 * of_subjects + quantile**2 * of_nets))


def banerjee(gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator) -> Ends:
    """Banerjee's sum of the squared half-widths over subjects and over seeds."""
    return around(gained, images, np.sqrt(_banerjee(gained, images)))


def banerjee_and_unseen(
    gained: np.ndarray, images: np.ndarray, fold: np.ndarray, _: np.random.Generator
) -> Ends:
    """The former with a part for unseen subjects: the platform's for several seeds."""
    return around(gained, images, np.sqrt(_banerjee(gained, images) + _unseen(gained, images)))


def _banerjee(gained: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Squared half lengths."""
    of_subjects, freedom = subjects_variance(gained, images)
    of_seeds = seeds_variance(gained, images)
    quantile = stdtrit(gained.shape[1] - 1, LEVEL)
    return np.asarray(stdtrit(freedom, LEVEL) ** 2 * of_subjects + quantile**2 * of_seeds)


def _satterthwaite(
    of_subjects: np.ndarray,
    of_seeds: np.ndarray,
    freedom: np.ndarray,
    gained: np.ndarray,
    total: np.ndarray,
) -> np.ndarray:
    """Half lengths of t intervals with the total variance and the freedom of a sum of two."""
    spent = of_subjects**2 / freedom + of_seeds**2 / (gained.shape[1] - 1)
    joined = np.full(len(total), gained.shape[2] - 1.0)
    some = spent > 0.0
    joined[some] = np.maximum(1.0, (of_subjects + of_seeds)[some] ** 2 / spent[some])
    return np.asarray(stdtrit(joined, LEVEL) * np.sqrt(total))


def _unseen(gained: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Squared half lengths for subjects of a kind that was not drawn, float (B,)."""
    share = (gained.sum(axis=1) == 0).mean(axis=1)
    largest = (np.abs(gained) / images[:, None]).max(axis=(1, 2))
    size = np.where(largest == 0.0, 1.0, largest ** max(0.0, 0.5 - 3.0 / gained.shape[2]))
    return np.asarray((share * size * (1.0 - (1.0 - LEVEL) ** (1.0 / gained.shape[2]))) ** 2)


ONE_SEED: dict[str, Procedure] = {
    "bootstrap over subjects": bootstrap,
    "t over subjects": t_subjects,
    "t, Satterthwaite": t_satterthwaite,
    "t over folds": t_folds,
    "t, Satterthwaite + unseen": t_and_unseen,
}
SEVERAL_SEEDS: dict[str, Procedure] = {
    "bootstrap over subjects": bootstrap,
    "bootstrap over both": bootstrap_both,
    "t over subjects": t_subjects,
    "t over seeds": t_seeds,
    "crossed, Satterthwaite": crossed,
    "sum, Satterthwaite": added,
    "seeds within folds": nested,
    "Banerjee": banerjee,
    "Banerjee + unseen": banerjee_and_unseen,
}


def accuracy_ends(right: np.ndarray, images: np.ndarray) -> Ends:
    """Ends of `seed_accuracy_interval`, pooled. right: int64 (B, R, S). images: int64 (B, S)."""
    from scipy.special import betaincinv, ndtri

    seeds = right.shape[1]
    total = images.sum(axis=1)
    accuracy = right.mean(axis=1).sum(axis=1) / total
    spread = accuracy * (1.0 - accuracy)
    variance, freedom = subjects_variance(right, images)
    fewest = total**2 / (images**2).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        design_effect = np.maximum(1.0, variance / (spread / total))
        count = np.maximum(total / design_effect * (ndtri(LEVEL) / stdtrit(freedom, LEVEL)) ** 2, fewest)
        if seeds > 1:
            of_seeds = seeds_variance(right, images) * (stdtrit(seeds - 1, LEVEL) / ndtri(LEVEL)) ** 2
            count = 1.0 / (1.0 / count + of_seeds / spread)
    count = np.where(spread > 0.0, count, fewest)
    with np.errstate(invalid="ignore"):
        low = betaincinv(accuracy * count, (1.0 - accuracy) * count + 1.0, 1.0 - LEVEL)
        high = betaincinv(accuracy * count + 1.0, (1.0 - accuracy) * count, LEVEL)
    return np.where(accuracy > 0.0, low, 0.0), np.where(accuracy < 1.0, high, 1.0)
