"""Coverage of the intervals of measures beyond accuracy (docs/statistics.md).

    python -m benchmarks.measure_coverage --datasets 400

Draws predictions of subjects whose classes, difficulty and habits differ, as in CK+: one to five sequences of
three images, each of another class, so that with few subjects a class is shown by one or two of them. Prints,
for each number of subjects, how often a 95 % CI covers the value of 15,000 subjects, the mean width, and how
far the estimate itself is off on average.
"""

from __future__ import annotations

import argparse

import numpy as np

from platform.evaluation.scored_items import ScoredItems
from platform.evaluation.unit_metrics import UNIT_METRICS, measures

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
SHARES = (0.14, 0.06, 0.18, 0.08, 0.21, 0.09, 0.24)
"""How often a subject shows each class, as in CK+."""
POPULATION = 15_000
SUBJECTS = (6, 12, 20, 31, 118)
SIGNALS = {"52 %": 1.6, "94 %": 4.0}
"""Accuracy of the method to the advantage of the true class among its logits."""


def drawn_items(random: np.random.Generator, subjects: int, signal: float) -> ScoredItems:
    """The predictions of one data set."""
    owner, true, logits = [], [], []
    for subject in range(subjects):
        shown = random.choice(len(CLASSES), size=random.integers(1, 6), replace=False, p=SHARES)
        ease, habit = random.normal(0.0, 0.8), random.normal(0.0, 0.5, len(CLASSES))
        for number in shown:
            of_sequence = habit + random.normal(0.0, 1.0, len(CLASSES))
            for _ in range(3):
                one = of_sequence + random.normal(0.0, 0.4, len(CLASSES))
                one[number] += signal + ease
                owner.append(subject)
                true.append(number)
                logits.append(one)
    exponents = np.exp(np.array(logits))
    scores = exponents / exponents.sum(axis=1, keepdims=True)
    return ScoredItems(
        true=np.array(true),
        predicted=scores.argmax(axis=1),
        subject=np.array(owner),
        scores=scores,
        class_names=CLASSES,
        subject_names=tuple(f"{number:06d}" for number in range(subjects)),
    )


def covered(signal: float, subjects: int, datasets: int, truth: dict[str, float]) -> dict[str, list[float]]:
    """Key of each measure to coverage (NaN without intervals), mean width and mean error."""
    random = np.random.default_rng([0, subjects, int(10 * signal)])
    found: dict[str, list[list[float]]] = {metric.key: [] for metric in UNIT_METRICS}
    for _ in range(datasets):
        values = measures(drawn_items(random, subjects, signal), "", details=False).values
        for key, one in values.items():
            if one is not None:
                ends = one.interval
                inside = np.nan if ends is None else float(ends.low <= truth[key] <= ends.high)
                width = np.nan if ends is None else ends.high - ends.low
                found[key].append([inside, width, one.value - truth[key]])
    return {key: np.mean(rows, axis=0).tolist() for key, rows in found.items()}


def main() -> None:
    """Print the tables as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--datasets", type=int, default=400, help="data sets a cell (default: 400)")
    datasets = parser.parse_args().datasets
    keys = [metric.key for metric in UNIT_METRICS]
    print(f"| accuracy, subjects | {' | '.join(keys)} |\n|---|{'---|' * len(keys)}")
    for name, signal in SIGNALS.items():
        population = drawn_items(np.random.default_rng(0), POPULATION, signal)
        values = measures(population, "", details=False).values
        truth = {key: one.value for key, one in values.items() if one is not None}
        for subjects in SUBJECTS:
            found = covered(signal, subjects, datasets, truth)
            cells = [
                f"{error:+.3f}" if np.isnan(share) else f"{share:.3f} ({width:.3f}), {error:+.3f}"
                for share, width, error in (found[key] for key in keys)
            ]
            print(f"| {name}, {subjects} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
