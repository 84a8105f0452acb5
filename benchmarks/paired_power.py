"""Shares of true differences that intervals without overlap mark, and paired tests: docs/statistics.md.

    python -m benchmarks.paired_power                     about a minute on one core

A reference and four methods, one seed each: one is truly better by 15 points, three equal the reference.
Marked: by intervals of two accuracies that share no point; by the exact sign-flip test of each against the
reference with Holm's correction over the four. Methods differ between subjects weakly, strongly, or not at
all (then a subject is as much harder for one method as for the other).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.paired_procedures import accuracy_ends
from benchmarks.paired_simulation import Draws, Truth, simulate_methods
from platform.evaluation.paired_tests import holm, sign_flip_p

SUBJECTS = (6, 8, 10, 14, 20, 31, 60, 118)
DIFFERENCE = 0.15
EQUAL_METHODS = 3
ACCURACY = 0.90
"""Of the better method."""
LABELS = {
    "alike": "subjects equally hard for all methods",
    "weak": "methods differ between subjects, weakly",
    "strong": "methods differ between subjects, strongly",
}
SIZES = {"ckplus": "9 images a subject", "unequal": "20 images a subject"}


def marked(draws: Draws) -> tuple[float, float, float]:
    """Better method marked by intervals, by tests; an equal one by tests. Last method: the reference."""
    right, images = draws.right[:, :, 0], draws.images
    low, high = zip(*(accuracy_ends(method[:, None], images) for method in right), strict=True)
    apart = float((low[0] > high[-1]).mean())
    found = wrong = 0
    for gained in np.moveaxis(right[:-1] - right[-1], 0, 1):
        adjusted = holm([sign_flip_p(one) for one in gained])
        found += adjusted[0] <= 0.05 and gained[0].sum() > 0
        wrong += min(adjusted[1:]) <= 0.05
    return apart, found / len(images), wrong / len(images)


def draw(results: dict[tuple[str, str], list[tuple[float, float, float]]], path: Path) -> None:
    """One panel for each kind of subjects: shares by number of subjects."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(12, 3.6), sharey=True, layout="constrained")
    for axis, kind in zip(axes, LABELS, strict=True):
        for sizes, style in zip(SIZES, ("o--", "o-"), strict=True):
            shares = 100 * np.array(results[kind, sizes])
            axis.plot(range(len(SUBJECTS)), shares[:, 1], style, color="C0", label=f"paired, {SIZES[sizes]}")
            axis.plot(range(len(SUBJECTS)), shares[:, 0], style, color="C3", label=f"overlap, {SIZES[sizes]}")
        axis.set_title(LABELS[kind], fontsize=10)
        axis.set_xticks(range(len(SUBJECTS)), [str(size) for size in SUBJECTS])
        axis.set_xlabel("subjects")
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("true 15 points marked, %")
    axes[0].legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Simulate, print the table, draw the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", type=int, default=400, help="simulated comparisons per cell")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    worse = ACCURACY - DIFFERENCE
    accuracies = [ACCURACY, *[worse] * EQUAL_METHODS, worse]
    results: dict[tuple[str, str], list[tuple[float, float, float]]] = {}
    print("| subjects are | images |" + "".join(f" {size} |" for size in SUBJECTS))
    print("|---|---|" + "---|" * len(SUBJECTS))
    for place, kind in enumerate(LABELS):
        for sizes in SIZES:
            results[kind, sizes] = []
            for subjects in SUBJECTS:
                truth = Truth(
                    subjects=subjects,
                    accuracy=ACCURACY,
                    difference=DIFFERENCE,
                    heterogeneity=kind,
                    spread="seeds agree",
                )
                generator = np.random.default_rng([options.seed, place, subjects])
                draws = simulate_methods(accuracies, truth, 1, options.datasets, sizes, generator)
                results[kind, sizes].append(marked(draws))
            cells = "".join(f" {100 * a:.0f}, {100 * b:.0f} |" for a, b, _ in results[kind, sizes])
            print(f"| {kind} | {SIZES[sizes]} |{cells}", flush=True)
    highest = max(wrong for rows in results.values() for *_, wrong in rows)
    print(f"equal methods marked by tests: at most {100 * highest:.1f} % of comparisons")
    figure = Path("docs/figures/paired_power.png")
    draw(results, figure)
    print(f"Figure: {figure}. Explained in docs/statistics.md.")


if __name__ == "__main__":
    main()
