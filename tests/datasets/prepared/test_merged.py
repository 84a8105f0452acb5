from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets.prepared.merged import merged_store
from datasets.prepared.merged_names import set_of_subject, sets_of
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.store_files import INDEX
from platform.errors import UserError
from tests.tiny_faces import SIZE, prepare_tiny


@pytest.fixture
def data_root(tmp_path: Path) -> Path:
    prepare_tiny(tmp_path, "synthetic", subjects=3)
    prepare_tiny(tmp_path, "synthetic_mmi", subjects=2, others="other ")
    return tmp_path


def open_part(data_root: Path, name: str) -> PreparedStore:
    return PreparedStore.open(store_folder(data_root, name, SIZE))


def test_every_image_of_every_set_is_there_byte_for_byte(data_root: Path) -> None:
    merged = merged_store(data_root, ["synthetic_mmi", "synthetic"], SIZE)
    PreparedStore.open(merged.folder)
    assert merged.dataset == "synthetic+synthetic_mmi"
    assert sets_of(merged.dataset) == ("synthetic", "synthetic_mmi")
    seen = 0
    for name in sets_of(merged.dataset):
        part = open_part(data_root, name)
        place = {image: index for index, image in enumerate(merged.image_names.tolist())}
        for index, image in enumerate(part.image_names.tolist()):
            there = place[f"{name}:{image}"]
            assert np.array_equal(merged.images[there], part.images[index])
            for column in ("expressions", "roles", "frames"):
                assert getattr(merged, column)[there] == getattr(part, column)[index]
            seen += 1
    assert seen == len(merged.images)


def test_people_of_two_sets_with_the_same_name_stay_two_people(data_root: Path) -> None:
    merged = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    subjects = sorted(set(merged.subjects.tolist()))
    assert subjects == [
        "synthetic:S01", "synthetic:S02", "synthetic:S03", "synthetic_mmi:S01", "synthetic_mmi:S02",
    ]  # fmt: skip
    assert [set_of_subject(one) for one in subjects] == ["synthetic"] * 3 + ["synthetic_mmi"] * 2


def test_it_is_made_once_and_again_when_a_set_changed(data_root: Path) -> None:
    first = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    made = (first.folder / INDEX).stat().st_mtime_ns
    again = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    assert (again.folder / INDEX).stat().st_mtime_ns == made
    prepare_tiny(data_root, "synthetic_mmi", subjects=4, others="other ")
    changed = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    assert changed.hash != first.hash
    assert len(set(changed.subjects.tolist())) == 7


@pytest.mark.parametrize("damage", ["manifest", "index", "images"])
def test_a_damaged_one_is_made_anew(data_root: Path, damage: str) -> None:
    first = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    file = {"manifest": "manifest.json", "index": INDEX, "images": "images.npy"}[damage]
    path = first.folder / file
    path.write_bytes(path.read_bytes()[:-7])
    again = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    PreparedStore.open(again.folder)
    assert again.hash == first.hash


def test_its_manifest_names_its_sets_and_their_hashes(data_root: Path) -> None:
    merged = merged_store(data_root, ["synthetic", "synthetic_mmi"], SIZE)
    manifest = json.loads((merged.folder / "manifest.json").read_text())
    assert manifest["parts"] == {
        name: open_part(data_root, name).hash for name in ("synthetic", "synthetic_mmi")
    }


def test_sets_with_the_same_people_are_refused(data_root: Path) -> None:
    """Or a fold would train on the people it tests."""
    prepare_tiny(data_root, "ckplus", subjects=2, others="third ")
    prepare_tiny(data_root, "fmpn_release", subjects=2, others="fourth ")
    with pytest.raises(UserError, match=r"CK\+ and FMPN's release may show the same; remove one of them"):
        merged_store(data_root, ["ckplus", "fmpn_release"], SIZE)
    prepare_tiny(data_root, "oulu_casia", subjects=2, others="third ")
    with pytest.raises(UserError, match=r"oulu_casia:S01_.* is the same image as ckplus:S01_"):
        merged_store(data_root, ["ckplus", "oulu_casia"], SIZE)
    assert not [path for path in (data_root / "prepared").iterdir() if "+" in path.name]


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["synthetic"], ["two or more", "synthetic", "add another"]),
        ([], ["two or more", "none"]),
        (["synthetic", "synthetic"], ["duplicate data set synthetic", "list each data set once"]),
        (["synthetic", "ckplux"], ["unknown data set 'ckplux'", "ckplus"]),
        (["synthetic", "oulu_casia"], ["not prepared", "python -m platform.prepare --dataset oulu_casia"]),
    ],
)
def test_what_cannot_be_merged_is_refused(data_root: Path, names: list[str], parts: list[str]) -> None:
    with pytest.raises(UserError) as raised:
        merged_store(data_root, names, SIZE)
    for part in parts:
        assert part in str(raised.value)
    assert not [path for path in (data_root / "prepared").iterdir() if "+" in path.name]
