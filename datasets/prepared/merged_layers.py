"""Layers of several sets as one: those of its parts, one after another, without a copy."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from datasets.prepared.landmark_layer import LandmarkLayer
from datasets.prepared.merged_names import SUBJECT_SEPARATOR
from datasets.prepared.neutral_layer import NeutralLayer
from datasets.prepared.sequence_layer import FrameArray, SequenceLayer


class JoinedFrames:
    """The frames of several layers as one array; each slice lies within one of them."""

    def __init__(self, parts: Sequence[FrameArray]) -> None:
        self._parts = parts
        self._ends = list(accumulate(part.shape[0] for part in parts))

    @property
    def shape(self) -> tuple[int, ...]:
        """(F, size, size, 3)"""
        return (self._ends[-1], *self._parts[0].shape[1:])

    def __getitem__(self, frames: slice, /) -> np.ndarray:
        part = bisect_right(self._ends, frames.start)
        offset = self._ends[part - 1] if part else 0
        return self._parts[part][frames.start - offset : frames.stop - offset]


def merged_sequences(parts: Mapping[str, SequenceLayer]) -> SequenceLayer:
    """The sequences of all `parts`, by name of their set, with names of the merged set."""
    layers = list(parts.values())
    starts = list(accumulate((layer.frames.shape[0] for layer in layers), initial=0))
    return SequenceLayer(
        hash=_joint_hash(parts),
        frames=JoinedFrames([layer.frames for layer in layers]),
        frame_numbers=np.concatenate([layer.frame_numbers for layer in layers]),
        alignments=np.concatenate([layer.alignments for layer in layers]),
        names=_prefixed({name: layer.names for name, layer in parts.items()}),
        subjects=_prefixed({name: layer.subjects for name, layer in parts.items()}),
        expressions=np.concatenate([layer.expressions for layer in layers]),
        first=np.concatenate([layer.first + start for layer, start in zip(layers, starts, strict=False)]),
        lengths=np.concatenate([layer.lengths for layer in layers]),
        apexes=np.concatenate([layer.apexes for layer in layers]),
    )


def merged_landmarks(parts: Mapping[str, LandmarkLayer]) -> LandmarkLayer:
    """The landmarks of all `parts`, by name of their set, with names of the merged set."""
    return LandmarkLayer.of(
        _joint_hash(parts),
        np.concatenate([layer.points for layer in parts.values()]),
        _prefixed({name: layer.image_names for name, layer in parts.items()}).tolist(),
        _prefixed({name: layer.subjects for name, layer in parts.items()}).tolist(),
    )


def merged_neutral(
    parts: Mapping[str, Sequence[str]], hashes: Mapping[str, str], images: Sequence[str]
) -> NeutralLayer:
    """The layer of a merged set with the images `images`, from the neutral images of each part and the hash
    of each part's layer."""
    row_of = {name: row for row, name in enumerate(images)}
    names = _prefixed({name: np.array(found, dtype=np.str_) for name, found in parts.items()}).tolist()
    return NeutralLayer.of(_joint(hashes), sorted(row_of[name] for name in names), images)


def _prefixed(names_of: Mapping[str, np.ndarray]) -> np.ndarray:
    """The names of all parts, each after that of its data set."""
    return np.array(
        [f"{part}{SUBJECT_SEPARATOR}{name}" for part, names in names_of.items() for name in names.tolist()],
        dtype=np.str_,
    )


def _joint_hash(parts: Mapping[str, SequenceLayer] | Mapping[str, LandmarkLayer]) -> str:
    return _joint({name: layer.hash for name, layer in parts.items()})


def _joint(hashes: Mapping[str, str]) -> str:
    """SHA-256 (64 hex digits) of the layers' hashes, by name of their set."""
    return hashlib.sha256(json.dumps(hashes, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
