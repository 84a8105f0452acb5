"""The layer `neutral` of a prepared set: which of its neutral faces are items of a class `neutral`.

    neutral.parquet  one line per neutral face: image, subject, sequence, frame, SHA-256 of its source,
                     transform

For methods that distinguish neutral faces too (FERAtt: eight classes on CK+). The faces themselves are images
of the store; without the layer they stay what motion is measured against, and no class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.prepared import store_files
from datasets.prepared.layer_files import (
    layer_command,
    layer_folder,
    layer_title,
    layer_writer,
    open_layer,
    write_layer_manifest,
)
from platform.errors import UserError

NAME = "neutral"
TABLE = "neutral.parquet"
COLUMNS = {
    "image": "string",
    "subject": "string",
    "sequence": "string",
    "frame": "int64",
    "source_sha256": "string",
    "transform": "numbers",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class NeutralLayer:
    """K neutral faces that count as items of the class `neutral`."""

    hash: str
    """Hash of the layer's manifest, and with it of every byte."""
    image_names: np.ndarray
    """str (K,)"""
    rows: np.ndarray
    """int64 (K,), ascending: their rows in the store."""

    @classmethod
    def open(cls, store: Path, image_names: Sequence[str]) -> NeutralLayer:
        """The layer of the store in the folder `store`, which has the images `image_names`.

        Raises UserError, with the command that adds it, if it is missing, damaged, of another version, or
        names an image that the store does not have.
        """
        manifest = open_layer(store, NAME)
        names = store_files.read_table(layer_folder(store, NAME) / TABLE, ["image"])["image"]
        row_of = {str(name): row for row, name in enumerate(image_names)}
        absent = [name for name in names if name not in row_of]
        if absent:
            raise UserError(
                f"the layer {layer_folder(store, NAME)} belongs to other images: the store has no "
                f"{absent[0]}; add it again with {layer_command(store, NAME)}."
            )
        return cls.of(manifest["hash"], sorted(row_of[name] for name in names), image_names)

    @classmethod
    def of(cls, digest: str, rows: Sequence[int], image_names: Sequence[str]) -> NeutralLayer:
        """The layer of these rows of a store with the images `image_names`; `digest` is its hash."""
        places = np.array(rows, dtype=np.int64)
        return cls(hash=digest, rows=places, image_names=np.array(image_names, dtype=np.str_)[places])


def check_neutral_faces(dataset: str, roles: np.ndarray) -> None:
    """Raises UserError if a store of `dataset` with these roles, str (N,), has no neutral face."""
    if not (roles == "neutral").any():
        raise UserError(
            f"a class of neutral faces needs some, but {layer_title(dataset)} as prepared has none; choose a "
            "method without that class, or a data set with neutral faces."
        )


def write_neutral(store: Path, dataset: str, size_pixels: int) -> None:
    """Make all neutral images of the store in the folder `store` items of the class `neutral`."""
    index = store_files.read_table(store / store_files.INDEX, ["role", *COLUMNS])
    check_neutral_faces(dataset, np.array(index["role"], dtype=np.str_))
    rows = [row for row, role in enumerate(index["role"]) if role == "neutral"]
    columns = {name: [index[name][row] for row in rows] for name in COLUMNS}
    with layer_writer(store, NAME) as partial:
        store_files.write_table(partial / TABLE, columns, COLUMNS)
        write_layer_manifest(partial, NAME, dataset, size_pixels, (TABLE,), {"face_count": len(rows)})
