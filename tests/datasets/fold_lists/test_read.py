from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from datasets.audit.findings import judge
from datasets.fold_lists.listed_images import FoldLists
from datasets.fold_lists.read import read_fold_lists
from datasets.folds.rules import paper_folds
from datasets.prepared.store import PreparedStore
from platform.errors import UserError
from tests.fold_list_files import CKPLUS_FRAMES, released_folds, write_released
from tests.tiny_faces import prepare_tiny


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PreparedStore:
    return prepare_tiny(tmp_path_factory.mktemp("data"), subjects=4)


def sides(lists: FoldLists) -> list[tuple[int, tuple[str, ...], tuple[str, ...]]]:
    return [(fold.index, fold.train, fold.test) for fold in lists.folds]


def test_released_lists_and_the_table_of_the_same_folds_are_the_same(tmp_path: Path) -> None:
    released = read_fold_lists(write_released(tmp_path / "lists", released_folds()))
    table = read_fold_lists(CKPLUS_FRAMES)
    assert (released.kind, table.kind) == ("released lists", "table")
    assert sides(released) == sides(table)
    assert len(released.images) == 981
    for name, image in released.images.items():
        assert (image.subject, image.sequence) == (name[:4], name[:8])
        assert image.expression is None
        assert table.images[name].expression is not None
        assert (table.images[name].subject, table.images[name].sequence) == (image.subject, image.sequence)


def test_a_header_blank_lines_quotes_and_folds_from_1_are_read(tmp_path: Path) -> None:
    for fold in (1, 2):
        (tmp_path / f"train_ids_{fold}.csv").write_text(f'image\n\n"S00{fold}_001_00000001.png"\n\n')
        (tmp_path / f"test_ids_{fold}.csv").write_text(f"./S00{3 - fold}_001_00000001.png\r\n")
    assert sides(read_fold_lists(tmp_path)) == [
        (1, ("S001_001_00000001.png",), ("S002_001_00000001.png",)),
        (2, ("S002_001_00000001.png",), ("S001_001_00000001.png",)),
    ]


def test_a_plan_of_ours_is_expanded_to_the_stores_expressive_images(
    tmp_path: Path, store: PreparedStore
) -> None:
    path = tmp_path / "folds.json"
    path.write_text(paper_folds(store.subjects.tolist(), 4).to_json())
    lists = read_fold_lists(path, store)
    assert lists.kind == "fold plan"
    assert [len(fold.test) for fold in lists.folds] == [6] * 4
    assert [len(fold.train) for fold in lists.folds] == [18] * 4
    assert {lists.images[name].subject for name in lists.folds[0].test} == {"S04"}
    assert set(lists.images) == set(store.image_names[store.roles == "expressive"].tolist())
    assert judge(lists).verdict.startswith("disjoint and covering: each of the 24 images is tested once")


def test_a_plan_needs_the_store_that_it_was_made_for(tmp_path: Path, store: PreparedStore) -> None:
    path = tmp_path / "folds.json"
    path.write_text(paper_folds(["S01", "S02", "S77"], 3).to_json())
    with pytest.raises(UserError, match=r"lists subjects and no images; pass --data"):
        read_fold_lists(path)
    with pytest.raises(UserError, match=r"lists 1 subjects without images in .*, the first being S77"):
        read_fold_lists(path, store)


def test_a_damaged_plan_names_its_file(tmp_path: Path, store: PreparedStore) -> None:
    path = tmp_path / "folds.json"
    content = json.loads(paper_folds(["S01", "S02"], 2).to_json())
    content["folds"][0]["train_subjects"] = ["S01", "S02"]
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"folds\.json: .*fold 0 trains and tests on S02"):
        read_fold_lists(path, store)


FOUR = [
    (["S001_001_00000001.png", "S001_001_00000002.png"], ["S002_001_00000001.png"]),
    (["S002_001_00000001.png"], ["S001_001_00000001.png", "S001_001_00000002.png"]),
]


