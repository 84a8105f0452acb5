"""Layers of a prepared set: further data with a hash of their own, so that the images keep theirs.

    <store>/layers/sequences/   all frames of the labelled sequences, in order (sequence_layer.py)
    <store>/layers/landmarks/   68 points of each frame (landmark_layer.py)
    <store>/layers/neutral/     neutral faces as an eighth class (neutral_layer.py)

Each holds a manifest.json, written last, with the hashes of its other files. A record of a run names only the
layers that the run reads. Preparing a set anew with other images removes its layers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal

from datasets.catalogue import describe, has_dense_landmarks
from datasets.prepared import store_files
from datasets.prepared.merged_names import is_merged
from datasets.prepared.prepare_command import prepare_command
from datasets.prepared.store_files import LAYERS, MANIFEST, RECIPE_VERSION, manifest_hash
from datasets.prepared.verified_files import has_sha256
from platform.errors import UserError, unknown_name
from platform.files.json_files import parse_own_json
from platform.files.local_storage import LOCAL
from platform.files.opening import file_sha256, read_bytes
from platform.files.synced import write_synced

LayerName = Literal["sequences", "landmarks", "neutral"]

LAYER_FLAGS: Mapping[str, str] = {
    "sequences": "--sequences",
    "landmarks": "--dense-landmarks",
    "neutral": "--neutral-class",
}
"""Name of each layer and the flag of `prepare` that adds it."""

CONTENTS: Mapping[str, str] = {
    "sequences": "all frames of the labelled sequences, in order",
    "landmarks": "68 landmarks per face",
    "neutral": "neutral faces as a class",
}
"""Content of each layer, for messages."""

LAYER_VERSION = 1
"""Raised with every change that can change a byte of a layer and of no store."""


class MissingLayer(UserError):
    """Raised if a prepared set does not have the wanted layer."""


def layer_folder(store: Path, name: str) -> Path:
    """The folder of the layer `name` of the store in the folder `store`. UserError: an unknown name."""
    if name not in LAYER_FLAGS:
        raise unknown_name("layer", name, LAYER_FLAGS)
    return store / LAYERS / name


def layers_of(store: Path) -> list[str]:
    """The names of the complete layers of the store in the folder `store`, in the order of LAYER_FLAGS."""
    return [name for name in LAYER_FLAGS if (layer_folder(store, name) / MANIFEST).is_file()]


def layer_command(store: Path, name: str) -> str:
    """The command that adds the layer `name` to the store in the folder `store`."""
    manifest = store_files.read_manifest(store)
    dataset, origin = manifest["dataset"], manifest.get("landmarks_from", "data set")
    further = LAYER_FLAGS[name]
    if manifest.get("aligned"):
        alignment = ""
    else:
        alignment = {"data set": "", "file": "--landmarks FILE"}.get(origin, "--landmarks detect")
    if name == "landmarks" and (manifest.get("aligned") or not has_dense_landmarks(dataset)):
        further += " detect"
    if name == "neutral":
        alignment = ""
    return prepare_command(
        store.parent.parent,
        dataset,
        manifest["size_pixels"],
        alignment_flag=alignment,
        from_source=name != "neutral",
        further=further,
    )


def read_layer_manifest(store: Path, name: str) -> dict[str, Any]:
    """The manifest of the layer. Raises MissingLayer if there is none, UserError if it is not valid."""
    path = layer_folder(store, name) / MANIFEST
    command = layer_command(store, name)
    if not path.is_file():
        raise MissingLayer(
            f"the prepared set {store} lacks the layer {name!r} ({CONTENTS[name]}); add it with: {command}"
        )
    try:
        manifest = parse_own_json(read_bytes(path), str(path))
        sound = (manifest["format"], manifest["layer"]) == ("prepared-layer", name)
        sound = sound and manifest["hash"] == manifest_hash(manifest)
        versions = manifest["layer_version"], manifest["recipe_version"]
    except (UserError, KeyError, TypeError, AttributeError, RecursionError):
        sound, versions = False, (None, None)
    if not sound:
        raise UserError(
            f"{path} is damaged (it does not match its own hash); add the layer again with {command}."
        )
    if versions != (LAYER_VERSION, RECIPE_VERSION):
        raise UserError(
            f"the layer {path.parent} was made by version {versions[0]} of recipe {versions[1]}, but this "
            f"code reads version {LAYER_VERSION} of recipe {RECIPE_VERSION}; add it again with {command}."
        )
    return dict(manifest)


def open_layer(store: Path, name: str) -> dict[str, Any]:
    """The manifest of the layer after checking every file against its hashes. UserError as
    `read_layer_manifest`, and for a changed file."""
    manifest = read_layer_manifest(store, name)
    folder = layer_folder(store, name)
    for file, sha256 in manifest["sha256"].items():
        # Tables are small and always hashed; arrays that were verified before and are unchanged are not.
        path = folder / file
        good = has_sha256(path, sha256, store=store) if file.endswith(".npy") else _is_hashed(path, sha256)
        if not good:
            raise UserError(
                f"{path} does not match the hash in its {MANIFEST} (it was damaged or changed); "
                f"add the layer again with {layer_command(store, name)}."
            )
    return manifest


def _is_hashed(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256


@contextmanager
def layer_writer(store: Path, name: str) -> Iterator[Path]:
    """A folder for the files of the layer, which becomes the layer at the end of the block.

    An equal, valid layer stays untouched. A kill leaves the folder behind, and the next writer gets it again;
    an error removes it. Raises UserError if the disk is full or read-only; the store is never changed.
    """
    folder = layer_folder(store, name)
    try:
        with store_files.sole_writer(folder, store=store) as partial:
            yield partial
            if not _same_and_sound(store, name, partial):
                LOCAL.replace_folder(partial, folder)
    except OSError as error:
        raise UserError(
            f"cannot write the layer {folder}: {error.strerror or error}; the prepared set is unchanged. "
            "Free disk space or grant write permission, and run the same command again."
        ) from error
    finally:
        with suppress(OSError):  # it holds a layer, or the remains of a kill
            folder.parent.rmdir()


def write_layer_manifest(
    partial: Path,
    name: str,
    dataset: str,
    size_pixels: int,
    files: Sequence[str],
    notes: Mapping[str, object],
) -> None:
    """Write manifest.json, the last file of a layer. `files`: its other files; `notes`: further entries."""
    manifest: dict[str, Any] = {
        **notes,
        "format": "prepared-layer",
        "layer": name,
        "layer_version": LAYER_VERSION,
        "recipe_version": RECIPE_VERSION,
        "dataset": dataset,
        "size_pixels": size_pixels,
        "sha256": {file: file_sha256(partial / file) for file in files},
        "created_by": f"python -m platform.prepare {LAYER_FLAGS[name]}",
    }
    manifest["hash"] = manifest_hash(manifest)
    write_synced(partial / MANIFEST, (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode())


def _same_and_sound(store: Path, name: str, partial: Path) -> bool:
    """Whether the layer already stands with the bytes of `partial`, verified by hashes."""
    try:
        open_layer(store, name)
        return read_bytes(partial / MANIFEST) == read_bytes(layer_folder(store, name) / MANIFEST)
    except (OSError, UserError):
        return False


def layer_title(dataset: str) -> str:
    """The data set's title in messages; the name itself for several sets as one."""
    return dataset if is_merged(dataset) else describe(dataset).title
