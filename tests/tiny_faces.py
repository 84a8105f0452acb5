"""Prepared faces made in milliseconds, and the smallest settings that train on them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.prepared.store import PreparedStore, store_folder
from datasets.records import FrameRecord
from platform.config.configuration import Configuration, configuration_of, option_names
from platform.runs.tasks import DataReference
from tests.written_stores import write_store

CLASSES = ("anger", "fear", "surprise")
SIZE = 34


@dataclass(kw_only=True)
class TinyStore:
    """What a FoldView reads of a prepared store, in memory."""

    images: np.ndarray
    subjects: np.ndarray
    sequences: np.ndarray
    expressions: np.ndarray
    roles: np.ndarray
    image_names: np.ndarray
    class_names: tuple[str, ...] = CLASSES


def noise(name: str, size: int) -> np.ndarray:
    """uint8 [size, size, 3] from 60 to 123: the same for a name on every machine and library version."""
    digest = hashlib.shake_256(name.encode()).digest(size * size * 3)
    return (60 + np.frombuffer(digest, dtype=np.uint8) % 64).reshape(size, size, 3)


def face(subject: str, expression: str, frame: int, size: int = SIZE) -> np.ndarray:
    """A subject's pattern; an expression brightens a band of its own, more so in the later frame."""
    image = noise(subject, size)
    if expression != "neutral":
        top = CLASSES.index(expression) * size // len(CLASSES)
        image[top : top + size // len(CLASSES)] += 40 + 20 * frame
    return image


def subject_names(count: int) -> list[str]:
    """`S01`, `S02`, ..."""
    return [f"S{number:02d}" for number in range(1, count + 1)]


def records(subjects: int, frames: int = 2) -> list[FrameRecord]:
    """Of each subject: a neutral face, and `frames` faces of a sequence of each class."""
    made = []
    for subject in subject_names(subjects):
        shown = [("neutral", 0), *((name, frame) for name in CLASSES for frame in range(1, frames + 1))]
        for name, frame in shown:
            sequence = f"{subject}_{1 + (CLASSES.index(name) if name in CLASSES else 0):03d}"
            role: Any = "neutral" if name == "neutral" else "expressive"
            made.append(
                FrameRecord(
                    subject_id=subject,
                    sequence_id=sequence,
                    frame=frame,
                    expression=name,
                    role=role,
                    source=f"{sequence}/{frame}.png",
                    landmarks=None,
                )
            )
    return made


def tiny_store(subjects: int = 5, frames: int = 2, size: int = SIZE) -> TinyStore:
    """`subjects` subjects with a neutral face and `frames` faces of each of three classes."""
    rows = records(subjects, frames)
    return TinyStore(
        images=np.stack([face(row.subject_id, row.expression, row.frame, size) for row in rows]),
        subjects=np.array([row.subject_id for row in rows]),
        sequences=np.array([row.sequence_id for row in rows]),
        expressions=np.array([row.expression for row in rows]),
        roles=np.array([row.role for row in rows]),
        image_names=np.array([row.image_name for row in rows]),
    )


def prepare_tiny(
    data_root: Path,
    dataset: str = "synthetic",
    subjects: int = 5,
    *,
    without: Collection[str] = (),
    others: str = "",
    size: int = SIZE,
) -> PreparedStore:
    """The same faces as a prepared store on disk; none of the expressions `without`.

    `others`: other people of the same names.
    """
    return write_store(
        store_folder(data_root, dataset, size),
        dataset,
        size,
        [record for record in records(subjects) if record.expression not in without],
        lambda record: face(others + record.subject_id, record.expression, record.frame, size),
        aligned=True,
    )


def tiny_settings(**changes: Any) -> dict[str, Any]:
    """Field names and values of the smallest configuration that trains."""
    return {
        "backbone": "resnet18",
        "backbone_width": 0.0625,
        "weights": "none",
        "generator_width": 2,
        "initialisation_gain": 0.02,
        "load_size_pixels": SIZE,
        "image_size_pixels": 32,
        "stage1_constant_epochs": 1,
        "stage1_decay_epochs": 1,
        "stage1_batch_size": 8,
        "stage1_learning_rate": 3e-3,
        "stage2_constant_epochs": 1,
        "stage2_decay_epochs": 1,
        "stage2_batch_size": 8,
        "classifier_learning_rate": 1e-3,
        **changes,
    }


def tiny_configuration(**changes: Any) -> Configuration:
    """The smallest configuration of a method (`method`, default FMPN) that trains, with `changes`."""
    method = changes.pop("method", "fmpn")
    names = option_names(method)
    small = {name: value for name, value in tiny_settings().items() if name in names}
    return configuration_of(method, **{**small, **changes})


def fake_data(dataset: str = "synthetic") -> DataReference:
    """A reference to a store that is never opened."""
    return DataReference(folder="no/such/folder", dataset=dataset, hash="d" * 64, class_names=CLASSES)
