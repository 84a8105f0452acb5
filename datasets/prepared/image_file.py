"""Writing of images.npy: each image at its offset, by any process, in any order.

Plain writes instead of a memory map, so that a full disk is an error and not a SIGBUS.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from platform.files.synced import sync

HEADER_BYTES = 128
"""Header size of a .npy file of version 1.0 with fewer than 10^20 images."""


def _header(image_count: int, size_pixels: int) -> bytes:
    header = BytesIO()
    shape = (image_count, size_pixels, size_pixels, 3)
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    assert len(header.getvalue()) == HEADER_BYTES
    return header.getvalue()


def write_images(path: Path, first: int, images: Sequence[np.ndarray]) -> int:
    """Write `images` (each uint8 (size, size, 3)) from number `first` on; returns the CRC-32 of their
    bytes."""
    crc = 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o666)
    try:
        offset = HEADER_BYTES + first * (images[0].nbytes if images else 0)
        for image in images:
            view = np.ascontiguousarray(image).data.cast("B")
            crc = zlib.crc32(view, crc)
            while view:
                written = os.pwrite(descriptor, view, offset)
                offset, view = offset + written, view[written:]
    finally:
        os.close(descriptor)
    return crc


def read_crc(path: Path, first: int, image_count: int, size_pixels: int) -> int:
    """CRC-32 of the bytes of `image_count` images from number `first` on, as far as the file goes."""
    if not path.is_file():
        return 0
    image_bytes = size_pixels**2 * 3
    with path.open("rb") as file:
        file.seek(HEADER_BYTES + first * image_bytes)
        return zlib.crc32(file.read(image_count * image_bytes))


def finish(path: Path, kept: Sequence[int], size_pixels: int) -> str:
    """Keep only the images numbered `kept` (ascending) and write the header; returns the file's SHA-256."""
    image_bytes = size_pixels**2 * 3
    digest = hashlib.sha256()
    with path.open("r+b") as file:
        file.write(_header(len(kept), size_pixels))
        digest.update(_header(len(kept), size_pixels))
        for place, number in enumerate(kept):
            file.seek(HEADER_BYTES + number * image_bytes)
            content = file.read(image_bytes)
            assert len(content) == image_bytes
            digest.update(content)
            if number != place:
                file.seek(HEADER_BYTES + place * image_bytes)
                file.write(content)
        file.truncate(HEADER_BYTES + len(kept) * image_bytes)
        sync(file)
    return digest.hexdigest()
