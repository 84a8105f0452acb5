"""Five facial points of each frame, detected by face-alignment and cached by the hash of the pixels.

face-alignment (Bulat and Tzimiropoulos, ICCV 2017) detects the faces in an image with one network and 68
points of each with another. It downloads its weights, some 100 MB, if they are missing. Results are cached,
so a second run needs neither weights nor network access.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from datasets.alignment.similarity import LARGEST_RESIDUAL, five_points_from_68, residual
from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.json_files import read_json
from platform.files.local_storage import READABLE

BATCH_IMAGES = 16
"""Images passed to the detector at once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DetectedFace:
    """One face in an image."""

    points: np.ndarray
    """float64 (68, 2), x and y in pixels of the image, in the iBUG order."""
    score: float
    """Score of the face detector; higher means more certain."""


class Detector(Protocol):
    """Detects faces. The result depends on nothing but the image and `name`."""

    name: str
    """Name with version. It names the cache folder, so letters, digits, `.`, `-` and `_` only."""

    def detect(self, images: list[np.ndarray]) -> list[list[DetectedFace]]:
        """The faces in each of `images`, uint8 (H, W, 3), RGB."""


@dataclass(frozen=True, kw_only=True)
class DetectionReport:
    """The outcome of detection on the frames without landmarks."""

    detector: str
    frames: int
    """Number of frames without landmarks."""
    from_cache: int
    """Number of these whose result was cached."""
    several_faces: tuple[tuple[str, int], ...]
    """Image name and number of faces of frames with more than one; the best score was taken."""
    left_out: tuple[tuple[str, str], ...]
    """Image name and reason of frames without a usable face."""

    def lines(self, most: int = 10) -> list[str]:
        """The report for the screen, with at most `most` names of each kind."""
        found = self.frames - len(self.left_out)
        lines = [f"{self.detector}: a face in {found} of {self.frames} frames, {self.from_cache} cached"]
        if self.several_faces:
            lines.append(f"  {len(self.several_faces)} frames show several faces (best score taken):")
            lines += [f"    {name}: {count} faces" for name, count in self.several_faces[:most]]
        if self.left_out:
            lines.append(f"  {len(self.left_out)} frames left out:")
            lines += [f"    {name}: {why}" for name, why in self.left_out[:most]]
        return lines


def detect_landmarks(
    records: Sequence[FrameRecord],
    read_frame: Callable[[FrameRecord], np.ndarray],
    detector: Detector,
    cache_folder: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    allow_missing: int = 0,
    bad: BadItems | None = None,
) -> tuple[list[FrameRecord], DetectionReport]:
    """`records` in the same order, with five points for those that had none.

    `read_frame` returns a record's frame, uint8 (H, W, 3), RGB. Of several faces the one with the best score
    counts. Frames without a usable face are left out if there are at most `allow_missing` of them; otherwise
    raises UserError with the first names. `bad` (None: strict) decides on frames that cannot be read.
    """
    wanted = [record for record in records if record.landmarks is None]
    cache = _Cache(cache_folder / detector.name, detector.name)
    chosen: dict[int, np.ndarray] = {}
    several: list[tuple[str, int]] = []
    left_out: list[tuple[str, str]] = []
    from_cache = 0
    for done, batch in _batches(wanted, read_frame, bad or BadItems()):
        faces_of, hits = _look(batch, detector, cache)
        from_cache += hits
        for (record, image), faces in zip(batch, faces_of, strict=True):
            points, why = _best_points(faces, image)
            if len(faces) > 1:
                several.append((record.image_name, len(faces)))
            if points is None:
                left_out.append((record.image_name, why))
            else:
                chosen[id(record)] = points
        if progress is not None:
            progress(done, len(wanted))
    report = DetectionReport(
        detector=detector.name,
        frames=len(wanted),
        from_cache=from_cache,
        several_faces=tuple(several),
        left_out=tuple(left_out),
    )
    _check_missing(report, allow_missing)
    kept = [record for record in records if record.landmarks is not None or id(record) in chosen]
    return [
        record if record.landmarks is not None else replace(record, landmarks=chosen[id(record)])
        for record in kept
    ], report


def detect_dense(
    records: Sequence[FrameRecord],
    read_frame: Callable[[FrameRecord], np.ndarray],
    detector: Detector,
    cache_folder: Path,
    progress: Callable[[int, int], None] | None = None,
    *,
    bad: BadItems | None = None,
) -> dict[str, np.ndarray]:
    """All 68 points of each frame, float64 (68, 2), pixels, by image name; frames without a usable face are
    absent. The face is the one that `detect_landmarks` takes, and the cache is the same."""
    cache = _Cache(cache_folder / detector.name, detector.name)
    found: dict[str, np.ndarray] = {}
    for done, batch in _batches(records, read_frame, bad or BadItems()):
        faces_of, _ = _look(batch, detector, cache)
        for (record, image), faces in zip(batch, faces_of, strict=True):
            points, _ = _best_points(faces, image)
            if points is not None:
                found[record.image_name] = _best_face(faces).points
        if progress is not None:
            progress(done, len(records))
    return found


