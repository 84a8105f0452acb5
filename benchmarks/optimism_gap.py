"""What the optimism gap consists of: numbers and figure of docs/search.md.

    python -m benchmarks.optimism_gap                          eight sets; 17 minutes on one core
    python -m benchmarks.optimism_gap --sets 0 1 --trials 2    a try of two minutes

Each set has 20 synthetic people of its own and a training seed of its own. On each, a small CNN is searched
as by the rule `inner`: the score of a trial is its mean accuracy over one validation split a fold. Three
accuracies of every trial are kept: of its inner nets on the validation subjects (what selects), of the *same*
inner nets on the fold's test subjects, and of its final nets, which train on all training subjects, on the
test subjects. So

    gap shown = validation score of the winner - its final nets on the test folds
              = gap at equal training size (validation score - the same inner nets on the test folds)
              + learning curve (inner nets on the test folds - final nets on the test folds)

The gap at equal training size is the optimism of the choice, and noise: other people validate than are
tested. For the optimism alone, both scores of the inner nets are used once to choose and once to judge.
Needs no files: faces are drawn in memory and aligned as by `platform.prepare`. No Ray.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.folds.rules import ClassCounts, Fold, count_classes, inner_parts, paper_folds
from datasets.folds.view import FoldView
from datasets.synthetic import adapter
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from platform.config.configuration import Configuration, configuration_of, option_names, to_dict
from platform.config.presets import preset
from platform.models import load_method
from platform.training.stages import train_and_evaluate

FIGURE = Path("docs/figures/optimism_gap.png")
RESULTS = Path("build/optimism_gap")
"""One file a set, so that a run that was ended continues."""
FOLDS, PARTS = 5, 5
NET = {"backbone_width": 0.125, "enlarge_below_pixels": 0}
LEARNING_RATES = (3e-4, 3e-3)
"""The range of the space `baseline_quick`."""
NAMES = ("validation", "inner nets on test", "final nets on test")
VALIDATION, INNER = 0, 1
"""Places in NAMES."""


@dataclass(frozen=True, kw_only=True)
class Faces:
    """The faces of one set, as a fold view reads them (`datasets.folds.view.FaceStore`)."""

    images: np.ndarray
    subjects: np.ndarray
    sequences: np.ndarray
    expressions: np.ndarray
    image_names: np.ndarray
    class_names: tuple[str, ...] = EXPRESSIONS

    @property
    def roles(self) -> np.ndarray:
        """All are expressive: three apex frames a sequence."""
        return np.full(len(self.subjects), "expressive")


def drawn(parameters: SetParameters, size: int) -> Faces:
    """The faces that the paper's rule selects, `size` pixels a side."""
    images, names = [], []
    for subject in range(parameters.subjects):
        for sequence in range(len(EXPRESSIONS)):
            for frame in range(parameters.frames - 3, parameters.frames):
                picture, landmarks = draw_frame(parameters, subject, sequence, frame)
                points = five_points_from_68(landmarks)
                transform = similarity_transform(points, template_points(size))
                images.append(align(picture, transform, size))
                names.append((f"S{subject:03d}", EXPRESSIONS[sequence], frame))
    subjects, expressions, frames = (np.array(column) for column in zip(*names, strict=True))
    sequences = np.char.add(np.char.add(subjects, "_"), expressions)
    return Faces(
        images=np.stack(images),
        subjects=subjects,
        sequences=sequences,
        expressions=expressions,
        image_names=np.char.add(np.char.add(sequences, "_"), frames.astype(str)),
    )


def configurations(count: int, seed: int) -> list[Configuration]:
    """The quick preset of the CNN with `NET` and learning rates drawn log-uniformly."""
    names = option_names("cnn")
    quick = {name: value for name, value in preset("quick", "cnn").items() if name in names}
    base = configuration_of(**{**quick, "method": "cnn", "seed": seed, **NET})
    low, high = np.log(LEARNING_RATES)
    rates = np.exp(np.random.default_rng([seed, 1]).uniform(low, high, count))
    return [replace(base, classifier_learning_rate=float(rate)) for rate in rates]


def accuracies(
    faces: Faces, configuration: Configuration, training: list[str], scored: list[tuple[str, ...]]
) -> list[float]:
    """Accuracy on each group of subjects in `scored` of a net that is trained on the subjects `training`."""
    method = load_method("cnn")
    view = FoldView(
        faces,
        train_subjects=training,
        evaluation_subjects=[subject for group in scored for subject in group],
        role="inner",
    )
    outcome = train_and_evaluate(
        method,
        method.settings(to_dict(configuration)),
        view,
        {},
        minimum_batch=2,
        device=torch.device("cpu"),
        report=lambda values: None,
    )
    right = outcome.scores.argmax(1) == outcome.scored.labels
    return [float(right[np.isin(outcome.scored.subjects, group)].mean()) for group in scored]


def searched(faces: Faces, trials: int, seed: int) -> list[list[list[float]]]:
    """Of each trial and fold, the three accuracies NAMES."""
    classes = count_classes(faces.subjects, faces.expressions)
    folds = paper_folds(faces.subjects, FOLDS).folds
    return [
        [_of_fold(faces, one, fold, classes, seed) for fold in folds] for one in configurations(trials, seed)
    ]


