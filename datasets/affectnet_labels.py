"""Shared by AffectNet's two layouts: label codes, landmarks and listed images."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

LABEL_OF_CODE = {
    0: "neutral", 1: "happiness", 2: "sadness", 3: "surprise", 4: "fear", 5: "disgust", 6: "anger",
    7: "contempt", 8: "none", 9: "uncertain", 10: "no face",
}  # fmt: skip
"""Label codes (docs/methods.md, §6). The newer layout documents only 0 to 7; 8 to 10 mean the same there."""

EXPRESSIONS_WANTED = frozenset(
    {"anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise"}  # CK+'s, so the paper's
)
"""Images with another label are skipped."""


class ListedImage(NamedTuple):
    """One labelled image. A tuple for speed, because AffectNet lists about 400,000."""

    image_id: str
    """Unique in the data set."""
    label: str
    """One of LABEL_OF_CODE."""
    source: str
    """Path relative to the data set's root, with `/`."""
    points: str
    """The landmarks as text (older layout), or the path of their file (newer layout)."""
    listed_at: str
    """Position for messages: `training.csv, line 12`."""


def label_of(code: str) -> str:
    """The label of `code` (`6`, also `6.0`). Raises ValueError for an unknown code."""
    codes = ", ".join(f"{number} {label}" for number, label in LABEL_OF_CODE.items())
    try:
        number = float(code)
    except ValueError:
        raise ValueError(f"the expression is {code[:40]!r}, not a number; the codes are {codes}") from None
    if number not in LABEL_OF_CODE:
        raise ValueError(f"the expression code {code} is out of range; the codes are {codes}")
    return LABEL_OF_CODE[int(number)]


def dense_points(values: np.ndarray) -> np.ndarray:
    """68 landmarks, float64 (68, 2), pixels, from the order x, y, x, y ...: (136,) or (68, 2).

    Raises ValueError unless `values` are 136 finite numbers.
    """
    if values.shape not in ((136,), (68, 2)) or not np.isfinite(values).all():
        raise ValueError(
            f"the landmarks must be 68 points (136 finite numbers), but are {values.size} numbers "
            f"of shape {values.shape}, {int(np.isfinite(values).sum())} of them finite"
        )
    return values.reshape(68, 2)
