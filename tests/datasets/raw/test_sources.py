"""Raw files are read strictly, and only from inside the data set's folder."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.raw.sources import (
    read_image,
    read_text,
    require_folder,
    source_path,
    visible_names,
)
from platform.errors import UserError
from platform.files.opening import file_sha256


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """An 8-bit gray PNG of 40 × 30."""
    path = tmp_path / "picture.png"
    noise = np.random.default_rng(0).integers(0, 256, (30, 40), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    return path


@pytest.mark.parametrize("source", ["../outside.png", "a/../../outside.png", "/etc/hostname"])
def test_paths_that_leave_the_root_are_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "outside.png").touch()
    with pytest.raises(UserError, match="leaves the data set's folder"):
        source_path(tmp_path / "root", source)


def test_links_are_followed_inside_the_root_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a" / "inside.png").touch()
    (tmp_path / "outside.png").touch()
    (root / "good.png").symlink_to(root / "a" / "inside.png")
    (root / "bad.png").symlink_to(tmp_path / "outside.png")
    (root / "bad").symlink_to(tmp_path)
    assert source_path(root, "good.png").samefile(root / "a" / "inside.png")
    for source in ("bad.png", "bad/outside.png"):
        with pytest.raises(UserError, match="link"):
            source_path(root, source)


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").touch()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert source_path(tmp_path / "root", "file").is_file()


def test_gray_becomes_three_equal_channels_with_the_same_values(picture: Path) -> None:
    image = read_image(picture)
    assert image.shape == (30, 40, 3)
    assert image.dtype == np.uint8
    expected = np.array(Image.open(picture))
    assert all((image[..., channel] == expected).all() for channel in range(3))


def test_channels_are_red_green_blue(tmp_path: Path) -> None:
    Image.new("RGB", (2, 2), (255, 10, 0)).save(tmp_path / "red.png")
    assert read_image(tmp_path / "red.png")[0, 0].tolist() == [255, 10, 0]


def test_every_truncation_is_refused(picture: Path) -> None:
    content = picture.read_bytes()
    for kept in (1, 7, 20, 40, len(content) // 2, len(content) - 30):
        picture.write_bytes(content[:kept])
        with pytest.raises(UserError, match=r"picture\.png is not a readable image"):
            read_image(picture)


def test_an_empty_and_a_missing_file_are_named(picture: Path) -> None:
    picture.write_bytes(b"")
    with pytest.raises(UserError, match=r"picture\.png is empty \(0 bytes\)"):
        read_image(picture)
    picture.unlink()
    with pytest.raises(UserError, match=r"cannot read .*picture\.png"):
        read_image(picture)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "CMYK", "I;16"])
def test_pixels_that_need_a_guess_are_refused(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "image.tiff"
    Image.new(mode, (4, 4)).save(path)
    with pytest.raises(UserError, match=f"pixels of kind {mode!r}"):
        read_image(path)


def test_a_rotation_noted_in_exif_is_refused(tmp_path: Path) -> None:
    image = Image.new("L", (4, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "rotated.jpg", exif=exif)
    with pytest.raises(UserError, match="stored rotated"):
        read_image(tmp_path / "rotated.jpg")


@pytest.mark.parametrize("side", [9_000, 12_000, 30_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    header = b"IHDR" + side.to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    chunk = (13).to_bytes(4, "big") + header + zlib.crc32(header).to_bytes(4, "big")
    path = tmp_path / "bomb.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk + (0).to_bytes(4, "big") + b"IDAT" + b"\0" * 4)
    with pytest.raises(UserError, match=r"bomb\.png"):
        read_image(path)


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes("é".encode("latin1"))
    with pytest.raises(UserError, match="not text in UTF-8"):
        read_text(tmp_path / "text")


def test_a_folder_must_exist_and_hold_something(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        require_folder(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is empty"):
        require_folder(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="is a file, not a folder"):
        require_folder(tmp_path / "file")
    assert require_folder(tmp_path) == tmp_path


def test_the_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_sha256(tmp_path / "abc").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_the_message_for_an_unknown_kind_is_the_same_in_every_run(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_text("hello")
    with pytest.raises(UserError, match=r"face\.png is not a readable image \(no known kind of image\)"):
        read_image(tmp_path / "face.png")


@pytest.mark.parametrize(("mode", "colour"), [("P", 0), ("L", 0), ("RGB", (0, 0, 0))])
def test_a_transparent_colour_is_refused_like_an_alpha_channel(
    tmp_path: Path, mode: str, colour: int | tuple[int, int, int]
) -> None:
    Image.new(mode, (4, 4)).save(tmp_path / "face.png", transparency=colour)
    with pytest.raises(UserError, match=r"face\.png has transparent pixels"):
        read_image(tmp_path / "face.png")


def test_several_pictures_in_one_file_are_refused(tmp_path: Path) -> None:
    pictures = [Image.new("L", (4, 4), gray) for gray in (10, 200)]
    pictures[0].save(tmp_path / "faces.tiff", save_all=True, append_images=pictures[1:])
    with pytest.raises(UserError, match=r"faces\.tiff holds several pictures"):
        read_image(tmp_path / "faces.tiff")


@pytest.mark.parametrize("source", ["x" * 300 + ".png", "a\0.png", "circle.png"])
def test_paths_that_no_file_can_have_are_refused(tmp_path: Path, source: str) -> None:
    (tmp_path / "circle.png").symlink_to("circle.png")
    with pytest.raises(UserError, match="cannot be reached"):
        source_path(tmp_path, source)


def test_a_file_of_zero_bytes_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"1.0\n\0\0\0")
    with pytest.raises(UserError, match=r"text, line 2 is not text in UTF-8 \(it has a zero byte\)"):
        read_text(tmp_path / "text")


def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    for listing in (require_folder, visible_names):
        with pytest.raises(UserError, match=rf"cannot list the folder {tmp_path}: Permission denied"):
            listing(tmp_path)


def test_a_name_that_is_no_text_is_shown_and_refused(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"Zo\xeb.png")).touch()
    with pytest.raises(UserError, match=r"not text in UTF-8, Zo\\xeb\.png .*; rename it") as raised:
        visible_names(tmp_path)
    str(raised.value).encode("ascii")
