"""Coverage of 95 % intervals of the mean of recalls (UAR): docs/statistics.md.

    python -m benchmarks.statistic_coverage                     some minutes on one core

Six classes of different recall, up to three images of a class a subject, subjects of different difficulty,
and seeds whose effect all folds share. Intervals by `subject_interval`: as a share, as a real number, of the
difference of two methods; counted where the interval exists (a class of one subject only has none).
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
from scipy.special import ndtr, ndtri

from platform.evaluation.subject_interval import paired_subject_interval, subject_interval

SUBJECTS = (6, 20, 31, 118)
SEEDS = (1, 3, 5)
RECALLS = {"70 %": np.linspace(0.60, 0.80, 6), "95 %": np.linspace(0.92, 0.98, 6)}
HARDER = 0.05
"""Of the second method, in every class."""
SHARED, OWN = 0.7, 0.3
"""Standard deviations of the effects of a subject on all its images, and on those of one class and method."""
SEED = 0.15
"""Standard deviation of the effect of a seed: about 4.9 points at 75 %."""


def mean_of_recalls(sums: np.ndarray) -> np.ndarray:
    """float (...): sums (..., 2 C), correct images of each class, then images of each; NaN without images."""
    classes = sums.shape[-1] // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((sums[..., :classes] / sums[..., classes:]).mean(axis=-1))


def simulate(
    recalls: np.ndarray, seeds: int, subjects: int, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Sums (R, S, 2 C) of two methods, the second worse by HARDER in every class."""
    spread = SEED if seeds > 1 else 0.0
    images = generator.integers(0, 4, (subjects, len(recalls)))
    shared = SHARED * generator.standard_normal((subjects, 1))
    scale = np.sqrt(1.0 + SHARED**2 + OWN**2)
    both = []
    for level in (recalls, recalls - HARDER):
        effect = shared + OWN * generator.standard_normal(images.shape)
        effect = effect + scale * spread * generator.standard_normal((seeds, 1, 1))
        right = generator.binomial(images, ndtr(ndtri(level) * scale * np.sqrt(1 + spread**2) + effect))
        both.append(np.concatenate([right, np.broadcast_to(images, right.shape)], axis=-1))
    return both[0], both[1]


def measure(recalls: np.ndarray, seeds: int, subjects: int, datasets: int, seed: int) -> list[str]:
    """`coverage (mean width in points)` as a share, as a real number, of the difference."""
    generator = np.random.default_rng([seed, seeds, subjects, round(1000 * recalls[0])])
    held, width, found = np.zeros(3), np.zeros(3), 0
    for _ in range(datasets):
        first, second = simulate(recalls, seeds, subjects, generator)
        if not (first[0, :, len(recalls) :].sum(axis=0) > 0).all():
            continue
        intervals = (
            subject_interval(first, mean_of_recalls, share=True),
            subject_interval(first, mean_of_recalls, limits=(0.0, 1.0)),
            paired_subject_interval(first, second, mean_of_recalls),
        )
        for index, (interval, truth) in enumerate(
            zip(intervals, (recalls.mean(), recalls.mean(), HARDER), strict=True)
        ):
            if interval is not None:
                held[index] += interval.low <= truth <= interval.high
                width[index] += interval.high - interval.low
        found += intervals[0] is not None
    return [f"{a / found:.3f} ({100 * b / found:.0f})" for a, b in zip(held, width, strict=True)]


def main() -> None:
    """Simulate and print one line a cell."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", type=int, default=500, help="simulated data sets per cell")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(
        "| subjects | seeds | UAR | as a share | as a real number | difference |\n|---|---|---|---|---|---|"
    )
    for subjects, seeds, name in itertools.product(SUBJECTS, SEEDS, RECALLS):
        found = measure(RECALLS[name], seeds, subjects, options.datasets, options.seed)
        print(f"| {subjects} | {seeds} | {name} | {' | '.join(found)} |", flush=True)


if __name__ == "__main__":
    main()
