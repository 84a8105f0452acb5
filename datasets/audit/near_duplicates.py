"""Images that look the same although their bytes differ: copies re-encoded, resized, brightened, and those
mirrored, turned, inverted or slightly cropped.

Every pair is compared, as the correlation of two small band-passed pictures, which is one blocked matrix
product for each way in which a copy may lie (eight, each at two sizes). The likeliest of each image are then
registered (datasets/audit/picture_registration.py). A 64-bit hash of the cosine transform before it was
tried and left out: with bits balanced over the set it misses copies in sets of a few images.
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
"""Pixels of the pictures that are compared."""
_SOFT_SIDE = 16
"""Of those that only look for what may be worth registering."""

SAME_PICTURE = 0.97
"""Correlation from which two images look the same. Measured on the synthetic faces, aligned: of 717,600
pairs of images of 300 people, difficulty 0.35, none reaches it (the highest: 0.962; in 100,000 pairs one
reaches 0.936). Of 400 copies in each way, all reach it after JPEG at quality 30, 20 levels brighter,
gamma 0.7, half the size and noise of 5 levels, 95 % after a gain of 1.3 that clips."""

SAME_REGISTERED = 0.975
"""The same of registered pictures, which lie on each other as well as they can: the highest of 1,795 pairs of
150 drawn people reached 0.9696. What of copies reaches it: docs/audit.md."""

_WORTH_REGISTERING = 0.6
"""Correlation of the softer pictures below which no copy was found."""
_REGISTERED = 4
"""Most pairs registered for each image."""

_BLOCK = 1024
"""Rows compared at once: memory stays linear in the number of images."""


@dataclass(frozen=True, kw_only=True)
class NearPair:
    """Two images that look the same, as positions in the set."""

    first: int
    second: int
    correlation: float
    """From SAME_PICTURE to 1."""
    how: str = ""
    """What was done to one of them: `mirrored`, `turned by 90 degrees`, `inverted` and the like; empty where
    none of these was."""


def small_picture(image: np.ndarray) -> np.ndarray:
    """`image` uint8 (H, W, 3) RGB in gray, float32 (SIDE, SIDE), in [0, 255]."""
    import cv2

    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32))


def near_duplicates(pictures: np.ndarray, subjects: np.ndarray) -> list[NearPair]:
    """For each image its most similar image of another subject, where the two look the same.

    `pictures` float32 (N, SIDE, SIDE), from `small_picture`; `subjects` (N,), anything that compares. Each
    pair is given once, the earlier image first, sorted; there are at most N.
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
    """`pictures` band-passed, as rows float32 (N, SIDE²) of length 1 and mean 0; zeros where one is flat."""
    rows = np.stack([band(picture) for picture in pictures]).reshape(len(pictures), -1)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    # Less than one gray level of contrast is rounding and no picture.
    return np.where(length >= SIDE, rows / np.maximum(length, SIDE), 0).astype(np.float32)


def closest(
    rows: np.ndarray, others: np.ndarray, subjects: np.ndarray, *, sign: int = 1
) -> Iterator[tuple[int, int, float]]:
    """(row, other, correlation times `sign`) of each row's most similar other of another subject.

    `rows`, `others` float32 (N, D), of length 1; `subjects` (N,).
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
    """Another image that may be the same after a change."""

    correlation: float
    other: int = field(compare=False)
    variant: str = field(compare=False)
    sign: int = field(compare=False)
    size: int = field(compare=False)
    """Index of the image as it is, or enlarged."""


def _soft(pictures: np.ndarray) -> np.ndarray:
    """As `unit_bands`, softer and smaller: float32 (N, _SOFT_SIDE²)."""
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
    """Of each image in `wanted` that is not flat, its likeliest others, the likeliest first."""
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
