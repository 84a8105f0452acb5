"""Fold lists on disk, for tests: FMPN's released CK+ lists, and others of the same 981 images."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

CKPLUS_FRAMES = Path(__file__).parent / "data" / "ckplus_frames.csv"


def ckplus_frames() -> list[dict[str, str]]:
    """The 981 rows: image, subject, sequence, frame, expression, released_test_fold."""
    with CKPLUS_FRAMES.open(newline="") as file:
        return list(csv.DictReader(file))


def released_folds() -> list[tuple[list[str], list[str]]]:
    """(training, test) image names of the ten released folds."""
    rows = ckplus_frames()
    return [
        (
            [row["image"] for row in rows if int(row["released_test_fold"]) != fold],
            [row["image"] for row in rows if int(row["released_test_fold"]) == fold],
        )
        for fold in range(10)
    ]


def position_sliced_folds(order: str, slices: int = 10) -> list[tuple[list[str], list[str]]]:
    """The same images cut into equal slices by position, as if images were independent.

    `order`: `class` sorts by class and name, `shuffled` draws with a seed.
    """
    rows = sorted(ckplus_frames(), key=lambda row: (row["expression"], row["image"]))
    names = [row["image"] for row in rows]
    if order == "shuffled":
        random.Random(5).shuffle(names)
    cuts = [round(k * len(names) / slices) for k in range(slices + 1)]
    return [(names[: cuts[k]] + names[cuts[k + 1] :], names[cuts[k] : cuts[k + 1]]) for k in range(slices)]


def write_released(folder: Path, folds: Sequence[tuple[Sequence[str], Sequence[str]]]) -> Path:
    """train_ids_K.csv and test_ids_K.csv of each fold in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, (train, test) in enumerate(folds):
        (folder / f"train_ids_{index}.csv").write_text("\n".join(train) + "\n")
        (folder / f"test_ids_{index}.csv").write_text("\n".join(test) + "\n")
    return folder


def write_table(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A CSV file with the keys of the first row as its header."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
