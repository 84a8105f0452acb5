"""A small CK+ tree, prepared, to which tests add layers; and what they compare."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from datasets.prepared.layer_frames import LayerSources
from datasets.prepared.layer_preparation import prepare_layers
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.store import PreparedStore
from datasets.records import FrameRecord
from tests.raw_trees import FACE, points_68, write_ckplus

SIZE = 32
SEQUENCES = {"S005_001": "disgust", "S010_002": "surprise", "S010_004": "anger", "S011_001": None}
"""Five frames each; the last one has no label."""


def labelled_tree(root: Path) -> Path:
    return write_ckplus(root, SEQUENCES)


def prepared(tree: Path, data_root: Path) -> PreparedStore:
    return prepare_dataset("ckplus", SIZE, data_root=data_root, source=tree)


def add_layers(store: PreparedStore, tree: Path, *names: str, **sources: object) -> None:
    prepare_layers(store, names, LayerSources(source=tree, **sources))  # type: ignore[arg-type]


def files_of(folder: Path) -> dict[str, bytes]:
    """Relative path -> bytes of every file below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def images_of(store: PreparedStore) -> dict[str, bytes]:
    """The files of the store itself, without its layers."""
    return {path.name: path.read_bytes() for path in store.folder.iterdir() if path.is_file()}


class EveryFace:
    """A finder of landmarks that finds one face's points in every frame but those named in `blind`."""

    name = "every-face-1"

    def __init__(self, *blind: str) -> None:
        self.blind = blind
        self.asked: list[str] = []

    def __call__(self, *arguments: object) -> list[FrameRecord]:
        raise AssertionError("layers ask for dense landmarks")

    def dense(
        self,
        records: list[FrameRecord],
        read_frame: Callable[[FrameRecord], np.ndarray],
        *,
        skip_bad: bool,
    ) -> dict[str, np.ndarray]:
        self.asked += [record.image_name for record in records]
        return {
            record.image_name: points_68(FACE) for record in records if record.image_name not in self.blind
        }