def _check_missing(report: DetectionReport, allow_missing: int) -> None:
    if len(report.left_out) <= allow_missing:
        return
    first = "; ".join(f"{name}: {why}" for name, why in report.left_out[:10])
    raise UserError(
        f"{report.detector} found no usable face in {len(report.left_out)} of {report.frames} frames, but at "
        f"most {allow_missing} may be left out ({first}); look at these frames, pass their points with "
        f"--landmarks CSV, or pass --allow-missing {len(report.left_out)} to leave them out."
    )


def _batches(
    records: Sequence[FrameRecord], read_frame: Callable[[FrameRecord], np.ndarray], bad: BadItems
) -> Iterator[tuple[int, list[tuple[FrameRecord, np.ndarray]]]]:
    """How many records are dealt with after this batch, and the batch: records with their frames.

    BATCH_IMAGES at a time, so that memory does not grow with the set.
    """
    for start in range(0, len(records), BATCH_IMAGES):
        batch = []
        for record in records[start : start + BATCH_IMAGES]:
            with bad.guard(record.image_name):
                batch.append((record, read_frame(record)))
        yield min(start + BATCH_IMAGES, len(records)), batch


def _look(
    batch: Sequence[tuple[FrameRecord, np.ndarray]], detector: Detector, cache: _Cache
) -> tuple[list[list[DetectedFace]], int]:
    """The faces in each image of `batch`, and the number of images found in the cache."""
    hashes = [image_sha256(image) for _, image in batch]
    known = {digest: faces for digest in hashes if (faces := cache.read(digest)) is not None}
    hits = sum(digest in known for digest in hashes)
    new = {digest: image for digest, (_, image) in zip(hashes, batch, strict=True) if digest not in known}
    if new:
        for digest, faces in zip(new, detector.detect(list(new.values())), strict=True):
            cache.write(digest, faces)
            known[digest] = faces
    return [known[digest] for digest in hashes], hits


def _best_points(faces: Sequence[DetectedFace], image: np.ndarray) -> tuple[np.ndarray | None, str]:
    """Five points, float64 (5, 2), of the face with the best score; or None and the reason.

    A face whose points preparation would refuse (datasets/alignment/frame_alignment.py) counts as none, so
    that the frame can be left out.
    """
    if not faces:
        return None, "no face found"
    points = five_points_from_68(_best_face(faces).points)
    height, width = image.shape[:2]
    if (points < 0).any() or (points >= (width, height)).any():
        return None, "the points of the face leave the image"
    try:
        off = residual(points)
    except ValueError:
        off = math.inf
    if off > LARGEST_RESIDUAL:
        return None, "the points found are no frontal face's"
    return points, ""


def _best_face(faces: Sequence[DetectedFace]) -> DetectedFace:
    return max(faces, key=lambda face: face.score)


# --- the cache ----------------------------------------------------------------------------------------


def image_sha256(image: np.ndarray) -> str:
    """SHA-256 (64 hex digits) of shape and pixels of `image`, uint8 (H, W, 3)."""
    return hashlib.sha256(repr(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def _content_hash(content: Mapping[str, object]) -> str:
    """SHA-256 (64 hex digits) of all fields of a cache file except `hash`, as canonical JSON."""
    fields = {name: value for name, value in content.items() if name != "hash"}
    return hashlib.sha256(json.dumps(fields, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class _Cache:
    """One JSON file per image, named by the hash of its pixels. An invalid file counts as absent."""

    def __init__(self, folder: Path, detector: str) -> None:
        self._folder = folder
        self._detector = detector

    def read(self, digest: str) -> list[DetectedFace] | None:
        """The faces stored for the image with that hash; None without a valid file."""
        try:
            content = read_json(self._folder / f"{digest}.json")
            if (content["image_sha256"], content["detector"]) != (digest, self._detector):
                return None
            # Files written before 28 November 2026 have no hash.
            if content.get("hash", _content_hash(content)) != _content_hash(content):
                return None
            faces = [
                DetectedFace(points=np.array(face["points"], dtype=np.float64), score=float(face["score"]))
                for face in content["faces"]
            ]
        except (UserError, ValueError, KeyError, TypeError, AttributeError):
            return None
        sound = all(face.points.shape == (68, 2) and np.isfinite(face.points).all() for face in faces)
        return faces if sound else None

    def write(self, digest: str, faces: Sequence[DetectedFace]) -> None:
        """Store `faces` for the image with that hash, atomically."""
        content: dict[str, object] = {
            "format": "detected-faces",
            "detector": self._detector,
            "image_sha256": digest,
            "faces": [{"score": face.score, "points": face.points.tolist()} for face in faces],
        }
        content["hash"] = _content_hash(content)
        text = json.dumps(content, allow_nan=False) + "\n"
        path = self._folder / f"{digest}.json"
        try:
            READABLE.replace(path, text.encode())
        except OSError as error:
            raise UserError(
                f"cannot write the landmarks to {path}: {error.strerror or error}; free disk space or grant "
                "write permission."
            ) from error
