"""FMPN's release of CK+ and MMI: frames as listed, classes by name, every fault named with its file."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import fmpn_release
from datasets.fmpn_release import read_released_masks, released_folds
from datasets.raw.choices import BadItems, Choices
from datasets.raw.fmpn_labels import read_codes
from platform.errors import UserError

CKPLUS_CODES = {"S005_001": 3, "S010_002": 7, "S010_003": -1, "S011_001": 1}
MMI_CODES = {"S001_100": 3, "S002_005": 0, "S003_001": 5}


def write_release(root: Path, codes: dict[str, int], digits: int, frames: tuple[int, ...]) -> Path:
    """A release with two folds: all but the first frame of each labelled sequence are listed, and
    tested in fold 1 for the first subject, in fold 0 for the others. The image of frame n is gray n."""
    (root / "imgs").mkdir(parents=True)
    tested: dict[str, list[str]] = {"0": [], "1": []}
    for sequence, code in codes.items():
        for place, frame in enumerate(frames):
            name = f"{sequence}_{frame:0{digits}d}.png"
            Image.new("L", (20, 20), frame).save(root / "imgs" / name)
            if place and code != -1:
                tested["1" if sequence.startswith(next(iter(codes))[:4]) else "0"].append(name)
    for fold, other in (("0", "1"), ("1", "0")):
        (root / f"test_ids_{fold}.csv").write_text("\n".join(tested[fold]))
        (root / f"train_ids_{fold}.csv").write_text("\n".join(tested[other]) + "\n")
    write_codes(root, codes)
    return root


def write_codes(root: Path, codes: object) -> None:
    (root / "emotion_labels.pkl").write_bytes(pickle.dumps(codes, protocol=2))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """CK+: three labelled sequences of three subjects and an unlabelled one."""
    return write_release(tmp_path / "release", CKPLUS_CODES, 8, (1, 9, 10, 11))


def test_ckplus_frames_are_the_listed_ones_and_the_first_is_neutral(tree: Path) -> None:
    chosen = {one.image_name: (one.expression, one.role) for one in fmpn_release.read_records(tree)}
    labelled = {"S005_001": "disgust", "S010_002": "surprise", "S011_001": "anger"}
    assert chosen == {
        f"{sequence}_{frame:08d}": ("neutral", "neutral") if frame == 1 else (expression, "expressive")
        for sequence, expression in labelled.items()
        for frame in (1, 9, 10, 11)
    }


def test_mmi_is_told_by_its_codes(tmp_path: Path) -> None:
    tree = write_release(tmp_path, MMI_CODES, 3, (0, 40, 41, 42))
    records = fmpn_release.read_records(tree)
    labels = {one.sequence_id: one.expression for one in records if one.role == "expressive"}
    assert labels == {"S001_100": "happiness", "S002_005": "anger", "S003_001": "surprise"}
    assert [one.frame for one in records if one.role == "neutral"] == [0, 0, 0]
    record = records[1]
    assert record.source == "imgs/S001_100_040.png"
    assert fmpn_release.read_frame(tree, record).tolist()[0][0] == [40, 40, 40]


def test_without_first_frames_there_is_no_neutral(tmp_path: Path) -> None:
    tree = write_release(tmp_path, CKPLUS_CODES, 8, (8, 9, 10, 11))
    records = fmpn_release.read_records(tree)
    assert {one.role for one in records} == {"expressive"}
    assert 8 not in {one.frame for one in records}


def test_a_subjects_neutral_is_of_its_first_sequence_that_has_one(tmp_path: Path) -> None:
    codes = {"S005_001": 3, "S005_002": 4, "S005_003": 7, "S006_001": 7}
    tree = write_release(tmp_path, codes, 8, (1, 9, 10, 11))
    (tree / "imgs/S005_001_00000001.png").unlink()
    records = fmpn_release.read_records(tree)
    neutral = [one.image_name for one in records if one.role == "neutral"]
    assert neutral == ["S005_002_00000001", "S006_001_00000001"]


def test_chosen_frames_and_whole_sequences(tree: Path) -> None:
    listed = frozenset({("S005_001", 9)})
    records = fmpn_release.read_records(tree, Choices(frames=listed))
    assert {(one.sequence_id, one.frame) for one in records if one.role == "expressive"} == listed
    with pytest.raises(UserError, match="S005_001_00000012"):
        fmpn_release.read_records(tree, Choices(frames=frozenset({("S005_001", 12)})))
    Image.new("L", (20, 20)).save(tree / "imgs/S005_001_00000005.png")
    records = fmpn_release.read_records(tree, Choices(whole_sequences=True))
    assert [one.role for one in records if one.sequence_id == "S005_001"] == [
        "neutral", "context", "expressive", "expressive", "expressive",
    ]  # fmt: skip
    with pytest.raises(UserError, match="--draw-seed has no meaning"):
        fmpn_release.read_records(tree, Choices(draw_seed=1))


def test_lists_may_be_quoted_with_a_header_and_blank_lines(tree: Path) -> None:
    expected = [one.image_name for one in fmpn_release.read_records(tree)]
    for path in tree.glob("*_ids_*.csv"):
        names = path.read_text().split()
        path.write_text("image\n\n" + "\n\n".join(f'"{name}"' for name in names) + "\n\n")
    assert [one.image_name for one in fmpn_release.read_records(tree)] == expected


def test_folds_are_given_as_listed(tree: Path) -> None:
    folds = released_folds(tree)
    assert len(folds) == 2
    assert folds[1][1] == tuple(f"S005_001_{frame:08d}.png" for frame in (9, 10, 11))
    assert folds[0][0] == folds[1][1]


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        (CKPLUS_CODES | {"S099_001": 8}, r"gives S099_001 the label code 8"),
        (CKPLUS_CODES | {"S099_001": -2}, r"gives S099_001 the label code -2"),
        (
            CKPLUS_CODES | {"S099_001": 0},
            r"mixes label codes of CK\+ and MMI: S010_003 has -1.*S099_001 has 0",
        ),
        ({"S005_001": 3, "S010_002": 5}, r"has only the label codes 3, 5, which CK\+ and MMI give different"),
        (CKPLUS_CODES | {"S099_001": 2.5}, r"maps 'S099_001' to 2\.5"),
        (CKPLUS_CODES | {"S099_001": "3"}, r"maps 'S099_001' to '3'"),
        (CKPLUS_CODES | {"S099_001": True}, r"maps 'S099_001' to True"),
        (CKPLUS_CODES | {"S099_001_00000001": 3}, r"maps 'S099_001_00000001' to 3"),
        ([3, 7], r"must be a dict"),
        ({}, r"must be a dict"),
    ],
)
def test_wrong_labels_are_named(tree: Path, codes: object, fault: str) -> None:
    write_codes(tree, codes)
    with pytest.raises(UserError, match=rf"emotion_labels\.pkl.*{fault}"):
        fmpn_release.read_records(tree)


def test_codes_may_be_whole_floats(tree: Path) -> None:
    write_codes(tree, {sequence: float(code) for sequence, code in CKPLUS_CODES.items()})
    assert read_codes(tree / "emotion_labels.pkl") == CKPLUS_CODES


def test_labels_that_would_run_something_are_refused(tree: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tree / 'marker'}",)

    write_codes(tree, {"S005_001": Evil()})
    with pytest.raises(UserError, match=r"emotion_labels\.pkl is not plain data"):
        fmpn_release.read_records(tree)
    assert not (tree / "marker").exists()


def append(path: Path, line: str) -> None:
    path.write_text(path.read_text() + f"\n{line}\n")


def test_listed_images_without_file_or_label_are_named_or_left_out(tree: Path) -> None:
    append(tree / "test_ids_0.csv", "S010_002_00000099.png")
    with pytest.raises(UserError, match=r"names S010_002_00000099\.png, but .*imgs lacks it"):
        fmpn_release.read_records(tree)
    append(tree / "test_ids_0.csv", "S010_003_00000009.png\nS777_001_00000009.png")
    bad = BadItems(skip=True, root=tree)
    records = fmpn_release.read_records(tree, bad=bad)
    assert len(records) == 12
    reasons = dict(bad.left_out)
    assert sorted(reasons) == ["S010_002_00000099.png", "S010_003_00000009.png", "S777_001_00000009.png"]
    assert "gives the sequence S010_003 the label -1" in reasons["S010_003_00000009.png"]
    assert "gives the sequence S777_001 no label" in reasons["S777_001_00000009.png"]


@pytest.mark.parametrize(
    "line", ["../S005_001_00000009.png", "/etc/S005_001_00000009.png", "C:\\x\\S005_001_9.png"]
)
def test_a_list_that_leaves_the_root_is_refused(tree: Path, line: str) -> None:
    append(tree / "test_ids_0.csv", line)
    with pytest.raises(UserError, match=r"test_ids_0\.csv.*leaves the folder"):
        fmpn_release.read_records(tree)


@pytest.mark.parametrize("name", ["imgs/S005_001_00000009.png", "emotion_labels.pkl", "test_ids_1.csv"])
def test_a_link_out_of_the_root_is_refused(tree: Path, name: str) -> None:
    (tree / name).rename(tree.parent / "outside")
    (tree / name).symlink_to(tree.parent / "outside")
    with pytest.raises(UserError, match=rf"{name} leaves the data set's folder"):
        [fmpn_release.read_frame(tree, record) for record in fmpn_release.read_records(tree)]


def test_a_frame_twice_and_a_subject_twice_are_refused(tree: Path) -> None:
    (tree / "imgs/S005_001_009.png").write_bytes((tree / "imgs/S005_001_00000009.png").read_bytes())
    with pytest.raises(
        UserError, match=r"holds one frame twice, as S005_001_00000009\.png and S005_001_009\.png"
    ):
        fmpn_release.read_records(tree)
    (tree / "imgs/S005_001_009.png").rename(tree / "imgs/s005_002_00000009.png")
    write_codes(tree, CKPLUS_CODES | {"s005_002": 4})
    append(tree / "test_ids_1.csv", "s005_002_00000009.png")
    with pytest.raises(UserError, match="spells one subject in two ways, 'S005' and 's005'"):
        fmpn_release.read_records(tree)


def test_a_wrong_folder_is_told_what_was_expected(tree: Path) -> None:
    with pytest.raises(UserError, match=rf"not in FMPN's layout: expected imgs/.*pass --source {tree}\."):
        fmpn_release.read_records(tree.parent)
    (tree / "train_ids_1.csv").unlink()
    with pytest.raises(UserError, match=r"has test_ids_1\.csv without train_ids_1\.csv"):
        fmpn_release.read_records(tree)


def write_masks(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("L", (7, 7), 10 * number).save(folder / f"{number}.png")


@pytest.mark.parametrize(("count", "happiness"), [(7, 4), (6, 3)])
def test_masks_are_read_by_class_name(tmp_path: Path, count: int, happiness: int) -> None:
    write_masks(tmp_path / "imgs_res/3", count)
    for folder in (tmp_path, tmp_path / "imgs_res"):
        masks = read_released_masks(folder, 3, ("surprise", "happiness"))
        assert list(masks) == ["surprise", "happiness"]
        assert masks["happiness"].dtype == np.uint8
        np.testing.assert_array_equal(masks["happiness"], np.full((7, 7), 10 * happiness))
        np.testing.assert_array_equal(masks["surprise"], np.full((7, 7), 10 * (count - 1)))


def test_wrong_masks_are_named(tmp_path: Path) -> None:
    write_masks(tmp_path / "0", 6)
    with pytest.raises(UserError, match=r"has no masks of fold 1: expected the folder 1, found 0"):
        read_released_masks(tmp_path, 1, ("anger",))
    with pytest.raises(UserError, match=r"has no mask of contempt: its classes are anger, disgust"):
        read_released_masks(tmp_path, 0, ("anger", "contempt"))
    Image.new("L", (8, 7)).save(tmp_path / "0/1.png")
    with pytest.raises(UserError, match="differ in size"):
        read_released_masks(tmp_path, 0, ("anger", "disgust"))
    Image.new("RGB", (7, 7), (1, 2, 3)).save(tmp_path / "0/1.png")
    with pytest.raises(UserError, match=r"0/1\.png is no gray image"):
        read_released_masks(tmp_path, 0, ("anger", "disgust"))
    (tmp_path / "0/5.png").unlink()
    with pytest.raises(UserError, match=r"must hold the masks 0\.png to 6\.png"):
        read_released_masks(tmp_path, 0, ("anger",))


@pytest.mark.parametrize("code", [float("nan"), float("inf"), 2.5, True])
def test_codes_that_are_no_whole_numbers_are_named(tree: Path, code: float) -> None:
    write_codes(tree, {"S005_001": code})
    with pytest.raises(UserError, match=r"emotion_labels\.pkl must map .* to whole numbers"):
        fmpn_release.read_records(tree)
