"""Difficulty of the synthetic faces: figures and numbers of docs/synthetic.md.

    python -m benchmarks.synthetic_difficulty                  numbers and figures of the default set
    python -m benchmarks.synthetic_difficulty --sweep          the same numbers by difficulty
    python -m benchmarks.synthetic_difficulty --network        a small CNN, trained and untrained

Needs no files: faces are drawn in memory and aligned as by `platform.prepare`.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from datasets.alignment.similarity import align, five_points_from_68, similarity_transform, template_points
from datasets.masks.motion_masks import class_motion_masks, to_gray
from datasets.synthetic import adapter, adapter_wild
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.sheet import contact_sheet, preview_sheet

PIXELS, MASK_PIXELS = 48, 70
FIGURES = Path("docs/figures")


@dataclass(frozen=True)
class Faces:
    """Aligned gray faces of a set: three apex frames per sequence, one neutral face per subject."""

    small: np.ndarray
    """uint8 [n, 48, 48]"""
    large: np.ndarray
    """uint8 [n, 70, 70]"""
    neutral: np.ndarray
    """uint8 [subjects, 70, 70]"""
    labels: np.ndarray
    """int64 [n] index into EXPRESSIONS."""
    subjects: np.ndarray
    """int64 [n]"""


def _subject_faces(parameters: SetParameters, subject: int) -> list[tuple[int, int, np.ndarray, np.ndarray]]:
    faces = []
    for sequence in range(len(EXPRESSIONS)):
        first = [0] if sequence == 0 else []
        for frame in [*first, *range(parameters.frames - 3, parameters.frames)]:
            picture, landmarks = draw_frame(parameters, subject, sequence, frame)
            points = five_points_from_68(landmarks)
            small, large = (
                to_gray(align(picture, similarity_transform(points, template_points(size)), size))
                for size in (PIXELS, MASK_PIXELS)
            )
            faces.append((sequence, frame, small, large))
    return faces


def draw_faces(parameters: SetParameters, processes: int) -> Faces:
    """All faces of a set that the paper's rule selects."""
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        people = list(
            pool.map(_subject_faces, [parameters] * parameters.subjects, range(parameters.subjects))
        )
    apex = [(subject, *face) for subject, faces in enumerate(people) for face in faces if face[1] > 0]
    return Faces(
        small=np.stack([face[3] for face in apex]),
        large=np.stack([face[4] for face in apex]),
        neutral=np.stack([face[3] for faces in people for face in faces if face[1] == 0]),
        labels=np.array([face[1] for face in apex]),
        subjects=np.array([face[0] for face in apex]),
    )


def logistic_regression(faces: Faces) -> np.ndarray:
    """int64 [7, 7] confusion (true, predicted) of ten subject-wise folds, on 48 x 48 pixels in [0, 1].

    C = 1. Pixels are first rotated onto all their principal axes: the penalty is invariant to rotation, so
    the classifier equals that on pixels, at a fraction of the time.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    pixels = faces.small.reshape(len(faces.small), -1) / 255.0
    left, scales, _ = np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)
    rotated = left * scales
    confusion = np.zeros((len(EXPRESSIONS), len(EXPRESSIONS)), np.int64)
    for train, test in GroupKFold(10).split(rotated, faces.labels, faces.subjects):
        model = LogisticRegression(C=1.0, max_iter=1000).fit(rotated[train], faces.labels[train])
        np.add.at(confusion, (faces.labels[test], model.predict(rotated[test])), 1)
    return confusion


def variance_share(faces: Faces, groups: np.ndarray) -> float:
    """Share of the variance of the 48 x 48 pixels between the group means."""
    pixels = faces.small.reshape(len(faces.small), -1).astype(np.float64)
    centre = pixels.mean(axis=0)
    between = sum(
        (groups == group).sum() * ((pixels[groups == group].mean(axis=0) - centre) ** 2).sum()
        for group in np.unique(groups)
    )
    return float(between / ((pixels - centre) ** 2).sum())


def motion_masks(faces: Faces) -> np.ndarray:
    """uint8 [7, 70, 70]: motion masks of all subjects (docs/methods.md, §2.1)."""
    return class_motion_masks(faces.large, faces.neutral, faces.subjects, faces.labels, len(EXPRESSIONS))


def released_masks(folder: Path) -> np.ndarray | None:
    """float64 [7, 70, 70]: FMPN's released CK+ masks, mean over folds; None if they are missing."""
    if not folder.is_dir():
        return None
    return np.stack(
        [
            np.mean(
                [
                    cv2.imread(str(folder / str(fold) / f"{index}.png"), cv2.IMREAD_GRAYSCALE)
                    for fold in range(10)
                ],
                axis=0,
            )
            for index in range(len(EXPRESSIONS))
        ]
    )


def correlations(ours: np.ndarray, released: np.ndarray) -> np.ndarray:
    """float64 [7, 7]: Pearson correlation over pixels of our masks (rows) with released masks (columns)."""
    count = len(ours)
    stacked = np.concatenate([ours.reshape(count, -1), released.reshape(count, -1)]).astype(np.float64)
    return np.corrcoef(stacked)[:count, count:]


