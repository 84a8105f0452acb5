"""Coverage of 95 % intervals of a paired difference over subjects and seeds: docs/statistics.md.

    python -m benchmarks.paired_coverage                  the grid; about six minutes on one core
    python -m benchmarks.paired_coverage --sizes unequal --name paired_coverage_unequal

Simulates pairs of methods (benchmarks/paired_simulation.py), computes the intervals of all candidates
(benchmarks/paired_procedures.py), and counts how often they hold the true difference over new subjects and
new seeds; of one seed also that of its own nets over new subjects. Prints every cell of the platform's
procedures below .93.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.paired_procedures import ONE_SEED, SEVERAL_SEEDS, Ends, accuracy_ends
from benchmarks.paired_simulation import SPREADS, Draws, Truth, simulate
from platform.evaluation.paired_tests import sign_flip_p

SUBJECTS = (6, 20, 31, 118)
SEEDS = (1, 3, 5)
ACCURACIES = (0.40, 0.60, 0.80, 0.98)
DIFFERENCES = (0.0, 0.05, 0.15)
KINDS = ("weak", "strong")
ENOUGH = 0.93
OWN = {1: "t, Satterthwaite + unseen", 3: "Banerjee + unseen", 5: "Banerjee + unseen"}
"""The platform's procedure by number of seeds."""
NETS = ", these nets"
"""Ending of a procedure's name where the target is the nets of its seed over new subjects."""
ACCURACY = "accuracy"
"""Name of the interval of one method's accuracy; its target is the accuracy."""
TESTED = 200
"""Data sets of a cell whose exact p value is computed."""
BOOTSTRAPPED = 400
"""Data sets of a cell whose bootstrap intervals are computed."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One procedure in one cell of the grid; values are shares of the simulated data sets."""

    truth: Truth
    seeds: int
    procedure: str
    coverage: float
    mean_width: float
    excludes_zero: float
    significant: float | None
    """The platform's p value is at most .05; None for other procedures."""


def measure(truth: Truth, datasets: int, sizes: str, generator: np.random.Generator) -> list[Cell]:
    """All procedures and numbers of seeds in one cell."""
    draws = simulate(truth, max(SEEDS), datasets, sizes, generator)
    gained = draws.right[0] - draws.right[1]
    of_nets = draws.of_nets[0] - draws.of_nets[1]
    cells: list[Cell] = []
    for seeds in SEEDS:
        for name, procedure in (ONE_SEED if seeds == 1 else SEVERAL_SEEDS).items():
            count = min(datasets, BOOTSTRAPPED) if name.startswith("bootstrap") else datasets
            ends = procedure(gained[:count, :seeds], draws.images[:count], draws.fold, generator)
            significant = _significant(gained[:, :seeds], ends) if name == OWN[seeds] else None
            cells.append(_cell(truth, seeds, name, ends, truth.difference, significant))
            if seeds == 1:
                cells.append(_cell(truth, seeds, name + NETS, ends, of_nets[:count, 0], None))
        cells.append(_accuracy_cell(truth, seeds, draws))
    return cells


def _accuracy_cell(truth: Truth, seeds: int, draws: Draws) -> Cell:
    ends = accuracy_ends(draws.right[0][:, :seeds], draws.images)
    return _cell(truth, seeds, ACCURACY, ends, truth.accuracy, None)


def _significant(gained: np.ndarray, ends: Ends) -> float:
    """Share of p values of at most .05 as `paired_difference` gives them. gained: int64 (B, R, S)."""
    sums = gained.sum(axis=1)[:TESTED]
    excluded = ((ends[0] > 0.0) | (ends[1] < 0.0))[:TESTED]
    asked = np.ones(len(sums), dtype=bool) if gained.shape[1] == 1 else excluded
    return sum(sign_flip_p(one) <= 0.05 for one in sums[asked]) / len(sums)


def _cell(
    truth: Truth,
    seeds: int,
    procedure: str,
    ends: Ends,
    target: float | np.ndarray,
    significant: float | None,
) -> Cell:
    low, high = ends
    return Cell(
        truth=truth,
        seeds=seeds,
        procedure=procedure,
        coverage=float(((low <= target + 1e-12) & (target - 1e-12 <= high)).mean()),
        mean_width=float((high - low).mean()),
        excludes_zero=float(((low > 0.0) | (high < 0.0)).mean()),
        significant=significant,
    )


def chosen(cells: list[Cell], seeds: int, subjects: int, procedure: str) -> list[Cell]:
    """The cells of one procedure."""
    wanted = (seeds, subjects, procedure)
    return [cell for cell in cells if (cell.seeds, cell.truth.subjects, cell.procedure) == wanted]


