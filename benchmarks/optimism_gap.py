"""What the optimism gap consists of: numbers and figure of docs/statistics.md.

    python -m benchmarks.optimism_gap                        12 sets of other people; 20 minutes on one core
    python -m benchmarks.optimism_gap --sets 2 --trials 2    a try of two minutes

Each set has 20 synthetic people of its own and a training seed of its own. On each, a small CNN is searched
as by the rule `inner`: the score of a trial is its mean accuracy over one validation split a fold. Three
accuracies of every trial are kept: of its inner nets on the validation subjects (what selects), of the *same*
inner nets on the fold's test subjects, and of its final nets, which train on all training subjects, on the
test subjects. So

    gap shown     = validation score of the winner - its final nets on the test folds
                  = optimism of the choice  (validation score - the same inner nets on the test folds)
                  + learning curve, negative (inner nets on the test folds - final nets on the test folds)

The second line compares nets of equal training size. With one trial nothing is chosen, and it is 0 in
expectation. Needs no files: faces are drawn in memory and aligned as by `platform.prepare`. No Ray.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
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


def main() -> None:
    """Search each set, keep what was found after every one, print the table and write the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", type=int, nargs="+", default=list(range(8)), help="seeds of the sets")
    parser.add_argument("--trials", type=int, default=6)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    for seed in options.sets:
        path = RESULTS / f"set-{seed}-of-{options.trials}-trials.json"
        if not path.exists():
            faces = drawn(replace(adapter.PARAMETERS, seed=seed), 52)
            path.write_text(json.dumps(searched(faces, options.trials, seed)))


if __name__ == "__main__":
    main()
