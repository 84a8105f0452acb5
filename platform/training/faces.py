"""The faces of a fold view on a device."""

from __future__ import annotations

import numpy as np
import torch

from datasets.batches import FaceTensors
from datasets.folds.view import FoldView
from platform.models.artifact import ClassImages


def faces_of(
    view: FoldView,
    rows: np.ndarray,
    class_images: ClassImages | None,
    device: torch.device,
    weights: np.ndarray | None = None,
) -> FaceTensors:
    """The view's faces of these rows on the device. ValueError: class images of other classes."""
    check_class_images(view, class_images)
    images = None if class_images is None else class_images.images
    return FaceTensors(
        view.read(rows), view.labels(rows), images, device, weights, rectangles=view.rectangles(rows)
    )


def check_class_images(view: FoldView, class_images: ClassImages | None) -> None:
    """ValueError: class images of other classes than the view's."""
    if class_images is not None and class_images.class_names != view.class_names:
        raise ValueError(f"class images of {class_images.class_names} do not match {view.class_names}")