def with_labels(folder: Path, content: object, folds: list[tuple[list[str], list[str]]] = FOUR) -> Path:
    write_released(folder, folds)
    (folder / "emotion_labels.pkl").write_bytes(pickle.dumps(content))
    return folder


def test_labels_are_codes_of_the_release_that_the_names_belong_to(tmp_path: Path) -> None:
    ckplus = read_fold_lists(with_labels(tmp_path / "ckplus", {"S001_001": 3, "S002_001": 7}))
    assert ckplus.codes_title == "CK+"
    assert [(image.label, image.expression) for image in ckplus.images.values()] == [
        (3, "disgust"), (3, "disgust"), (7, "surprise"),
    ]  # fmt: skip
    folds = [(["S001_100_040.png"], ["S002_100_040.png"]), (["S002_100_040.png"], ["S001_100_040.png"])]
    mmi = read_fold_lists(with_labels(tmp_path / "mmi", {"S001_100": 3, "S002_100": 9}, folds))
    assert mmi.codes_title == "MMI"
    assert [(image.label, image.expression) for image in mmi.images.values()] == [
        (3, "happiness"), (9, None),
    ]  # fmt: skip


@pytest.mark.parametrize("content", [["S001_001"], {"S001_001": "anger"}, {"S001_001": True}])
def test_labels_that_are_no_numbers_by_sequence_are_refused(tmp_path: Path, content: object) -> None:
    with pytest.raises(UserError, match=r"emotion_labels\.pkl must (be a dict from|map) sequences"):
        read_fold_lists(with_labels(tmp_path, content))


def damage(folder: Path, name: str, text: str | None) -> Path:
    write_released(folder, FOUR)
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("train_ids_1.csv", None, r"test_ids_1\.csv without train_ids_1\.csv; add it"),
        ("test_ids_0.csv", None, r"train_ids_0\.csv without test_ids_0\.csv; add it"),
        ("test_ids_0.csv", "", r"test_ids_0\.csv lists no images"),
        ("test_ids_0.csv", "image\n\n", r"test_ids_0\.csv lists no images"),
        (
            "test_ids_0.csv",
            "S001_001_00000001.png\n\nhello there\n",
            r"line 3: 'hello there' is not an image",
        ),
        ("test_ids_0.csv", "S001_001_00000001.png\nimage\n", r"line 2: 'image' is not an image name"),
        ("test_ids_0.csv", "S001_001_00000001.png,3\n", r"line 1: .* is not an image name"),
        ("test_ids_0.csv", "../S001_001_00000001.png\n", r"line 1: .* leaves the folder"),
        ("test_ids_0.csv", "/data/S001_001_00000001.png\n", r"line 1: .* leaves the folder"),
        ("test_ids_0.csv", "C:\\data\\S001_001_00000001.png\n", r"line 1: .* leaves the folder"),
    ],
)
def test_bad_released_lists_name_the_file_and_the_line(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        read_fold_lists(damage(tmp_path / "lists", name, text))


def test_a_gap_in_the_folds_is_refused(tmp_path: Path) -> None:
    write_released(tmp_path, [*FOUR, *FOUR])
    for side in ("train", "test"):
        (tmp_path / f"{side}_ids_1.csv").unlink()
    with pytest.raises(UserError, match=r"numbered 0, 1, 2, \.\.\..* has 0, 2, 3; add the missing ones"):
        read_fold_lists(tmp_path)


def test_what_is_no_fold_list_is_told_what_one_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no fold lists at .*nowhere"):
        read_fold_lists(tmp_path / "nowhere")
    with pytest.raises(UserError, match="is empty"):
        read_fold_lists(tmp_path)
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(UserError, match=r"expected train_ids_K\.csv and test_ids_K\.csv, found readme\.txt"):
        read_fold_lists(tmp_path)
    with pytest.raises(UserError, match=r"but got .*readme\.txt"):
        read_fold_lists(tmp_path / "readme.txt")
