"""A trained net: its scores, its pictures and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from datasets.augmentation.draw import centre_draw
from datasets.batches import FaceTensors
from platform.models.artifact import ClassImages, Content
from platform.models.fitted import Evaluated, Faces, Fitted
from platform.models.method import Settings
from platform.models.scoring import score_faces

WEIGHTS = "weights.safetensors"
"""File of the trained weights."""
SCORING_BATCH_SIZE = 64
PICTURED_FACES = 8


class NetFitted(Fitted):
    """A trained module of a `NetMethod`, on the device where it was trained or on the CPU."""

    def __init__(
        self,
        *,
        method: Any,
        module: nn.Module,
        settings: Settings,
        inputs: Mapping[str, Content],
        class_images: ClassImages | None,
    ) -> None:
        """method: the `NetMethod` that built the module."""
        self.method, self.module, self.settings = method, module, settings
        self._inputs, self._class_images = inputs, class_images

    def scores(self, faces: Any) -> np.ndarray:
        """As every trained method's: of centre crops, in float32 whatever the training precision."""
        unlabelled = np.zeros(len(faces), dtype=np.int64)
        found: np.ndarray = score_faces(
            self.module, self.method.scores, self._tensors(faces, unlabelled), **self._sizes()
        ).numpy()
        return found

    def save(self) -> Mapping[str, bytes]:
        """As every trained method's."""
        from safetensors.torch import save

        return {WEIGHTS: save(on_cpu(self.module))}

    @torch.inference_mode()
    def pictures(self, evaluated: Evaluated) -> dict[str, np.ndarray]:
        """As every trained method's."""
        self.module.eval()
        faces = self._tensors(evaluated.faces, evaluated.labels)
        count = min(PICTURED_FACES, len(faces))
        chosen = torch.linspace(0, len(faces) - 1, count).long()
        batch = faces.batch(chosen, centre_draw(count), self.settings.image_size_pixels)
        pictures = self.method.pictures(self.module, batch)
        return {name: value.float().cpu().numpy() for name, value in pictures.items()}

    def diagnostics(self, evaluated: Evaluated) -> dict[str, Any]:
        """As every trained method's."""
        return self.method.diagnostics(
            self.module,
            self._inputs,
            self._tensors(evaluated.faces, evaluated.labels),
            evaluated.class_names,
            evaluated.training_counts,
            **self._sizes(),
        )

    def _sizes(self) -> dict[str, int]:
        return {"crop_size_pixels": self.settings.image_size_pixels, "batch_size": SCORING_BATCH_SIZE}

    def _tensors(self, faces: Faces, labels: np.ndarray) -> FaceTensors:
        images = None if self._class_images is None else self._class_images.images
        device = next(self.module.parameters()).device
        return FaceTensors(faces.images, labels, images, device, rectangles=faces.rectangles)


def on_cpu(module: nn.Module) -> dict[str, Tensor]:
    """Copies of the module's weights."""
    return {name: value.detach().cpu().contiguous() for name, value in module.state_dict().items()}
