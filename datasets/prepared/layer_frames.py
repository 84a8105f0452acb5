"""Frames that layers are made from: read from the user's copy, aligned as the images of the store are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datasets.alignment.similarity import five_points_from_68
from datasets.catalogue import describe, load_adapter, no_sequences_in
from datasets.inspection import check_looks_right
from datasets.prepared import store_files
from datasets.prepared.face_chunks import Resample
from datasets.prepared.layer_files import LAYER_FLAGS
from datasets.prepared.raw_frames import FindLandmarks, RawFrames, raw_root
from datasets.prepared.sequence_layer import labelled_sequences
from datasets.prepared.store import PreparedStore
from datasets.raw.choices import BadItems, Choices
from datasets.raw.landmark_matching import match_landmarks
from datasets.raw.landmarks import read_landmarks
from datasets.raw.linked_files import without_linked
from datasets.records import FrameRecord
from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class LayerSources:
    """What layers are made from, beside the prepared images."""

    data_root: Path = Path("data")
    source: Path | None = None
    """The folder of the user's copy; an embedded (synthetic) set needs none."""
    landmarks: Path | None = None
    """The landmark file that the images were aligned by, if they were aligned by one."""
    find_landmarks: FindLandmarks | None = None
    """The finder of the landmarks that the images were aligned by, if they were found."""
    find_dense: FindLandmarks | None = None
    """The finder of dense landmarks; None: the data set's own."""
    skip_bad: bool = False
    """Whether unusable items are left out and listed in the layer's manifest."""
    workers: int = 1


def check_as_prepared(
    store: PreparedStore, choices: Choices, *, aligned: bool, resample: Resample | None
) -> None:
    """Raises UserError if the user asks for other images than those of `store`, to which layers are added.

    What is not given is taken from the store.
    """
    manifest = store_files.read_manifest(store.folder)
    prepared, plain = _choices(manifest), Choices()
    flags = {
        "frames": "--frames", "whole_sequences": "--whole-sequences",
        "per_class": "--per-class", "draw_seed": "--draw-seed",
        "renamed": "--map", "own_classes": "--classes-from-folders",
    }  # fmt: skip
    differing = [
        flag
        for name, flag in flags.items()
        if getattr(choices, name) not in (getattr(plain, name), getattr(prepared, name))
    ]
    differing += ["--aligned"] if aligned and not manifest["aligned"] else []
    differing += ["--resample"] if resample not in (None, manifest.get("resample", "cubic")) else []
    if differing:
        layers = " ".join(LAYER_FLAGS.values())
        raise UserError(
            f"layers are added to the images in {store.folder}, which were prepared otherwise than "
            f"{' and '.join(differing)} says; leave that out, or prepare the images anew first, without "
            f"{layers}."
        )


def _choices(manifest: dict[str, Any]) -> Choices:
    """The choices that the images of a store were made with."""
    found = dict(manifest.get("choices", {}))
    if found.get("frames") is not None:
        found["frames"] = frozenset((str(sequence), int(frame)) for sequence, frame in found["frames"])
    if "renamed" in found:
        found["renamed"] = tuple((str(name), str(meant)) for name, meant in found["renamed"])
    return Choices(**found)


@dataclass(frozen=True, kw_only=True)
class LayerFrames:
    """The frames of a raw data set that its layers may show."""

    manifest: dict[str, Any]
    """Of the store."""
    frames: RawFrames
    images: list[FrameRecord]
    """Those of the store's images."""
    in_sequences: list[FrameRecord]
    """All frames of the sequences of the store's expressive images; empty for a set without sequences.
    `landmarks` is None for frames without landmarks of their own, and for face crops."""
    left_out: list[tuple[str, str]]
    """What could not be read."""

    def bad(self, skip_bad: bool) -> BadItems:
        """The policy for one layer, which starts with what could not be read."""
        return BadItems(skip=skip_bad, root=self.frames.root, left_out=list(self.left_out))


