"""Made-up training faces or sequences on torch's meta device, from which a method makes a trial batch of its
items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sized
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datasets.augmentation.draw import Draw, centre_draw
from datasets.batches import Batch
from datasets.sequence_batches import SequenceBatch
from platform.errors import UserError
from platform.models.artifact import Content
from platform.models.items import Items, check_batch, check_epoch
from platform.models.train_view import TrainView

SUBJECTS = 4
FACES_A_CLASS = 2
"""Of each subject, so that every class has a pair of one subject and pairs of several."""

ItemsOf = Callable[[Items, TrainView, Mapping[str, Content]], Items]
"""`NetMethod.items` or `SharedStage.items` with its settings."""


def trial_items_batch(
    items_of: ItemsOf, *, items: int, size_pixels: int, class_count: int, stage: str, frames: int = 0
) -> Sized:
    """The first `items` items of an epoch of made-up faces, on the meta device.

    frames: 0 for faces, or of each sequence. stage: in words, for messages. UserError: no `Items`, an epoch
    or a batch of another shape.
    """
    fold = _TrialFold(class_count, frames)
    single = _TrialSingle(fold, size_pixels)
    made = items_of(single, TrainView(fold), _Unmade(stage))  # type: ignore[arg-type]
    if not isinstance(made, Items):
        raise UserError(
            f"items of {stage} must return Items (platform/models/items.py), but returned "
            f"{type(made).__name__}; correct the method's file."
        )
    random = torch.Generator().manual_seed(0)
    index = check_epoch(made, made.epoch(random), stage)[:items]
    return check_batch(made, made.batch(index, made.draw(index, random)), len(index), stage)


def trial_batch(images: int, size_pixels: int, class_count: int) -> Batch:
    """All that a loss of single faces may read."""
    side = (size_pixels, size_pixels)
    with torch.device("meta"):
        return Batch(
            image=torch.empty(images, 3, *side),
            gray=torch.empty(images, 1, *side),
            target_mask=torch.empty(images, 1, *side),
            labels=torch.empty(images, dtype=torch.int64),
        )


def trial_single_batch(count: int, size_pixels: int, class_count: int, frames: int) -> Batch | SequenceBatch:
    """All that `NetMethod.scores` may read: single faces, or sequences of some frames."""
    if not frames:
        return trial_batch(count, size_pixels, class_count)
    side = (size_pixels, size_pixels)
    with torch.device("meta"):
        return SequenceBatch(
            image=torch.empty(count, frames, 3, *side),
            gray=torch.empty(count, frames, 1, *side),
            target_mask=torch.empty(count, frames, 1, *side),
            lengths=torch.empty(count, dtype=torch.int64),
            labels=torch.empty(count, dtype=torch.int64),
        )


class _TrialFold:
    """What a TrainView reads: of each of SUBJECTS subjects and class, FACES_A_CLASS faces or sequences."""

    def __init__(self, class_count: int, frames: int) -> None:
        self.class_names = tuple(f"class {number}" for number in range(class_count))
        self.training_rows = np.arange(SUBJECTS * class_count * FACES_A_CLASS)
        self.frames = frames

    @property
    def sequence_view(self) -> Any:
        """As many sequences as there are faces."""
        return _TrialSequences(self)

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Black faces of one pixel."""
        return np.zeros((len(rows), 1, 1, 3), dtype=np.uint8)

    def labels(self, rows: np.ndarray) -> np.ndarray:
        """int64 [n]."""
        return rows % len(self.class_names)

    def subjects(self, rows: np.ndarray) -> np.ndarray:
        """str [n]."""
        return np.array([f"S{row // (len(self.class_names) * FACES_A_CLASS)}" for row in rows.tolist()])


class _TrialSequences:
    """What `TrainView.sequences` reads."""

    def __init__(self, fold: _TrialFold) -> None:
        self.class_names, self.training_items = fold.class_names, fold.training_rows
        self.labels, self.subjects = fold.labels, fold.subjects
        self._frames = fold.frames

    def lengths(self, items: np.ndarray) -> np.ndarray:
        """int64 [n]."""
        return np.full(len(items), self._frames)

    def apexes(self, items: np.ndarray) -> np.ndarray:
        """int64 [n]: not known."""
        return np.full(len(items), -1)

    def read(self, item: int) -> np.ndarray:
        """Black frames of one pixel."""
        return np.zeros((self._frames, 1, 1, 3), dtype=np.uint8)


class _TrialSingle(Items):
    """The faces, or sequences, of the fold one by one."""

    def __init__(self, fold: _TrialFold, size_pixels: int) -> None:
        self._fold, self._size_pixels = fold, size_pixels

    def epoch(self, random: torch.Generator) -> Tensor:
        return torch.randperm(len(self._fold.training_rows), generator=random)

    def draw(self, index: Tensor, random: torch.Generator) -> Draw:
        return centre_draw(len(index))

    def batch(self, index: Tensor, draw: Any) -> Batch | SequenceBatch:
        fold = self._fold
        return trial_single_batch(len(index), self._size_pixels, len(fold.class_names), fold.frames)


class _Unmade(Mapping[str, Content]):
    """The artifacts of a stage while it is planned: none is made."""

    def __init__(self, stage: str) -> None:
        self._stage = stage

    def __getitem__(self, name: str) -> Content:
        raise UserError(
            f"items of {self._stage} read the artifact {name}, which is not made while a command plans; "
            "state its costs (`costs`), so that nothing has to be counted, or make the items without it."
        )

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0
