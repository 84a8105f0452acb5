from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datasets.audit.audited_images import FolderImages, StoreImages
from platform.errors import UserError
from tests.tiny_faces import face, prepare_tiny


def write(path: Path, gray: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full((6, 5, 3), gray, dtype=np.uint8))


def test_files_are_found_by_path_without_extension_and_in_one_subfolder(tmp_path: Path) -> None:
    for gray, name in enumerate(("a.png", "x/b.jpg", "x/c.png", "y/c.png", ".hidden.png")):
        write(tmp_path / name, gray * 20)
    (tmp_path / "notes.txt").write_text("no image")
    images = FolderImages(tmp_path)
    assert images.names() == {"a.png", "x/b.jpg", "x/c.png", "y/c.png"}
    assert [images.find(name) for name in ("a.png", "a", "b", "b.jpg", "x/c.png", "y/c")] == [
        "a.png", "a.png", "x/b.jpg", "x/b.jpg", "x/c.png", "y/c.png",
    ]  # fmt: skip
    assert images.find("c.png") is None, "two folders have one"
    assert images.find("z/a.png") is None
    assert images.read("x/c.png").tolist() == np.full((6, 5, 3), 40).tolist()


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "outside.png", 9)
    write(tmp_path / "in/a.png", 9)
    (tmp_path / "in/b.png").symlink_to(tmp_path / "outside.png")
    images = FolderImages(tmp_path / "in")
    assert images.find("b.png") == "b.png"
    with pytest.raises(UserError, match=r"b\.png leaves the data set's folder"):
        images.read("b.png")


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no image files; pass --images"):
        FolderImages(tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        FolderImages(tmp_path / "nowhere")


def test_a_stores_faces_are_found_by_sequence_and_frame(tmp_path: Path) -> None:
    images = StoreImages(prepare_tiny(tmp_path, subjects=2))
    assert len(images.names()) == 12, "neutral faces are in no list"
    for name in ("S01_001_00000002", "S01_001_2.png", "imgs/S01_001_0002.jpg"):
        found = images.find(name)
        assert found == "S01_001_00000002"
        assert images.expression(name) == "anger"
    assert np.array_equal(images.read("S01_001_00000002"), face("S01", "anger", 2))
    for name in ("S01_001_00000000.png", "S09_001_00000002.png", "hello"):
        assert (images.find(name), images.expression(name)) == (None, None)
