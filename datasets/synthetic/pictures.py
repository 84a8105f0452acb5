"""Encoding of synthetic faces as image files."""

from __future__ import annotations

import cv2
import numpy as np


def encode_png(picture: np.ndarray) -> bytes:
    """A PNG file of an image, uint8 [H, W, 3] RGB."""
    return _encoded(".png", picture, cv2.IMWRITE_PNG_COMPRESSION, 1)


def encode_jpeg(picture: np.ndarray, quality: int = 95) -> bytes:
    """A JPEG file of an image, uint8 [H, W, 3] RGB; `quality` from 1 to 100."""
    return _encoded(".jpg", picture, cv2.IMWRITE_JPEG_QUALITY, quality)


def encode_bmp(picture: np.ndarray) -> bytes:
    """A BMP file of an image, uint8 [H, W, 3] RGB."""
    return _encoded(".bmp", picture)


def _encoded(extension: str, picture: np.ndarray, *options: int) -> bytes:
    done, data = cv2.imencode(extension, picture[:, :, ::-1], list(options))
    if not done:
        raise RuntimeError(f"OpenCV could not encode a {extension} file")
    return data.tobytes()
