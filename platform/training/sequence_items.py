"""Single sequences as training items, all frames of one cropped and flipped alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from datasets.augmentation.draw import Draw, augmentation_policy
from datasets.batches import epoch_order
from datasets.sequence_batches import SequenceBatch, SequenceTensors
from platform.models.items import Items


class SequenceItems(Items):
    """Every sequence once per epoch, in random order; a row of the index is a position among them."""

    def __init__(
        self,
        sequences: SequenceTensors,
        *,
        augmentation: str,
        crop_size_pixels: int,
        names: Sequence[str] | np.ndarray = (),
    ) -> None:
        """`names`: of the sequences, for error messages. UserError: an unknown augmentation policy."""
        self.sequences, self.crop_size_pixels = sequences, crop_size_pixels
        self._policy = augmentation_policy(augmentation)
        self._names = names

    @property
    def kind(self) -> str:
        longest = int(self.sequences.lengths.max(initial=0))
        return f"sequences of up to {longest} frames of {self.crop_size_pixels} pixels"

    def epoch(self, random: torch.Generator) -> Tensor:
        return epoch_order(len(self.sequences), random)

    def draw(self, index: Tensor, random: torch.Generator) -> Draw:
        return self._policy(len(index), random)

    def batch(self, index: Tensor, draw: Draw) -> SequenceBatch:
        return self.sequences.batch(index, draw, self.crop_size_pixels)

    def names(self, index: Tensor) -> Sequence[str]:
        return [str(self._names[place]) for place in index.tolist()] if len(self._names) else ()
