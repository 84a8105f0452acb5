"""images.npy in the making: any order, any gaps, and in the end a file that numpy reads."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from datasets.prepared.image_file import finish, read_crc, write_images

SIZE = 6
FACES = np.random.default_rng(0).integers(0, 256, (7, SIZE, SIZE, 3), dtype=np.uint8)


def test_chunks_in_any_order_make_the_file_that_numpy_writes(tmp_path: Path) -> None:
    path, expected = tmp_path / "images.npy", tmp_path / "expected.npy"
    for first, last in ((4, 7), (0, 4)):
        write_images(path, first, list(FACES[first:last]))
    digest = finish(path, range(7), SIZE)
    np.save(expected, FACES)
    assert path.read_bytes() == expected.read_bytes()
    assert digest == hashlib.sha256(expected.read_bytes()).hexdigest()


def test_what_is_not_kept_leaves_no_gap(tmp_path: Path) -> None:
    path, kept = tmp_path / "images.npy", [1, 2, 5]
    write_images(path, 0, list(FACES))
    digest = finish(path, kept, SIZE)
    np.testing.assert_array_equal(np.load(path), FACES[kept])
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_checksum_sees_a_changed_and_a_missing_byte(tmp_path: Path) -> None:
    path = tmp_path / "images.npy"
    assert read_crc(path, 0, 2, SIZE) == 0  # no file yet
    crc = write_images(path, 2, list(FACES[2:4]))
    assert read_crc(path, 2, 2, SIZE) == crc
    content = bytearray(path.read_bytes())
    path.write_bytes(content[:-1])
    assert read_crc(path, 2, 2, SIZE) != crc
    content[-1] ^= 1
    path.write_bytes(content)
    assert read_crc(path, 2, 2, SIZE) != crc
