"""Preview image of a prepared store, for visual inspection."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from datasets.prepared.store import PreparedStore
from platform.files.local_storage import LOCAL

CELL_PIXELS = 96
FACES_A_CLASS = 8
MEAN_IMAGES = 200
"""Most images averaged for a mean face, evenly spread over the class."""


def write_preview(store: PreparedStore, path: Path) -> None:
    """Write a PNG with a line per class and one for the neutral faces: name, mean face, some aligned faces.

    The mean face shows the quality of the alignment: if it is correct, eyes and mouth are sharp.
    """
    groups = {name: (store.expressions == name) & (store.roles == "expressive") for name in store.class_names}
    if (store.roles == "neutral").any():
        groups["neutral faces"] = store.roles == "neutral"
    width = CELL_PIXELS * (2 + FACES_A_CLASS)
    canvas = Image.new("RGB", (width, CELL_PIXELS * len(groups) + 16), "white")
    draw = ImageDraw.Draw(canvas)
    draw.text((CELL_PIXELS + 4, 2), "mean face", fill="black")
    draw.text((2 * CELL_PIXELS + 4, 2), "aligned faces", fill="black")
    for row, (name, chosen) in enumerate(groups.items()):
        top = 16 + row * CELL_PIXELS
        rows = np.flatnonzero(chosen)
        draw.text((4, top + CELL_PIXELS // 2 - 14), f"{name}\n{len(rows)} images", fill="black")
        canvas.paste(_cell(_mean_face(store, rows)), (CELL_PIXELS, top))
        for column, index in enumerate(_spread(rows, FACES_A_CLASS)):
            canvas.paste(_cell(store.images[index]), ((2 + column) * CELL_PIXELS, top))
    content = BytesIO()
    canvas.save(content, format="PNG")
    LOCAL.replace(path, content.getvalue())


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of `rows`, evenly spread, so that they show many subjects."""
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)]


def _mean_face(store: PreparedStore, rows: np.ndarray) -> np.ndarray:
    """The mean of at most MEAN_IMAGES of `rows`, uint8 (size, size, 3), with one image in memory at a
    time."""
    some = _spread(rows, MEAN_IMAGES)
    total = np.zeros(store.images.shape[1:], dtype=np.uint32)
    for index in some:
        total += store.images[index]
    return (total / len(some)).round().astype(np.uint8)


def _cell(image: np.ndarray) -> Image.Image:
    return Image.fromarray(image).resize((CELL_PIXELS, CELL_PIXELS), Image.Resampling.BOX)
