"""Preparation of a raw data set as a prepared store, behind `python -m platform.prepare`."""

from __future__ import annotations

from pathlib import Path

from datasets.catalogue import adapter_name, describe, load_adapter
from datasets.inspection import check_looks_right
from datasets.prepared import store_files
from datasets.prepared.face_chunks import Progress, Recipe, Resample
from datasets.prepared.preview import write_preview
from datasets.prepared.raw_frames import FindLandmarks, RawFrames, raw_root
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.store_writer import write_prepared
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.landmark_matching import attach_landmarks, several_faces
from datasets.raw.landmarks import read_landmarks
from datasets.raw.linked_files import without_linked
from platform.errors import UserError

SMALLEST_PIXELS, LARGEST_PIXELS = 16, 2048


def prepare_dataset(
    dataset: str,
    size_pixels: int,
    *,
    data_root: Path = Path("data"),
    source: Path | None = None,
    landmarks: Path | None = None,
    find_landmarks: FindLandmarks | None = None,
    allow_missing: int = 0,
    aligned: bool = False,
    resample: Resample | None = None,
    choices: Choices = ALL_BY_THE_RULE,
    skip_bad: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
    beside: list[str] | None = None,
) -> PreparedStore:
    """Prepare `dataset` at `size_pixels` under `data_root`, with a preview.

    `source`: the folder of the user's copy; an embedded (synthetic) set needs none, and is drawn first if it
    is missing. Landmarks come from the file `landmarks` with five points per frame if given, in which
    `allow_missing` frames may be absent; else from the data set; else from `find_landmarks`. `aligned`: the
    images are already face crops. `resample`: how crops are scaled; None: the data set's default. `skip_bad`:
    unusable items are left out and listed in the manifest. `beside` receives the files and folders of the
    copy that are not part of the data set. Raises UserError for anything the user can correct; then no
    partial store is left.
    """
    adapter, description = load_adapter(dataset), describe(dataset)
    if adapter_name(dataset) != "folder":
        choices.refuse(f"{description.title}, whose classes are known", "renamed", "own_classes")
    if not SMALLEST_PIXELS <= size_pixels <= LARGEST_PIXELS:
        raise UserError(
            f"the size must be {SMALLEST_PIXELS} to {LARGEST_PIXELS} pixels, but got {size_pixels}; "
            "pass --size 320, for example."
        )
    if aligned and (landmarks is not None or find_landmarks is not None):
        raise UserError("--aligned uses no landmarks, but --landmarks was also given; pass one of them.")
    if resample == "released" and not aligned:
        raise UserError(
            "--resample released scales face crops, but the faces are to be aligned here; pass --aligned if "
            "the images are face crops, or --resample cubic."
        )
    chosen: Resample = resample or ("released" if aligned and adapter.DATASET.released_crops else "cubic")
    root = raw_root(description, size_pixels, data_root, source)
    check_looks_right(dataset, root)
    bad = BadItems(skip=skip_bad, root=root)
    listed = None if landmarks is None else read_landmarks(landmarks, bad)
    records = without_linked(root, adapter.read_records(root, choices, bad), bad)
    if beside is not None:
        beside += bad.beside
    frames = RawFrames(dataset, root)
    if listed is not None:
        records = attach_landmarks(records, listed, bad, allow_missing)
    elif find_landmarks is not None:
        records = find_landmarks(records, frames.read_frame, bad)
    notes = _notes(choices, landmarks, find_landmarks)
    if listed is not None:
        notes["several_faces"] = several_faces(records, listed)
    store = write_prepared(
        store_folder(data_root, dataset, size_pixels),
        dataset,
        records,
        frames.as_source(),
        Recipe(size_pixels=size_pixels, aligned=aligned, resample=chosen, notes=notes),
        own_classes=choices.own_classes,
        bad=bad,
        workers=workers,
        progress=progress,
    )
    try:
        write_preview(store, store.folder / store_files.PREVIEW)
    except OSError as error:
        raise UserError(
            f"the store {store.folder} is complete, but its {store_files.PREVIEW} cannot be written: "
            f"{error.strerror or error}; free disk space and run the same command again."
        ) from error
    return store


def _notes(
    choices: Choices, landmarks: Path | None, find_landmarks: FindLandmarks | None
) -> dict[str, object]:
    """Manifest entries on the choice of frames and landmarks, without paths, which differ between
    machines."""
    chosen = choices.as_record()
    origin = "data set" if find_landmarks is None else find_landmarks.name
    return {"choices": chosen, "landmarks_from": origin if landmarks is None else "file"}