def report(parameters: SetParameters, processes: int, released: Path) -> Faces:
    """Print all numbers of one set."""
    faces = draw_faces(parameters, processes)
    confusion = logistic_regression(faces)
    print(f"{parameters.subjects} people, difficulty {parameters.difficulty}: {len(faces.labels)} images")
    print(
        f"  logistic regression, 10 subject-wise folds: {100 * np.trace(confusion) / confusion.sum():.1f} %"
    )
    recalls = confusion.diagonal() / confusion.sum(axis=1)
    print(
        "   ",
        ", ".join(f"{name} {100 * recall:.0f}" for name, recall in zip(EXPRESSIONS, recalls, strict=True)),
    )
    print(f"  variance between people: {100 * variance_share(faces, faces.subjects):.1f} %")
    print(f"  variance between expressions: {100 * variance_share(faces, faces.labels):.1f} %")
    masks = motion_masks(faces)
    between = correlations(masks, masks)[~np.eye(len(masks), dtype=bool)]
    print(
        f"  correlation between the masks of two classes: {between.mean():.2f} (largest {between.max():.2f})"
    )
    reference = released_masks(released)
    if reference is not None:
        own = correlations(reference, reference)[~np.eye(len(masks), dtype=bool)]
        print(f"    of the released masks: {own.mean():.2f} (largest {own.max():.2f})")
        same = correlations(masks, reference).diagonal()
        print("  correlation with the released mask of the class:")
        print("   ", ", ".join(f"{name} {value:.2f}" for name, value in zip(EXPRESSIONS, same, strict=True)))
    return faces


def write_figures(faces: Faces, released: Path) -> None:
    """Write the figures of docs/synthetic.md."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 86]
    laboratory, wild = adapter.PARAMETERS, adapter_wild.PARAMETERS
    sheets = {
        "synthetic_contact_sheet": contact_sheet(seed=0, people=7, cell_pixels=256),
        "synthetic_default_set": preview_sheet(laboratory, people=6, cell_pixels=160),
        "synthetic_wild_set": preview_sheet(replace(wild, size_pixels=192), people=6, cell_pixels=160),
    }
    for name, sheet in sheets.items():
        cv2.imwrite(str(FIGURES / f"{name}.jpg"), sheet[:, :, ::-1], quality)
    rows = [np.hstack(list(motion_masks(faces)))]
    reference = released_masks(released)
    if reference is not None:
        rows.append(np.hstack(list(reference.astype(np.uint8))))
    enlarged = cv2.resize(np.vstack(rows), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(FIGURES / "synthetic_masks.png"), enlarged)
    print(f"figures: {FIGURES}")


def train_network(faces: Faces, epochs: int, folds: int = 5) -> float:
    """Accuracy of a small CNN on unseen subjects; `epochs` 0: of an untrained one."""
    import torch
    from sklearn.model_selection import GroupKFold
    from torch import nn

    images = torch.from_numpy(faces.small).float()[:, None] / 255 - 0.5
    labels = torch.from_numpy(faces.labels)
    right = 0
    for fold, (train, test) in enumerate(GroupKFold(folds).split(faces.small, groups=faces.subjects)):
        torch.manual_seed(fold)
        layers: list[nn.Module] = []
        for before, after in ((1, 24), (24, 48), (48, 96)):
            layers += [
                nn.Conv2d(before, after, 3, padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        network = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.4), nn.Linear(96 * 36, len(EXPRESSIONS)))
        optimizer = torch.optim.Adam(network.parameters(), 1e-3, weight_decay=1e-4)
        for _ in range(epochs):
            network.train()
            for rows in torch.from_numpy(train)[torch.randperm(len(train))].split(32):
                shift = [int(value) for value in torch.randint(-2, 3, (2,))]
                batch = images[rows].roll(shift, dims=(2, 3))
                loss = nn.functional.cross_entropy(network(batch), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        network.eval()
        with torch.no_grad():
            right += int((network(images[test]).argmax(dim=1) == labels[test]).sum())
    return right / len(labels)


def main() -> None:
    """Print the numbers of the default set, the sweep or the network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=adapter.PARAMETERS.subjects)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--released", type=Path, default=Path("../shared/vectors/ckplus_released_masks"))
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--network", action="store_true")
    arguments = parser.parse_args()
    default = replace(adapter.PARAMETERS, subjects=arguments.subjects)
    if arguments.sweep:
        for difficulty in (0.0, 0.25, 0.5, 0.75, 1.0):
            report(replace(default, difficulty=difficulty), arguments.processes, arguments.released)
        return
    if arguments.network:
        faces = draw_faces(default, arguments.processes)
        for epochs in (0, 30):
            print(
                f"small CNN after {epochs} epochs, 5 subject-wise folds: "
                f"{100 * train_network(faces, epochs):.1f} %"
            )
        return
    faces = report(default, arguments.processes, arguments.released)
    if arguments.subjects == adapter.PARAMETERS.subjects:
        write_figures(faces, arguments.released)


if __name__ == "__main__":
    main()