def print_tables(cells: list[Cell]) -> None:
    """Lowest coverage and mean width of each procedure; size and power of the p value; failing cells."""
    print("\nlowest coverage over cells (mean width, points)")
    for seeds in SEEDS:
        names = list(dict.fromkeys(cell.procedure for cell in cells if cell.seeds == seeds))
        names.remove(ACCURACY)
        print(f"\n| {seeds} seed{'s' if seeds > 1 else ''} |" + "".join(f" {size} |" for size in SUBJECTS))
        print("|---|" + "---|" * len(SUBJECTS))
        for name in names:
            print(f"| {name} |" + "".join(f" {_summary(chosen(cells, seeds, s, name))} |" for s in SUBJECTS))
    print("\np <= .05: highest share without a difference; mean share at 5 and 15 points")
    for seeds in SEEDS:
        for agree in (True, False):
            line = []
            for subjects in SUBJECTS:
                own = [
                    cell
                    for cell in chosen(cells, seeds, subjects, OWN[seeds])
                    if (cell.truth.spread == "seeds agree") is agree
                ]
                line.append(_shares(own))
            print(f"| {seeds} | {'none' if agree else 'up to 4.9 points'} | " + " | ".join(line) + " |")
    print("\naccuracy of one method: lowest coverage (mean width, points); one seed where seeds agree")
    for seeds in SEEDS:
        line = [
            [
                cell
                for cell in chosen(cells, seeds, subjects, ACCURACY)
                if seeds > 1 or cell.truth.spread == "seeds agree"
            ]
            for subjects in SUBJECTS
        ]
        print(f"| {seeds} | " + " | ".join(map(_summary, line)) + " |")
    print(f"\ncells of the platform's procedures below {ENOUGH}")
    for cell in cells:
        name = cell.procedure
        own = name == OWN[cell.seeds] if cell.seeds > 1 else name == OWN[1] + NETS
        alike = cell.seeds > 1 or cell.truth.spread == "seeds agree"
        if (own or (name == ACCURACY and alike)) and cell.coverage < ENOUGH:
            print(f"{cell.coverage:.3f}: {cell.seeds} seed(s), {name}, {cell.truth}")


def _summary(cells: list[Cell]) -> str:
    width = 100 * np.mean([cell.mean_width for cell in cells])
    return f"{min(cell.coverage for cell in cells):.3f} ({width:.0f})"


def _shares(cells: list[Cell]) -> str:
    by = {
        difference: [cell.significant or 0.0 for cell in cells if cell.truth.difference == difference]
        for difference in DIFFERENCES
    }
    return f"{max(by[0.0]):.2f}; {np.mean(by[0.05]):.2f}, {np.mean(by[0.15]):.2f}"


def draw(cells: list[Cell], path: Path) -> None:
    """Lowest and mean coverage, and mean width, by number of subjects; one column a number of seeds."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 3, figsize=(12, 6.5), sharex=True, sharey="row", layout="constrained")
    for column, seeds in enumerate(SEEDS):
        top, bottom = axes[:, column]
        procedures = ONE_SEED if seeds == 1 else SEVERAL_SEEDS
        names = [name + NETS for name in procedures] if seeds == 1 else list(procedures)
        for index, name in enumerate(names):
            own = name.removesuffix(NETS) == OWN[seeds]
            found = [chosen(cells, seeds, subjects, name) for subjects in SUBJECTS]
            lowest = [100 * min(cell.coverage for cell in each) for each in found]
            width = [100 * np.mean([cell.mean_width for cell in each]) for each in found]
            style = {"color": "black", "linewidth": 2.5} if own else {"color": f"C{index}", "linewidth": 1}
            top.plot(range(len(SUBJECTS)), lowest, "o-", markersize=4, label=name, **style)
            bottom.plot(range(len(SUBJECTS)), width, "o-", markersize=4, **style)
        top.axhline(100 * ENOUGH, color="0.5", linewidth=1, zorder=0)
        top.set_ylim(40, 101)
        top.set_title("one seed; target: its nets" if seeds == 1 else f"{seeds} seeds; target: new seeds")
        top.legend(loc="lower right", fontsize=7)
        bottom.set_xticks(range(len(SUBJECTS)), [str(size) for size in SUBJECTS])
        bottom.set_xlabel("subjects")
        for axis in (top, bottom):
            axis.grid(axis="y", alpha=0.3)
    axes[0, 0].set_ylabel("lowest coverage, %")
    axes[1, 0].set_ylabel("mean width, points")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Simulate the grid, print the tables, write JSON and figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--datasets", type=int, default=2_000, help="simulated comparisons per cell")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sizes", choices=("ckplus", "unequal"), default="ckplus")
    parser.add_argument("--name", default="paired_coverage", help="name of the figure and of build/NAME.json")
    options = parser.parse_args()
    cells: list[Cell] = []
    start = time.monotonic()
    grid = list(itertools.product(SUBJECTS, ACCURACIES, DIFFERENCES, KINDS, SPREADS))
    for index, (subjects, accuracy, difference, heterogeneity, spread) in enumerate(grid):
        truth = Truth(
            subjects=subjects,
            accuracy=accuracy,
            difference=difference,
            heterogeneity=heterogeneity,
            spread=spread,
        )
        generator = np.random.default_rng([options.seed, index])
        cells += measure(truth, options.datasets, options.sizes, generator)
        if not (index + 1) % 40:
            print(f"cell {index + 1} of {len(grid)}: {(time.monotonic() - start) / 60:.1f} min", flush=True)
    print_tables(cells)
    numbers, figure = Path("build", f"{options.name}.json"), Path("docs/figures", f"{options.name}.png")
    numbers.parent.mkdir(exist_ok=True)
    numbers.write_text(json.dumps([asdict(cell) for cell in cells]) + "\n")
    draw(cells, figure)
    print(f"Numbers: {numbers}. Figure: {figure}. Explained in docs/statistics.md.")


if __name__ == "__main__":
    main()
