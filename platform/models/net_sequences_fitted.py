"""A trained net that scores sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from datasets.augmentation.draw import centre_draw
from datasets.sequence_batches import SequenceTensors, rows_by_length
from platform.models.fitted import Evaluated, Sequences
from platform.models.net_fitted import PICTURED_FACES, NetFitted

FRAMES_AT_ONCE = 64


class NetSequencesFitted(NetFitted):
    """A trained module of a `NetMethod` whose unit is the sequence."""

    def scores(self, sequences: Sequences) -> np.ndarray:
        """As every trained method's: of centre crops, in float32 whatever the training precision.

        Batches hold sequences of one length, which need no padding, so that a score depends on its sequence
        alone.
        """
        self.module.eval()
        tensors = self._of_sequences(sequences, np.zeros(len(sequences), dtype=np.int64))
        rows = rows_by_length(tensors.lengths, FRAMES_AT_ONCE)
        with torch.inference_mode():
            parts = [self.method.scores(self.module, self._batch(tensors, places)).cpu() for places in rows]
        order = torch.cat(list(rows)).argsort()
        found: np.ndarray = torch.cat(parts)[order].numpy()
        return found

    @torch.inference_mode()
    def pictures(self, evaluated: Evaluated) -> dict[str, np.ndarray]:
        """As every trained method's, of a few sequences."""
        self.module.eval()
        tensors = self._of_sequences(evaluated.faces, evaluated.labels)
        chosen = torch.linspace(0, len(tensors) - 1, min(PICTURED_FACES, len(tensors))).long()
        pictures = self.method.pictures(self.module, self._batch(tensors, chosen))
        return {name: value.float().cpu().numpy() for name, value in pictures.items()}

    def diagnostics(self, evaluated: Evaluated) -> dict[str, Any]:
        """None: those of `NetMethod.diagnostics` are of faces."""
        return {}

    def _batch(self, tensors: SequenceTensors, rows: torch.Tensor) -> Any:
        return tensors.batch(rows, centre_draw(len(rows)), self.settings.image_size_pixels)

    def _of_sequences(self, sequences: Sequences, labels: np.ndarray) -> SequenceTensors:
        return SequenceTensors(
            sequences,
            labels,
            frames=self.settings.frames,
            device=next(self.module.parameters()).device,
            class_images=None if self._class_images is None else self._class_images.images,
        )