def read_layer_frames(store: PreparedStore, sources: LayerSources, *, with_sequences: bool) -> LayerFrames:
    """The frames of the user's copy, with landmarks from where the images of `store` have theirs.

    Raises UserError for a copy without sequences if they are wanted, for a copy or landmarks other than those
    that the images were prepared from, and as the adapter does.
    """
    description = describe(store.dataset)
    root = raw_root(description, store.size_pixels, sources.data_root, sources.source)
    check_looks_right(store.dataset, root)
    why_none = no_sequences_in(store.dataset, root)
    if with_sequences and why_none:
        raise UserError(
            f"{root} has no sequences: {why_none}; add them, or leave out {LAYER_FLAGS['sequences']}."
        )
    manifest = store_files.read_manifest(store.folder)
    bad = BadItems(skip=sources.skip_bad, root=root)
    choices = replace(_choices(manifest), whole_sequences=not why_none)
    records = without_linked(root, load_adapter(store.dataset).read_records(root, choices, bad), bad)
    names = set(store.image_names.tolist())
    of_store = set(store.sequences[store.roles == "expressive"].tolist())
    frames = RawFrames(store.dataset, root)
    records = [one for one in records if one.image_name in names or one.sequence_id in of_store]
    records = _with_landmarks(records, frames, manifest, sources, bad)
    _check_same_frames(store, records, frames)
    in_sequences = [record for group in labelled_sequences(records) for record in group]
    return LayerFrames(
        manifest=manifest,
        frames=frames,
        images=[record for record in records if record.image_name in names],
        in_sequences=[] if why_none else [one for one in in_sequences if one.sequence_id in of_store],
        left_out=bad.left_out,
    )


def _with_landmarks(
    records: list[FrameRecord],
    frames: RawFrames,
    manifest: dict[str, Any],
    sources: LayerSources,
    bad: BadItems,
) -> list[FrameRecord]:
    """`records` with landmarks from where the images have theirs; None for frames without.

    Raises UserError if that source is not given, or another one is.
    """
    if manifest["aligned"]:
        _refuse(sources, "are face crops and use no landmarks", file=True, finder=True)
        return [replace(record, landmarks=None) for record in records]
    origin = str(manifest.get("landmarks_from", "data set"))
    if origin == "data set":
        _refuse(sources, "were aligned by the data set's own landmarks", file=True, finder=True)
        return records
    if origin == "file":
        _refuse(sources, "were aligned by a landmark file", file=False, finder=True)
        if sources.landmarks is None:
            raise UserError(
                "the images were aligned by a landmark file; pass the same one with --landmarks FILE."
            )
        matched = match_landmarks(records, read_landmarks(sources.landmarks, bad))
        found = {name: listed.points for name, listed in matched.items()}
        return [replace(record, landmarks=found.get(record.image_name)) for record in records]
    _refuse(sources, f"were aligned by {origin}", file=True, finder=False)
    if sources.find_landmarks is None or sources.find_landmarks.name != origin:
        other = "" if sources.find_landmarks is None else f", not by {sources.find_landmarks.name}"
        raise UserError(
            f"the images were aligned by landmarks that {origin} found{other}; pass --landmarks detect, and "
            "--detector if it was given."
        )
    wanted = [record for record in records if record.landmarks is None]
    dense = sources.find_landmarks.dense(wanted, frames.read_frame, skip_bad=bad.skip)
    return [
        replace(record, landmarks=five_points_from_68(dense[record.image_name]))
        if record.landmarks is None and record.image_name in dense
        else record
        for record in records
    ]


def _refuse(sources: LayerSources, how: str, *, file: bool, finder: bool) -> None:
    """Raises UserError if a landmark file or a finder is given and refused, because the images `how`."""
    if (file and sources.landmarks is not None) or (finder and sources.find_landmarks is not None):
        raise UserError(
            f"frames are aligned as the images are, and these {how}, but --landmarks was given; leave it "
            "out, or prepare the images anew with it first."
        )


def _check_same_frames(store: PreparedStore, records: Sequence[FrameRecord], frames: RawFrames) -> None:
    """Raises UserError unless every image of the store is among `records`, with the same file and
    landmarks."""
    index = store_files.read_table(
        store.folder / store_files.INDEX, ["image", "source", "source_sha256", "landmarks"]
    )
    record_of = {record.image_name: record for record in records}
    for image, source, sha256, landmarks in zip(*index.values(), strict=True):
        record = record_of.get(image)
        if record is None or frames.sha256(record) != sha256:
            what = "lacks" if record is None else "holds another version of"
            raise UserError(
                f"layers are made from the files that the images were prepared from, but {frames.root} "
                f"{what} {source}; pass --source the same copy, or prepare the images anew first."
            )
        points = None if record.landmarks is None else record.landmarks.ravel().tolist()
        if points != landmarks:
            raise UserError(
                f"frames are aligned as the images are, but {image} was prepared with other landmarks; pass "
                "the same ones, or prepare the images anew first."
            )
