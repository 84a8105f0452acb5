"""AffectNet's newer layout: every fault of an annotation is named with its file, and nothing in one runs."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datasets import affectnet_npy
from datasets.affectnet_labels import ListedImage
from datasets.raw.choices import BadItems
from platform.errors import UserError
from tests.raw_trees import FACE, points_68


class Hostile:
    """Unpickling it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.mkdir, (self.folder,)  # type: ignore[return-value]


def write_image(root: Path, subset: str, number: int, code: object, points: object = None) -> None:
    """An annotated image, whose own file is not needed here."""
    annotations = root / subset / "annotations"
    annotations.mkdir(parents=True, exist_ok=True)
    np.save(annotations / f"{number}_exp.npy", np.array(code), allow_pickle=False)
    if points is not None:
        np.save(annotations / f"{number}_lnd.npy", np.array(points), allow_pickle=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Five images: three in train_set, and two of the same numbers in val_set; two neutral."""
    for number, code in enumerate(("1", "6", "0")):
        write_image(tmp_path, "train_set", number, code, points_68(FACE).ravel())
    for number, code in enumerate((7, 0)):
        write_image(tmp_path, "val_set", number, code)
    return tmp_path


def listed(root: Path, bad: BadItems | None = None) -> dict[str, str]:
    """Image -> label."""
    return {image.image_id: image.label for image in affectnet_npy.listed_images(root, bad or BadItems())}


def test_images_of_both_folders_are_told_apart_by_a_prefix(tree: Path) -> None:
    assert listed(tree) == {"0": "happiness", "1": "anger", "val_0": "contempt"}
    images = affectnet_npy.listed_images(tree, BadItems())
    assert [image.source for image in images] == [
        "train_set/images/0.jpg", "train_set/images/1.jpg", "val_set/images/0.jpg",
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["6", b"6", 6, 6.0, np.int64(6), np.float32(6), [6], ["6"], "6.0", " 6 "])
def test_a_code_is_a_number_or_its_text(tmp_path: Path, code: object) -> None:
    write_image(tmp_path, "train_set", 0, code)
    assert listed(tmp_path) == {"0": "anger"}


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (11, "code 11 is out of range; the codes are 0 neutral, 1 happiness"),
        (-1, "code -1 is out of range"),
        (2.5, "code 2.5 is out of range"),
        (np.nan, "code nan is out of range"),
        ("angry", "'angry', not a number"),
        ("", "'', not a number"),
        ([1, 2], "holds 2 values"),
        ([], "holds 0 values"),
    ],
)
def test_a_wrong_code_stops_or_is_left_out_alone(tree: Path, code: object, fault: str) -> None:
    write_image(tree, "train_set", 1, code)
    with pytest.raises(UserError, match=rf"train_set/annotations/1_exp\.npy.*{fault}"):
        listed(tree)
    bad = BadItems(skip=True)
    assert listed(tree, bad) == {"0": "happiness", "val_0": "contempt"}
    assert [item for item, _ in bad.left_out] == ["train_set/annotations/1_exp.npy"]


def read_all(root: Path) -> list[np.ndarray | None]:
    """The landmarks of every image, so that both kinds of files are read."""
    images = affectnet_npy.listed_images(root, BadItems())
    return [affectnet_npy.read_points(root, image) for image in images]


def hostile_pickle(path: Path, marker: Path) -> None:
    path.write_bytes(pickle.dumps(Hostile(marker)))


def hostile_object_array(path: Path, marker: Path) -> None:
    array = np.empty((), dtype=object)
    array[()] = Hostile(marker)
    np.save(path, array, allow_pickle=True)


@pytest.mark.parametrize("write", [hostile_pickle, hostile_object_array])
@pytest.mark.parametrize("end", ["_exp.npy", "_lnd.npy"])
def test_nothing_in_a_pickle_runs(tree: Path, write: Callable[[Path, Path], None], end: str) -> None:
    path, marker = tree / f"train_set/annotations/1{end}", tree / "executed"
    write(path, marker)
    with pytest.raises(UserError, match=rf"1{end} is not a plain numpy array .*restore"):
        read_all(tree)
    assert not marker.exists()
    np.load(path, allow_pickle=True) if write is hostile_object_array else pickle.loads(path.read_bytes())
    assert marker.exists()  # so the file was harmful


def spoil_truncated(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:-1])
    return "is not a plain numpy array"


def spoil_header(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:20])
    return "is not a plain numpy array"


def spoil_zero_byte(path: Path) -> str:
    path.write_bytes(b"")
    return r"is empty \(0 bytes\)"


def spoil_garbage(path: Path) -> str:
    path.write_bytes(b"\x93NUMPY\x01\x00\x10\x00{'descr': ((((((((")
    return "is not a plain numpy array"


def spoil_claims_too_much(path: Path) -> str:
    claim = b"'shape': (99999999999999,), }"
    plain = b"'shape': (), }".ljust(len(claim))  # the header ends in blanks, and keeps its length
    content = path.read_bytes()
    assert plain in content
    path.write_bytes(content.replace(plain, claim))
    return "is not a plain numpy array"


def spoil_archive(path: Path) -> str:
    with path.open("wb") as file:
        np.savez(file, code=np.array(6))
    return r"is not a plain numpy array \(it is an archive"


@pytest.mark.parametrize(
    "spoil",
    [spoil_truncated, spoil_header, spoil_zero_byte, spoil_garbage, spoil_claims_too_much, spoil_archive],
)
def test_a_damaged_file_stops_or_is_left_out_alone(tree: Path, spoil: Callable[[Path], str]) -> None:
    fault = spoil(tree / "train_set/annotations/0_exp.npy")
    with pytest.raises(UserError, match=rf"0_exp\.npy {fault}"):
        listed(tree)
    bad = BadItems(skip=True)
    assert listed(tree, bad) == {"1": "anger", "val_0": "contempt"}
    assert len(bad.left_out) == 1
    assert re.search(fault, bad.left_out[0][1])


def first_image(root: Path) -> ListedImage:
    return affectnet_npy.listed_images(root, BadItems())[0]


@pytest.mark.parametrize(
    "arrange",
    [lambda p: p, lambda p: p.ravel(), lambda p: p.reshape(136, 1), lambda p: p.ravel().astype(np.str_)],
)
def test_landmarks_are_read_in_every_arrangement(
    tmp_path: Path, arrange: Callable[[np.ndarray], np.ndarray]
) -> None:
    write_image(tmp_path, "train_set", 0, 1, arrange(points_68(FACE)))
    points = affectnet_npy.read_points(tmp_path, first_image(tmp_path))
    assert points is not None
    np.testing.assert_allclose(points, points_68(FACE), atol=1e-9)


def test_an_image_without_a_landmark_file_has_no_landmarks(tmp_path: Path) -> None:
    write_image(tmp_path, "train_set", 0, 1)
    assert affectnet_npy.read_points(tmp_path, first_image(tmp_path)) is None


@pytest.mark.parametrize(
    "points",
    [np.zeros(135), np.zeros((2, 68)), np.zeros((67, 2)), np.full(136, np.inf), np.array(["x"] * 136)],
)
def test_landmarks_of_another_kind_are_named(tmp_path: Path, points: np.ndarray) -> None:
    write_image(tmp_path, "train_set", 0, 1, points)
    with pytest.raises(UserError, match=r"train_set/annotations/0_lnd\.npy"):
        affectnet_npy.read_points(tmp_path, first_image(tmp_path))


def test_an_annotation_that_links_out_of_the_tree_is_refused(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "0_exp.npy"
    path = tree / "train_set/annotations/0_exp.npy"
    path.rename(outside)
    path.symlink_to(outside)
    with pytest.raises(UserError, match="leaves the data set's folder"):
        listed(tree)
    assert listed(tree, BadItems(skip=True)) == {"1": "anger", "val_0": "contempt"}


def test_a_folder_that_links_out_of_the_tree_is_refused(tree: Path, tmp_path: Path) -> None:
    root = tmp_path / "other"
    root.mkdir()
    (root / "train_set").symlink_to(tree / "train_set")
    with pytest.raises(UserError, match="leaves the data set's folder"):
        listed(root)


def test_files_of_a_mac_are_passed_over(tree: Path) -> None:
    (tree / "train_set/annotations/._0_exp.npy").write_bytes(b"x")
    (tree / "train_set/annotations/.DS_Store").write_bytes(b"x")
    assert len(listed(tree)) == 3
