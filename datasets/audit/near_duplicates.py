"""Near duplicates: copies that were re-encoded, resized, brightened, mirrored, rotated, inverted or slightly
cropped.

All pairs are compared by the correlation of two small band-passed images: one blocked matrix product for each
of eight orientations at two scales. The best candidates of each image are then registered
(datasets/audit/picture_registration.py). A preceding 64-bit hash of the cosine transform was tried and
dropped: with bits balanced over the set it misses copies in sets of a few images.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from datasets.audit.picture_registration import (
    SOFT_COARSE,
    SOFT_FINE,
    VARIANTS,
    band,
    registered_correlation,
    zoomed,
)

SIDE = 32
"""Side of the compared images, pixels."""
_SOFT_SIDE = 16
"""Side of the blurred images that select candidates for registration, pixels."""

SAME_PICTURE = 0.97
"""Correlation from which two images count as near duplicates. Measured on aligned synthetic faces of
difficulty 0.35: none of 717,600 pairs of images of 300 people reaches it (maximum 0.962; one in 100,000 pairs
reaches 0.936). Of 400 copies per change, all reach it after JPEG at quality 30, +20 gray levels, gamma 0.7,
half the size or noise of 5 levels, and 95 % after a gain of 1.3 with clipping."""

SAME_REGISTERED = 0.975
"""The same threshold for registered images: the maximum over 1,795 pairs of 150 synthetic people is 0.9696.
Detection rates of copies: docs/audit.md."""

_WORTH_REGISTERING = 0.6
"""Correlation of the blurred images below which no copy was found."""
_REGISTERED = 4
"""Most pairs registered per image."""

_BLOCK = 1024
"""Rows compared at once, so that memory stays linear in the number of images."""


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """Two images that look the same, as positions in the set."""

    first: int
    second: int
    correlation: float
    """From SAME_PICTURE to 1."""
    how: str = ""
    """Changes of one of them: `mirrored`, `rotated by 90 degrees`, `inverted` and combinations; empty if
    none."""


def small_picture(image: np.ndarray) -> np.ndarray:
    """`image` uint8 (H, W, 3) RGB as a small gray image, float32 (SIDE, SIDE) in [0, 255]."""
    import cv2

    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32))


def near_duplicates(pictures: np.ndarray, subjects: np.ndarray) -> list[NearPair]:
    """For each image its most similar image of another subject, if the two are near duplicates.

    `pictures` float32 (N, SIDE, SIDE), from `small_picture`; `subjects` (N,), of any comparable type. Returns
    at most N sorted pairs, each once, with the earlier image first.
    """
    found: dict[tuple[int, int], NearPair] = {}
    alone = set(range(len(pictures)))
    sharp = unit_bands(pictures)
    for row, other, value in closest(sharp, sharp, subjects):
        if value >= SAME_PICTURE:
            _keep(found, row, other, value, "")
            alone.discard(row)
    sizes = (pictures, zoomed(pictures))
    for row, candidates in _worth_registering(sizes, subjects, alone).items():
        _keep_best(found, sizes, row, candidates)
    return [found[pair] for pair in sorted(found)]


def unit_bands(pictures: np.ndarray) -> np.ndarray:
    """`pictures` band-passed, as rows float32 (N, SIDE²) of norm 1 and mean 0; zeros for a flat image."""
    rows = np.stack([band(picture) for picture in pictures]).reshape(len(pictures), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    # Contrast below one gray level is rounding error.
    return np.where(length >= SIDE, rows / np.maximum(length, SIDE), 0).astype(np.float32)


def closest(
    rows: np.ndarray, others: np.ndarray, subjects: np.ndarray, *, sign: int = 1
) -> Iterator[tuple[int, int, float]]:
    """(row, other, correlation times `sign`) of each row and its most similar other of another subject.

    `rows`, `others`: float32 (N, D) of norm 1; `subjects` (N,).
    """
    for start in range(0, len(rows), _BLOCK):
        block = slice(start, start + _BLOCK)
        correlation = (sign * rows[block]) @ others.T
        correlation[subjects[block, None] == subjects[None, :]] = -1.0
        best = correlation.argmax(axis=1)
        values = correlation[np.arange(len(best)), best]
        yield from zip(range(start, start + len(best)), best.tolist(), values.tolist(), strict=True)


@dataclass(frozen=True, kw_only=True, order=True)
class _Candidate:
    """An image that may be a changed copy of another one."""

    correlation: float
    other: int = field(compare=False)
    variant: str = field(compare=False)
    sign: int = field(compare=False)
    size: int = field(compare=False)
    """Index of the scale: 0 original, 1 enlarged."""


def _soft(pictures: np.ndarray) -> np.ndarray:
    """As `unit_bands`, more blurred and smaller: float32 (N, _SOFT_SIDE²)."""
    import cv2

    size = (_SOFT_SIDE, _SOFT_SIDE)
    small = [
        cv2.resize(band(picture, SOFT_FINE, SOFT_COARSE), size, interpolation=cv2.INTER_AREA)
        for picture in pictures
    ]
    rows = np.stack(small).reshape(len(pictures), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6))


def _worth_registering(
    sizes: Sequence[np.ndarray], subjects: np.ndarray, wanted: set[int]
) -> dict[int, list[_Candidate]]:
    """The best candidates of each image in `wanted` that is not flat, in descending order."""
    sharp: np.ndarray = np.any(unit_bands(sizes[0]), axis=1)
    candidates: dict[int, list[_Candidate]] = {row: [] for row in sorted(wanted) if sharp[row]}
    soft = _soft(sizes[0])
    for size, pictures in enumerate(sizes):
        for variant, change in VARIANTS.items():
            rows = _soft(change(pictures))
            for sign in (1, -1):
                for row, other, value in closest(rows, soft, subjects, sign=sign):
                    if value >= _WORTH_REGISTERING and row in candidates and sharp[other]:
                        candidates[row].append(
                            _Candidate(correlation=value, other=other, variant=variant, sign=sign, size=size)
                        )
    return {row: sorted(some, reverse=True)[:_REGISTERED] for row, some in candidates.items()}


def _keep_best(
    found: dict[tuple[int, int], NearPair],
    sizes: Sequence[np.ndarray],
    row: int,
    candidates: Sequence[_Candidate],
) -> None:
    best, value = None, SAME_REGISTERED
    for one in candidates:
        changed = one.sign * VARIANTS[one.variant](sizes[one.size][row])
        correlation = registered_correlation(changed, sizes[0][one.other])
        if correlation >= value:
            best, value = one, correlation
    if best is not None:
        words = [best.variant] * bool(best.variant) + ["inverted"] * (best.sign < 0)
        _keep(found, row, best.other, value, ", ".join(words))


def _keep(found: dict[tuple[int, int], NearPair], row: int, other: int, value: float, how: str) -> None:
    pair = (min(row, other), max(row, other))
    if pair not in found or found[pair].correlation < value:
        found[pair] = NearPair(first=pair[0], second=pair[1], correlation=min(value, 1.0), how=how)
