"""Image files of synthetic faces: lossless where the format is, in RGB."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from datasets.synthetic.pictures import encode_bmp, encode_jpeg, encode_png

PICTURE = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


@pytest.mark.parametrize("encode", [encode_png, encode_bmp])
def test_lossless_formats_keep_every_pixel(encode: Callable[[np.ndarray], bytes]) -> None:
    np.testing.assert_array_equal(decoded(encode(PICTURE)), PICTURE)
    assert encode(PICTURE) == encode(PICTURE.copy())


def test_jpeg_keeps_colours_about() -> None:
    plain = np.full((16, 16, 3), (200, 40, 90), np.uint8)
    assert np.abs(decoded(encode_jpeg(plain)).astype(int) - plain).max() <= 3
    assert len(encode_jpeg(PICTURE, quality=30)) < len(encode_jpeg(PICTURE, quality=95))
