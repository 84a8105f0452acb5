"""Single faces as training items, cropped and flipped at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from datasets.augmentation.draw import Draw, augmentation_policy
from datasets.batches import Batch, FaceTensors, channels_last, epoch_order
from platform.models.items import Items


class FaceItems(Items):
    """Every face once per epoch, in random order; a row of the index is a position among the faces."""

    def __init__(
        self,
        faces: FaceTensors,
        *,
        augmentation: str,
        crop_size_pixels: int,
        names: Sequence[str] | np.ndarray = (),
    ) -> None:
        """`names`: of the faces, for error messages. Raises UserError for an unknown augmentation policy."""
        self.faces, self.crop_size_pixels = faces, crop_size_pixels
        self._policy = augmentation_policy(augmentation)
        self._names = names

    @property
    def kind(self) -> str:
        return f"images of {self.crop_size_pixels} pixels"

    def epoch(self, random: torch.Generator) -> Tensor:
        return epoch_order(len(self.faces), random)

    def draw(self, index: Tensor, random: torch.Generator) -> Draw:
        return self._policy(len(index), random)

    def batch(self, index: Tensor, draw: Draw) -> Batch:
        return channels_last(self.faces.batch(index, draw, self.crop_size_pixels))

    def names(self, index: Tensor) -> Sequence[str]:
        return [str(self._names[place]) for place in index.tolist()] if len(self._names) else ()
