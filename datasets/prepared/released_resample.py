"""Face crops scaled as FMPN's released code does it (METHODS §2.5), and the store's file that holds them.

The shorter side is brought to the loading size by PIL's bilinear filter, the crop stays a rectangle, and the
gray face is made before it is scaled. The file is one array of equal canvases: a rectangle lies in the upper
left corner of its own, and the index has its height and width.
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
"""Of a crop, in its shorter sides: no face is longer, and every canvas would become as long."""


def released_size(height: int, width: int, size_pixels: int) -> tuple[int, int]:
    """(height, width) after torchvision's `Resize(size_pixels)`: the longer side loses its fraction."""
    if height <= width:
        return size_pixels, int(size_pixels * width / height)
    return int(size_pixels * height / width), size_pixels


def released_face(record: FrameRecord, frame: np.ndarray, size_pixels: int) -> np.ndarray:
    """`frame` uint8 (H, W, 3) scaled: uint8 (h, w, 4), RGB and the gray that was made before scaling.

    UserError for a crop that is longer than LONGEST_SIDE allows.
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
    """The centred square of a scaled face, uint8 (S, S, 3), RGB: for everything that looks at squares."""
    height, width = face.shape[:2]
    side = min(height, width)
    top, left = round((height - side) / 2), round((width - side) / 2)
    return np.ascontiguousarray(face[top : top + side, left : left + side, :3])


def write_rectangles(path: Path, faces: Iterable[np.ndarray], sizes: np.ndarray) -> str:
    """Write `faces` (each uint8 (h, w, 4), as `sizes` int64 [n, 2] says); SHA-256 of the file."""
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
