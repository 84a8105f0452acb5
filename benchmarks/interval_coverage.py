"""Coverage of 95 % confidence intervals of an accuracy: figure and numbers of docs/statistics.md.

    python -m benchmarks.interval_coverage                      the grid; some minutes on one core
    python -m benchmarks.interval_coverage --sizes unequal --name interval_coverage_unequal

Each subject's accuracy is drawn from a beta distribution. Sizes `ckplus`: images per subject as in CK+;
`unequal`: as many on average as in MMI, from 3 to about 60. The intervals are those of platform/evaluation,
computed as for a table.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.bootstrap import resample_mean_of_folds, resample_pooled
from platform.evaluation.accuracy_interval import (
    AccuracyInterval,
    Interval,
    accuracy_interval,
    clopper_pearson,
    subject_spread,
)

SUBJECTS = (31, 118)
ACCURACIES = (0.62, 0.83, 0.98)
CONCENTRATIONS = {"weak": 19.0, "strong": 2.0}
"""Concentration c of the beta distribution of subject accuracies; intra-subject correlation 1 / (1 + c)."""
STATISTICS = ("pooled", "mean of folds")
METHODS = ("percentile", "BCa", "Korn-Graubard 1998", "default")
WIDTH_SUBJECTS = (10, 20, 31, 60, 118, 250, 500, 1000)
MMI_SEQUENCES = 6.7
"""Mean number of labelled sequences per subject (208 of 31 subjects)."""
CKPLUS_SEQUENCES = np.repeat([1, 2, 3, 4, 5, 6], [21, 22, 47, 20, 7, 1])
"""Labelled sequences of each of the 118 subjects of CK+; three images each."""
FOLDS = 10


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Simulated predictions of n images."""

    correct: np.ndarray
    """bool (n,)"""
    subject: np.ndarray
    """str (n,)"""
    fold: np.ndarray
    """int64 (n,)"""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """One method in one cell of the grid; values are shares of the simulated data sets."""

    subjects: int
    accuracy: float
    heterogeneity: str
    statistic: str
    method: str
    coverage: float
    too_high: float
    """The whole interval lies above the truth (optimistic)."""
    too_low: float
    mean_width: float
    without_error: float
    """Data sets without a single wrong image."""


def images_a_subject(sizes: str, subjects: int, generator: np.random.Generator) -> np.ndarray:
    """int64 (subjects,): three images per sequence; `unequal`: negative binomial of shape 2, at least 1."""
    if sizes == "ckplus":
        return 3 * generator.choice(CKPLUS_SEQUENCES, subjects)
    return 3 * np.maximum(1, generator.negative_binomial(2, 2 / (2 + MMI_SEQUENCES), subjects))


def simulate(
    subjects: int, accuracy: float, concentration: float, sizes: str, generator: np.random.Generator
) -> DataSet:
    """Beta-binomial subjects in ten folds, cut as in FMPN."""
    images = images_a_subject(sizes, subjects, generator)
    probability = generator.beta(accuracy * concentration, (1 - accuracy) * concentration, subjects)
    right = generator.binomial(images, probability)
    place = np.arange(images.sum()) - np.repeat(np.cumsum(images) - images, images)
    cuts = np.round(np.arange(1, FOLDS) * subjects / FOLDS)
    fold = np.searchsorted(cuts, np.arange(subjects), side="right")
    return DataSet(
        correct=place < np.repeat(right, images),
        subject=np.repeat(np.char.mod("S%04d", np.arange(subjects)), images),
        fold=np.repeat(fold, images),
    )


def korn_graubard_1998(data: DataSet, fold: np.ndarray | None) -> Interval:
    """The published interval (z for t of n - 1), for comparison; without errors, that of n images."""
    from scipy.stats import norm, t

    spread = subject_spread(data.correct, data.subject, fold)
    images = spread.most_effective
    if spread.variance > 0.0:
        shrinkage = (norm.ppf(0.975) / t.ppf(0.975, spread.subject_count - 1)) ** 2
        images = min(images, spread.accuracy * (1.0 - spread.accuracy) / spread.variance * float(shrinkage))
    low, high = clopper_pearson(spread.accuracy, images, 0.95)
    return Interval(low=low, high=high)


def intervals(
    data: DataSet, statistic: str, generator: np.random.Generator, resamples: int
) -> list[Interval]:
    """One interval of each of METHODS."""
    if statistic == "pooled":
        fold = None
        sample = resample_pooled(data.correct, data.subject, generator, resamples)
    else:
        fold = data.fold
        sample = resample_mean_of_folds(data.correct, data.subject, fold, generator, resamples)
    default: AccuracyInterval = accuracy_interval(data.correct, data.subject, fold)
    return [sample.percentile(), sample.bca(), korn_graubard_1998(data, fold), default]


def measure(
    cell: tuple[int, float, str, str],
    sizes: str,
    datasets: int,
    resamples: int,
    generator: np.random.Generator,
) -> list[Coverage]:
    """All methods in one cell (subjects, accuracy, heterogeneity, statistic)."""
    subjects, accuracy, heterogeneity, statistic = cell
    ends = np.empty((datasets, len(METHODS), 2))
    without_error = 0
    for row in ends:
        data = simulate(subjects, accuracy, CONCENTRATIONS[heterogeneity], sizes, generator)
        without_error += bool(data.correct.all())
        row[:] = [
            (interval.low, interval.high) for interval in intervals(data, statistic, generator, resamples)
        ]
    too_high, too_low = (ends[..., 0] > accuracy).mean(axis=0), (ends[..., 1] < accuracy).mean(axis=0)
    width = (ends[..., 1] - ends[..., 0]).mean(axis=0)
    return [
        Coverage(
            subjects=subjects,
            accuracy=accuracy,
            heterogeneity=heterogeneity,
            statistic=statistic,
            method=method,
            coverage=float(1.0 - too_high[index] - too_low[index]),
            too_high=float(too_high[index]),
            too_low=float(too_low[index]),
            mean_width=float(width[index]),
            without_error=without_error / datasets,
        )
        for index, method in enumerate(METHODS)
    ]