def _of_fold(
    faces: Faces, configuration: Configuration, fold: Fold, classes: ClassCounts, seed: int
) -> list[float]:
    held_out = inner_parts(fold.train_subjects, classes, seed=seed, part_count=PARTS)[fold.index % PARTS]
    inner = [subject for subject in fold.train_subjects if subject not in held_out]
    validation, test = accuracies(faces, configuration, inner, [held_out, fold.test_subjects])
    (final,) = accuracies(faces, configuration, list(fold.train_subjects), [fold.test_subjects])
    return [validation, test, final]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Means over sets, in points, with the half-width of the 95 % interval over sets (t)."""

    trials: int
    shown: tuple[float, float]
    at_equal_size: tuple[float, float]
    """At equal training size: the validation score minus the same inner nets on the test folds."""
    of_curve: tuple[float, float]
    """Inner nets minus final nets on the test folds."""
    of_choice: tuple[float, float]
    """Optimism of the choice. Both accuracies of the inner nets, on validation and on test subjects, are used
    once to choose and once to judge; the difference between these people cancels in the mean."""


def gap_of(found: np.ndarray, trials: int) -> Gap:
    """Of a search of that many trials. found: [sets, trials, 3], means over folds of NAMES.

    In each set the mean over all choices of so many trials from those that were run.
    """
    chosen = [_mean_winner(of_set, trials, VALIDATION) for of_set in found]
    validation, inner, final = 100 * np.stack(chosen).T
    other_way = 100 * np.stack([_mean_winner(of_set, trials, INNER) for of_set in found]).T
    return Gap(
        trials=trials,
        shown=_mean(validation - final),
        at_equal_size=_mean(validation - inner),
        of_curve=_mean(inner - final),
        of_choice=_mean((validation - inner + other_way[INNER] - other_way[VALIDATION]) / 2),
    )


def _mean_winner(of_set: np.ndarray, trials: int, judge: int) -> np.ndarray:
    """float [3]: accuracies of the best trial by one of NAMES, mean over all choices of so many trials."""
    winners = []
    for some in combinations(range(len(of_set)), trials):
        chosen = of_set[list(some)]
        winners.append(chosen[chosen[:, judge].argmax()])
    mean: np.ndarray = np.mean(winners, axis=0)
    return mean


def _mean(values: np.ndarray) -> tuple[float, float]:
    from scipy.stats import t

    error = float(values.std(ddof=1)) / len(values) ** 0.5
    return float(values.mean()), float(t.ppf(0.975, len(values) - 1)) * error


def write_figure(gaps: list[Gap], sets: int) -> None:
    """The gap shown and its two parts, by the number of trials."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6.4, 4.0), layout="constrained")
    trials = [gap.trials for gap in gaps]
    lines = {
        "gap at equal training size": [gap.at_equal_size for gap in gaps],
        "gap shown": [gap.shown for gap in gaps],
        "learning curve": [gap.of_curve for gap in gaps],
        "optimism of the choice": [gap.of_choice for gap in gaps],
    }
    for place, (name, values) in enumerate(lines.items()):
        means, widths = zip(*values, strict=True)
        shifted = [number + 0.06 * (place - 1) for number in trials]
        axes.errorbar(shifted, means, yerr=widths, marker="o", capsize=3, label=name)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_xticks(trials)
    axes.set_xlabel("trials of the search")
    axes.set_ylabel("points")
    axes.set_title(f"Optimism gap, mean of {sets} synthetic sets of 20 people, 95 % CI", fontsize=10)
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    figure.savefig(FIGURE, dpi=110)
    print(f"figure: {FIGURE}")


def main() -> None:
    """Search each set that has not been searched yet, print the table and write the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, nargs="+", default=list(range(8)), help="seeds of the sets")
    parser.add_argument("--trials", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    found = []
    for seed in options.sets:
        path = RESULTS / f"set-{seed}-of-{options.trials}-trials.json"
        if not path.exists():
            faces = drawn(replace(adapter.PARAMETERS, seed=seed), 52)
            path.write_text(json.dumps(searched(faces, options.trials, seed)))
        found.append(np.array(json.loads(path.read_text())).mean(axis=1))  # over folds
    accuracies_of_sets = np.array(found)
    means = 100 * accuracies_of_sets.mean(axis=(0, 1))
    print("; ".join(f"{name} {value:.1f} %" for name, value in zip(NAMES, means, strict=True)))
    gaps = [gap_of(accuracies_of_sets, trials) for trials in range(1, options.trials + 1)]
    print(
        "| trials | gap shown | at equal size | learning curve | optimism of the choice |\n"
        "|---|---|---|---|---|"
    )
    for gap in gaps:
        parts = (gap.shown, gap.at_equal_size, gap.of_curve, gap.of_choice)
        print(f"| {gap.trials} | {' | '.join(f'{mean:+.1f} ± {width:.1f}' for mean, width in parts)} |")
    write_figure(gaps, len(found))


if __name__ == "__main__":
    main()
