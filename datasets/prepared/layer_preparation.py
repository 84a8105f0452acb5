"""Preparation of the layers of a prepared set, behind `python -m platform.prepare --sequences` and the like.

Frames are aligned as the images were: the manifest of the store says how, and where a frame is also an image,
file and landmarks must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from datasets.alignment.similarity import (
    centre_square_transform,
    similarity_transform,
    template_points,
    transform_points,
)
from datasets.catalogue import dense_landmarks, describe, has_dense_landmarks
from datasets.prepared import store_files
from datasets.prepared.face_chunks import Progress, Recipe
from datasets.prepared.landmark_layer import write_landmarks
from datasets.prepared.layer_files import LAYER_FLAGS, layer_folder
from datasets.prepared.layer_frames import LayerFrames, LayerSources, read_layer_frames
from datasets.prepared.layers import check_has_sequences
from datasets.prepared.merged_names import is_merged
from datasets.prepared.neutral_layer import check_neutral_faces, write_neutral
from datasets.prepared.sequence_alignment import with_all_landmarks
from datasets.prepared.sequence_layer import labelled_sequences
from datasets.prepared.sequence_writer import write_sequences
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError


def prepare_layers(
    store: PreparedStore,
    names: Collection[str],
    sources: LayerSources,
    *,
    progress_of: Callable[[str], Progress] | None = None,
) -> None:
    """Add the layers `names` to `store`, whose images stay untouched.

    A layer that stands unchanged is left alone; a killed run resumes. `progress_of` makes the display of a
    step from its title. Raises UserError for anything the user can correct; layers already made stay.
    """
    for name in names:
        layer_folder(store.folder, name)  # an unknown name is an error
    if is_merged(store.dataset):
        raise UserError(
            f"layers are prepared for single data sets, but {store.dataset} is several as one, which has "
            "those that all of its data sets have; add them to each."
        )
    if "sequences" in names:
        check_has_sequences(store.dataset)
    if "neutral" in names:
        check_neutral_faces(store.dataset, store.roles)
        write_neutral(store.folder, store.dataset, store.size_pixels)
    if set(names) <= {"neutral"}:
        return
    if "landmarks" in names:
        _check_has_points(store, sources)
    raw = read_layer_frames(store, sources, with_sequences="sequences" in names)
    if "sequences" in names:
        _prepare_sequences(store, raw, sources, _progress(progress_of, "aligned frames"))
    if "landmarks" in names:
        _prepare_landmarks(store, raw, sources, _progress(progress_of, "dense landmarks"))


def _progress(progress_of: Callable[[str], Progress] | None, what: str) -> Progress | None:
    return None if progress_of is None else progress_of(what)


def _prepare_sequences(
    store: PreparedStore, raw: LayerFrames, sources: LayerSources, progress: Progress | None
) -> None:
    write_sequences(
        store,
        raw.in_sequences,
        raw.frames.as_source(),
        Recipe(
            size_pixels=store.size_pixels,
            aligned=raw.manifest["aligned"],
            resample=raw.manifest.get("resample", "cubic"),
            notes={
                "landmarks_from": raw.manifest.get("landmarks_from", "data set"),
                "course": describe(store.dataset).course,
            },
        ),
        bad=raw.bad(sources.skip_bad),
        workers=sources.workers,
        progress=progress,
    )


def _prepare_landmarks(
    store: PreparedStore, raw: LayerFrames, sources: LayerSources, progress: Progress | None
) -> None:
    """Map the 68 points of every image and of every frame of a sequence into the aligned face."""
    bad = raw.bad(sources.skip_bad)
    transforms = _transforms(store, raw, bad)
    wanted = [record for record in _once(raw.images + raw.in_sequences) if record.image_name in transforms]
    found = _dense_points(store.dataset, raw, wanted, sources, progress)
    images = {record.image_name for record in raw.images}
    lacking = [one.image_name for one in wanted if one.image_name not in found]
    absent = [name for name in lacking if name in images]
    if absent:
        bad.leave_out_all(
            [(name, "no 68 landmarks") for name in absent],
            f"{len(absent)} of {len(images)} images have no 68 landmarks, the first being {absent[0]}; "
            "look at these images",
        )
    faces = [
        (record, transform_points(transforms[record.image_name], found[record.image_name]))
        for record in wanted
        if record.image_name in found
    ]
    if not faces:
        raise UserError(f"none of the {len(wanted)} faces has 68 landmarks; {_detect_instead()}.")
    notes: dict[str, object] = {
        "landmarks_from": "data set" if sources.find_dense is None else sources.find_dense.name,
        "frames_without_landmarks": len(lacking) - len(absent),
        "left_out": bad.left_out,
    }
    write_landmarks(store.folder, store.dataset, store.size_pixels, faces, notes)


def _once(records: Sequence[FrameRecord]) -> list[FrameRecord]:
    """`records` without repetitions, in order."""
    return list({record.image_name: record for record in records}.values())


def _transforms(store: PreparedStore, raw: LayerFrames, bad: BadItems) -> dict[str, np.ndarray]:
    """The transform into the aligned face, float64 (2, 3), by image name: as stored for images, by the rules
    of the layer `sequences` for other frames."""
    index = store_files.read_table(store.folder / store_files.INDEX, ["image", "transform"])
    known = {
        image: np.array(transform).reshape(2, 3)
        for image, transform in zip(index["image"], index["transform"], strict=True)
    }
    size_pixels, aligned = store.size_pixels, raw.manifest["aligned"]
    for group in labelled_sequences(raw.in_sequences):
        with bad.guard(group[0].sequence_id):
            for record in group if aligned else with_all_landmarks(group)[0]:
                if record.image_name in known:
                    continue
                if record.landmarks is not None:
                    template = template_points(size_pixels)
                    known[record.image_name] = similarity_transform(record.landmarks, template)
                else:
                    height, width = raw.frames.read_frame(record).shape[:2]
                    known[record.image_name] = centre_square_transform(height, width, size_pixels)
    return known


def _dense_points(
    dataset: str,
    raw: LayerFrames,
    records: list[FrameRecord],
    sources: LayerSources,
    progress: Progress | None,
) -> dict[str, np.ndarray]:
    """The 68 points of each record, float64 (68, 2), pixels of its frame, by image name."""
    if sources.find_dense is not None:
        return sources.find_dense.dense(records, raw.frames.read_frame, skip_bad=sources.skip_bad)
    if raw.manifest["aligned"] or not has_dense_landmarks(dataset):
        why = (
            "its images are face crops, which its own landmarks do not fit"
            if has_dense_landmarks(dataset)
            else "the data set comes without"
        )
        raise UserError(
            f"{describe(dataset).title} has no 68 landmarks per face: {why}; {_detect_instead()}."
        )
    found = {}
    for done, record in enumerate(records, start=1):
        points = dense_landmarks(dataset, raw.frames.root, record)
        if points is not None:
            found[record.image_name] = points
        if progress is not None:
            progress(done, len(records))
    return found


def _check_has_points(store: PreparedStore, sources: LayerSources) -> None:
    """Raises UserError if neither the data set nor a finder has 68 landmarks that fit the images."""
    aligned = store_files.read_manifest(store.folder)["aligned"]
    comes_with = has_dense_landmarks(store.dataset)
    if sources.find_dense is None and (aligned or not comes_with):
        why = "its own fit whole frames, not face crops" if comes_with else "the data set comes without"
        raise UserError(
            f"{describe(store.dataset).title} has no 68 landmarks per face: {why}; {_detect_instead()}."
        )


def _detect_instead() -> str:
    return f"pass {LAYER_FLAGS['landmarks']} detect, which finds them with face-alignment"