def measure_widths(sizes: str, datasets: int, generator: np.random.Generator) -> dict[str, list[float]]:
    """`accuracy, heterogeneity` to the default's mean width in points for each of WIDTH_SUBJECTS."""
    widths = {}
    for accuracy, (name, concentration) in itertools.product(ACCURACIES, CONCENTRATIONS.items()):
        row = []
        for subjects in WIDTH_SUBJECTS:
            made = [simulate(subjects, accuracy, concentration, sizes, generator) for _ in range(datasets)]
            found = [accuracy_interval(data.correct, data.subject) for data in made]
            row.append(100 * float(np.mean([interval.high - interval.low for interval in found])))
        widths[f"{accuracy:.0%}, {name}"] = row
    return widths


def print_coverage(results: list[Coverage]) -> None:
    """A Markdown table with one row per cell: coverage and mean width in points of each method."""
    print("| subjects | accuracy | heterogeneity | statistic | " + " | ".join(METHODS) + " |")
    print("|---|---|---|---|" + "---|" * len(METHODS))
    for start in range(0, len(results), len(METHODS)):
        cell = results[start : start + len(METHODS)]
        shown = " | ".join(f"{one.coverage:.3f} ({100 * one.mean_width:.1f})" for one in cell)
        first = cell[0]
        named = f"{first.subjects} | {first.accuracy:.0%} | {first.heterogeneity} | {first.statistic}"
        print(f"| {named} | {shown} |")


def print_widths(widths: dict[str, list[float]]) -> None:
    """A Markdown table with one row per kind of data and one column per number of subjects."""
    print("| accuracy, heterogeneity | " + " | ".join(map(str, WIDTH_SUBJECTS)) + " |")
    print("|---|" + "---|" * len(WIDTH_SUBJECTS))
    for name, row in widths.items():
        print(f"| {name} | " + " | ".join(f"{width:.1f}" for width in row) + " |")


def draw(results: list[Coverage], datasets: int, path: Path) -> None:
    """Plot coverage (top) and mean width (bottom), pooled (left) and mean of folds (right)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(12, 7), sharex=True, sharey="row", layout="constrained")
    for column, statistic in enumerate(STATISTICS):
        for index, (method, marker) in enumerate(zip(METHODS, "vso*", strict=True)):
            chosen = [one for one in results if (one.statistic, one.method) == (statistic, method)]
            place = np.arange(len(chosen)) + 0.15 * (index - 1.5)
            top, bottom = axes[:, column]
            size = 9 if method == "default" else 6
            top.plot(place, [100 * one.coverage for one in chosen], marker, label=method, markersize=size)
            bottom.plot(place, [100 * one.mean_width for one in chosen], marker, markersize=size)
        noise = 196 * np.sqrt(0.95 * 0.05 / datasets)
        top.axhspan(95 - noise, 95 + noise, color="0.85", zorder=0)
        top.axhline(95, color="0.4", linewidth=1, zorder=0)
        top.set_title(statistic)
        bottom.set_xticks(
            range(len(chosen)),
            [f"{one.subjects}\n{one.accuracy:.0%}\n{one.heterogeneity}" for one in chosen],
        )
        bottom.set_xlabel("subjects, true accuracy, heterogeneity of subjects")
        for axis in (top, bottom):
            axis.grid(axis="y", alpha=0.3)
    axes[0, 0].set_ylabel("coverage of 95 % intervals, %")
    axes[1, 0].set_ylabel("mean width, points")
    axes[0, 0].legend(loc="lower left")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def main() -> None:
    """Simulate the grid, print both tables, write JSON and figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", type=int, default=2_000, help="simulated data sets per cell")
    parser.add_argument("--resamples", type=int, default=2_000, help="resamples per bootstrap")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", choices=("ckplus", "unequal"), default="ckplus")
    parser.add_argument(
        "--name", default="interval_coverage", help="name of the figure and of build/NAME.json"
    )
    options = parser.parse_args()
    cells = list(itertools.product(SUBJECTS, ACCURACIES, CONCENTRATIONS, STATISTICS))
    results: list[Coverage] = []
    start = time.monotonic()
    for index, cell in enumerate(cells):
        generator = np.random.default_rng([options.seed, index])
        results += measure(cell, options.sizes, options.datasets, options.resamples, generator)
        minutes = (time.monotonic() - start) / 60
        left = minutes / (index + 1) * (len(cells) - index - 1)
        print(
            f"cell {index + 1} of {len(cells)}: {minutes:.1f} min elapsed, about {left:.1f} min remaining",
            flush=True,
        )
    generator = np.random.default_rng([options.seed, len(cells)])
    widths = measure_widths(options.sizes, max(1, options.datasets // 10), generator)
    print_coverage(results)
    print_widths(widths)
    document = vars(options) | {
        "coverage": [asdict(one) for one in results],
        "width_subjects": WIDTH_SUBJECTS,
        "widths_points": widths,
    }
    numbers, figure = Path("build", f"{options.name}.json"), Path("docs/figures", f"{options.name}.png")
    numbers.parent.mkdir(exist_ok=True)
    numbers.write_text(json.dumps(document, indent=1) + "\n")
    draw(results, options.datasets, figure)
    print(f"Numbers: {numbers}. Figure: {figure}. Explained in docs/statistics.md.")


if __name__ == "__main__":
    main()
