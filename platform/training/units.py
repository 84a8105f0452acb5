"""What a method scores: images or sequences of a fold view. Nothing else in training tells them apart."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from datasets.folds.sequence_view import FramesOfSequences
from datasets.folds.view import FoldView
from datasets.sequence_batches import SequenceTensors
from platform.models.artifact import ClassImages
from platform.models.fitted import Faces
from platform.models.items import Items
from platform.models.recipe import Cached, computed
from platform.models.train_view import TrainView
from platform.training.class_weights import balanced_image_weights
from platform.training.face_items import FaceItems
from platform.training.faces import check_class_images, faces_of
from platform.training.sequence_items import SequenceItems


@dataclass(frozen=True, kw_only=True)
class EvaluationItems:
    """The n images or sequences that a fold run scores."""

    items: Any
    """`Faces` or `Sequences`: what `Fitted.scores` receives."""
    rows: np.ndarray
    """int64 [n]: rows of the prepared store, or numbers of sequences."""
    labels: np.ndarray
    """int64 [n]"""
    subjects: np.ndarray
    """str [n]"""
    sequences: np.ndarray
    """str [n]"""
    names: np.ndarray
    """str [n]: of the images; of sequences, their own."""
    counted_as: str
    """Key of n in the manifest."""


class Unit(ABC):
    """Images or sequences, as training and evaluation read them from a view."""

    @abstractmethod
    def training_labels(self, view: FoldView) -> np.ndarray:
        """int64 [n], of the training subjects."""

    @abstractmethod
    def single_items(
        self,
        view: FoldView,
        settings: Any,
        *,
        augmentation: str,
        class_images: ClassImages | None,
        device: torch.device,
        balanced: bool = False,
    ) -> Items:
        """Every training image or sequence once an epoch. Errors name them.

        balanced: with weights that balance the classes. ValueError: class images of other classes.
        """

    @abstractmethod
    def evaluated(self, view: FoldView, cached: Cached = computed) -> EvaluationItems:
        """What is scored. LeakageError: before training has finished.

        cached: features of single faces (platform/models/recipe.py).
        """


class Images(Unit):
    """The labelled images."""

    def training_labels(self, view: FoldView) -> np.ndarray:
        return view.labels(view.training_rows)

    def single_items(
        self,
        view: FoldView,
        settings: Any,
        *,
        augmentation: str,
        class_images: ClassImages | None,
        device: torch.device,
        balanced: bool = False,
    ) -> Items:
        weights = balanced_image_weights(self.training_labels(view)) if balanced else None
        return FaceItems(
            faces_of(view, view.training_rows, class_images, device, weights),
            augmentation=augmentation,
            crop_size_pixels=settings.image_size_pixels,
            names=view.image_names(view.training_rows),
        )

    def evaluated(self, view: FoldView, cached: Cached = computed) -> EvaluationItems:
        rows = view.evaluation_rows
        return EvaluationItems(
            items=Faces(images=view.read(rows), rectangles=view.rectangles(rows), cached=cached),
            rows=rows,
            labels=view.labels(rows),
            subjects=view.subjects(rows),
            sequences=view.sequences(rows),
            names=view.image_names(rows),
            counted_as="image_count",
        )


class WholeSequences(Unit):
    """The sequences of the layer `sequences`, whose frames are read when they are needed."""

    def training_labels(self, view: FoldView) -> np.ndarray:
        return TrainView(view).sequences.labels

    def single_items(
        self,
        view: FoldView,
        settings: Any,
        *,
        augmentation: str,
        class_images: ClassImages | None,
        device: torch.device,
        balanced: bool = False,
    ) -> Items:
        check_class_images(view, class_images)
        labels = self.training_labels(view)
        tensors = SequenceTensors(
            TrainView(view).sequences,
            labels,
            frames=settings.frames,
            device=device,
            class_images=None if class_images is None else class_images.images,
            weights=balanced_image_weights(labels) if balanced else None,
        )
        return SequenceItems(
            tensors,
            augmentation=augmentation,
            crop_size_pixels=settings.image_size_pixels,
            names=view.sequence_view.names(view.sequence_view.training_items),
        )

    def evaluated(self, view: FoldView, cached: Cached = computed) -> EvaluationItems:
        sequences = view.sequence_view
        items = sequences.evaluation_items
        names = sequences.names(items)
        return EvaluationItems(
            items=FramesOfSequences(sequences, items),
            rows=items,
            labels=sequences.labels(items),
            subjects=sequences.subjects(items),
            sequences=names,
            names=names,
            counted_as="sequence_count",
        )


UNITS: Mapping[str, Unit] = {"image": Images(), "sequence": WholeSequences()}
"""By the name that a method or stage declares as its `unit`."""
