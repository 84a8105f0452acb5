"""Clips: every frame by its number, in any order, and what is no clip named."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.raw.clips import Clip
from platform.errors import UserError
from tests.raw_trees import write_clip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A clip of nine frames, of which number n, from 0, is of one gray: 20 (n + 1)."""
    write_clip(tmp_path / "S001-100.avi", frame_count=9)
    return tmp_path / "S001-100.avi"


def test_frames_read_in_any_order_are_the_right_ones(path: Path) -> None:
    clip = Clip(path)
    for frame in (0, 1, 4, 4, 3, 8, 0):
        image = clip.read(frame)
        assert image.shape == (140, 160, 3)
        assert image.dtype == np.uint8
        assert abs(float(image.mean()) - 20 * (frame + 1)) < 3
    clip.close()


def test_counting_goes_to_the_end_and_reading_starts_again(path: Path) -> None:
    clip = Clip(path)
    assert clip.size == (160, 140)
    clip.read(2)
    assert clip.count() == 9
    assert clip.count() == 9
    assert abs(float(clip.read(0).mean()) - 20) < 3


def test_a_frame_beyond_the_end_is_named(path: Path) -> None:
    with pytest.raises(UserError, match=r"S001-100\.avi breaks off before frame 9"):
        Clip(path).read(9)


def test_a_clip_cut_short_or_damaged_in_its_middle_is_named(path: Path) -> None:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 24.0, (160, 140))
    for seed in range(9):
        writer.write(np.random.default_rng(seed).integers(0, 256, (140, 160, 3), dtype=np.uint8))
    writer.release()
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        UserError, match=rf"cut short: it has {len(content) // 2:,} of {len(content):,} bytes"
    ):
        Clip(path)
    third = len(content) // 3
    path.write_bytes(content[:third] + bytes(third) + content[2 * third :])
    # Another centre would be another expression: frames that are gone are no smaller clip.
    with pytest.raises(UserError, match=r"S001-100\.avi is damaged: of 9 frames [1-7] can be read"):
        Clip(path).count()


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_clip_whose_writer_did_not_know_its_size_is_read(path: Path, size: int) -> None:
    content = bytearray(path.read_bytes())
    content[4:8] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert Clip(path).count() == 9


def test_what_is_no_clip_is_named_once(path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path.write_bytes(b"not a video at all")
    with pytest.raises(UserError, match=r"S001-100\.avi cannot be opened as a video"):
        Clip(path)
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r"S001-100\.avi is empty \(0 bytes\)"):
        Clip(path)
    path.unlink()
    with pytest.raises(UserError, match=r"cannot read .*S001-100\.avi: No such file"):
        Clip(path)
    assert capfd.readouterr().err == ""  # the message is the only one
