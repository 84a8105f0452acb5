"""Scaling of face crops as in FMPN's released code (docs/methods.md, §2.5), and the store's file of such
crops.

PIL's bilinear filter scales the shorter side to the loading size, the crop stays a rectangle, and gray is
computed before scaling. The file is one array of equal canvases: each rectangle lies in the upper left corner
of its canvas, and the index holds its height and width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from platform.errors import UserError
from platform.files.synced import sync

if TYPE_CHECKING:
    from datasets.records import FrameRecord

LONGEST_SIDE = 4
"""Largest ratio of a crop's sides. No face is longer, and every canvas would become as long."""


def released_size(height: int, width: int, size_pixels: int) -> tuple[int, int]:
    """(height, width) after torchvision's `Resize(size_pixels)`, which truncates the longer side."""
    if height <= width:
        return size_pixels, int(size_pixels * width / height)
    return int(size_pixels * height / width), size_pixels


def released_face(record: FrameRecord, frame: np.ndarray, size_pixels: int) -> np.ndarray:
    """`frame` uint8 (H, W, 3) scaled: uint8 (h, w, 4), RGB and gray, which is computed before scaling.

    Raises UserError for a crop that is longer than LONGEST_SIDE allows.
    """
    from PIL import Image

    height, width = frame.shape[:2]
    if max(height, width) > LONGEST_SIDE * min(height, width):
        raise UserError(
            f"{record.source} is no face crop: its {width}×{height} pixels are longer than {LONGEST_SIDE} "
            "times their shorter side; cut it, or prepare with --resample cubic (the centre square)."
        )
    image = Image.fromarray(frame)
    new_height, new_width = released_size(height, width, size_pixels)
    colour, gray = (
        np.asarray(one.resize((new_width, new_height), Image.Resampling.BILINEAR))
        for one in (image, image.convert("L"))
    )
    return np.concatenate([colour, gray[..., None]], axis=2)


def centre_square(face: np.ndarray) -> np.ndarray:
    """The centred square of a scaled face, uint8 (S, S, 3), RGB, for all consumers of square faces."""
    height, width = face.shape[:2]
    side = min(height, width)
    top, left = round((height - side) / 2), round((width - side) / 2)
    return np.ascontiguousarray(face[top : top + side, left : left + side, :3])


def write_rectangles(path: Path, faces: Iterable[np.ndarray], sizes: np.ndarray) -> str:
    """Write `faces`, each uint8 (h, w, 4) of its size in `sizes` int64 [n, 2]; returns the file's SHA-256.

    Raises UserError if a face does not have the stated size.
    """
    canvas = np.zeros((*sizes.max(axis=0).tolist(), 4), np.uint8)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        header = BytesIO()
        shape = (len(sizes), *canvas.shape)
        np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
        digest.update(header.getvalue())
        file.write(header.getvalue())
        for face, (height, width) in zip(faces, sizes.tolist(), strict=True):
            if face.shape != (height, width, 4):
                raise UserError("a face crop changed while it was prepared; run the same command again.")
            canvas[:] = 0
            canvas[:height, :width] = face
            digest.update(canvas.data)
            file.write(canvas.data)
        sync(file)
    return digest.hexdigest()
