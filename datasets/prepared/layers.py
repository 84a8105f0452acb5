"""Layers of a prepared set by name: which a data set can have, and their reading."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from datasets.catalogue import describe, names_with_sequences, undrawn_records
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.layer_files import MissingLayer, layer_folder
from datasets.prepared.neutral_layer import NeutralLayer, check_neutral_faces
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.raw.choices import Choices
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.dry_run import is_dry_run

Layer = SequenceLayer | LandmarkLayer | NeutralLayer


def check_has_sequences(dataset: str) -> None:
    """Raises UserError, with the reason, for a data set that has no sequences."""
    for name in dataset.split("+"):  # several sets as one (datasets/prepared/merged.py)
        description = describe(name)
        if description.no_sequences:
            raise UserError(
                f"a method that needs sequences cannot run on {description.title}: "
                f"{description.no_sequences}; choose an image method, or a data set with sequences "
                f"({', '.join(names_with_sequences())})."
            )


def read_layer(
    folder: Path,
    dataset: str,
    size_pixels: int,
    name: str,
    *,
    image_names: np.ndarray,
    roles: np.ndarray,
    is_prepared: bool,
) -> Layer:
    """The layer `name` of the store in `folder`, with the images `image_names` of `roles`, both str (N,).

    In a dry run, a layer that an embedded data set lacks is planned in memory: commands add it themselves.
    Raises UserError for an unknown name, for a data set that cannot have the layer (with the reason), for a
    store without it (MissingLayer, with the command that adds it), and for a damaged one.
    """
    place = layer_folder(folder, name)
    if name == "sequences":
        check_has_sequences(dataset)
    if name == "neutral":
        check_neutral_faces(dataset, roles)
    if "+" in dataset:
        raise MissingLayer(
            f"the layer {name!r} exists for single data sets only, but {dataset} is several as one; choose a "
            "method that needs no layer, or run on one data set."
        )
    if not is_prepared or (describe(dataset).embedded and is_dry_run() and not place.exists()):
        return _planned(dataset, size_pixels, name, image_names.tolist(), roles)
    if name == "sequences":
        return SequenceLayer.open(folder)
    if name == "landmarks":
        return LandmarkLayer.open(folder)
    return NeutralLayer.open(folder, image_names.tolist())


def _planned(
    dataset: str, size_pixels: int, name: str, image_names: Sequence[str], roles: np.ndarray
) -> Layer:
    """The layer as it will be once it is prepared, in memory."""
    if name == "neutral":
        rows = np.flatnonzero(roles == "neutral").tolist()
        return NeutralLayer.of(
            f"{dataset} of {size_pixels} pixels, neutral not prepared yet", rows, image_names
        )
    whole = Choices(whole_sequences=not describe(dataset).no_sequences)
    records: list[FrameRecord] = undrawn_records(dataset, whole)
    if name == "sequences":
        return SequenceLayer.planned(dataset, size_pixels, records)
    return LandmarkLayer.planned(dataset, size_pixels, records)
