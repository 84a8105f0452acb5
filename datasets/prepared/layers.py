"""Layers of a prepared set by name: which a data set can have, and their reading."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from datasets.catalogue import describe, file_name, names_with_sequences, undrawn_records
from datasets.prepared import store_files
from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.layer_files import layer_folder
from datasets.prepared.merged_layers import merged_landmarks, merged_neutral, merged_sequences
from datasets.prepared.merged_names import is_merged, sets_of
from datasets.prepared.neutral_layer import NeutralLayer, check_neutral_faces
from datasets.prepared.sequence_layer import SequenceLayer
from datasets.raw.choices import Choices
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.dry_run import is_dry_run

Layer = SequenceLayer | LandmarkLayer | NeutralLayer
Read = TypeVar("Read", SequenceLayer, LandmarkLayer)


@dataclass(frozen=True, kw_only=True)
class StoreFacts:
    """What the reading of a layer needs to know of its store."""

    folder: Path
    dataset: str
    size_pixels: int
    image_names: np.ndarray
    """str (N,)"""
    roles: np.ndarray
    """str (N,)"""
    is_prepared: bool
    """False for a store that a dry run only plans."""


def check_has_sequences(dataset: str) -> None:
    """Raises UserError, with the reason, for a data set that has no sequences."""
    for name in sets_of(dataset):
        description = describe(name)
        if description.no_sequences:
            raise UserError(
                f"a method that needs sequences cannot run on {description.title}: "
                f"{description.no_sequences}; choose an image method, or a data set with sequences "
                f"({', '.join(names_with_sequences())})."
            )


def read_layer(store: StoreFacts, name: str) -> Layer:
    """The layer `name` of `store`; of a merged set, the layers of its parts as one.

    In a dry run, a layer that an embedded data set lacks is planned in memory: commands add it themselves.
    Raises UserError for an unknown name, for a data set that cannot have the layer (with the reason), for a
    store without it (MissingLayer, with the command that adds it), and for a damaged one.
    """
    layer_folder(store.folder, name)  # an unknown name is an error
    if name == "neutral":
        check_neutral_faces(store.dataset, store.roles)
        return _neutral(store)
    if name == "sequences":
        check_has_sequences(store.dataset)
        sequences = _of_parts(store, name, SequenceLayer.open, SequenceLayer.planned)
        return merged_sequences(sequences) if is_merged(store.dataset) else sequences[store.dataset]
    landmarks = _of_parts(store, name, LandmarkLayer.open, LandmarkLayer.planned)
    return merged_landmarks(landmarks) if is_merged(store.dataset) else landmarks[store.dataset]


def _of_parts(
    store: StoreFacts,
    name: str,
    read: Callable[[Path], Read],
    plan: Callable[[str, int, list[FrameRecord]], Read],
) -> dict[str, Read]:
    """The layer of each data set in `store`, by name: of itself unless it is merged."""
    found = {}
    for part, folder in _parts(store).items():
        if _is_planned(store, part, folder, name):
            whole = Choices(whole_sequences=not describe(part).no_sequences)
            found[part] = plan(part, store.size_pixels, undrawn_records(part, whole))
        else:
            found[part] = read(folder)
    return found


def _neutral(store: StoreFacts) -> NeutralLayer:
    images = store.image_names.tolist()
    parts = _parts(store)
    if any(_is_planned(store, part, folder, "neutral") for part, folder in parts.items()):
        planned = f"{store.dataset} of {store.size_pixels} pixels, neutral not prepared yet"
        return NeutralLayer.of(planned, np.flatnonzero(store.roles == "neutral").tolist(), images)
    if not is_merged(store.dataset):
        return NeutralLayer.open(store.folder, images)
    layers = {}
    for part, folder in parts.items():
        index = store_files.read_table(folder / store_files.INDEX, ["image"])
        layers[part] = NeutralLayer.open(folder, index["image"])
    hashes = {part: layer.hash for part, layer in layers.items()}
    return merged_neutral(
        {part: layer.image_names.tolist() for part, layer in layers.items()}, hashes, images
    )


def _parts(store: StoreFacts) -> dict[str, Path]:
    """The folder of each data set in `store`, by name.

    Raises UserError if a part of a merged set has changed since the set was made.
    """
    if not is_merged(store.dataset):
        return {store.dataset: store.folder}
    size = store.size_pixels
    folders = {name: store.folder.with_name(f"{file_name(name)}-{size}") for name in sets_of(store.dataset)}
    if store.is_prepared:
        made_of = store_files.read_manifest(store.folder).get("parts", {})
        for name, folder in folders.items():
            if store_files.read_manifest(folder)["hash"] != made_of.get(name):
                raise UserError(
                    f"the prepared set {folder} has changed since {store.folder} was made of it; run "
                    "python -m platform.transfer --leave-one-out again, which rebuilds that."
                )
    return folders


def _is_planned(store: StoreFacts, part: str, folder: Path, name: str) -> bool:
    """Whether the layer of a part is only planned: in a dry run, of an embedded set that lacks it."""
    if not store.is_prepared and not is_merged(store.dataset):
        return True
    return describe(part).embedded and is_dry_run() and not layer_folder(folder, name).exists()
