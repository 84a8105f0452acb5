from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue import knows_groups, names_with_groups, subject_groups
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.resized import resize_if_larger
from datasets.prepared.store import PreparedStore, store_folder
from datasets.prepared.subject_groups import groups_of
from datasets.records import FrameRecord
from datasets.synthetic.layouts import bu3dfe as layout
from tests.layout_trees import set_parameters, write_layout
from tests.tiny_faces import prepare_tiny
from tests.written_stores import write_store

SIZE = 16
KNOWN = {
    "ancestry": {"BL": ["M0001"], "WH": ["F0001"]},
    "sex": {"female": ["F0001"], "male": ["M0001"]},
}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedStore:
    """A synthetic set in BU-3DFE's layout, prepared."""
    root = tmp_path_factory.mktemp("data")
    raw = write_layout(layout, root / "raw", set_parameters(2, frames=5))
    return prepare_dataset("bu3dfe", 24, data_root=root, source=raw, aligned=True)


def store_of(root: Path, sources: dict[str, str]) -> PreparedStore:
    """A store of one image a source; source to its subject."""
    records = [
        FrameRecord(
            subject_id=subject, sequence_id=f"{subject}_{number}", frame=1, expression="anger",
            role="expressive", source=source, landmarks=None,
        )
        for number, (source, subject) in enumerate(sources.items())
    ]  # fmt: skip
    face = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    return write_store(
        store_folder(root, "bu3dfe", SIZE), "bu3dfe", SIZE, records, lambda record: face, aligned=True
    )


def test_a_prepared_set_knows_its_groups_from_the_names_of_its_files(prepared: PreparedStore) -> None:
    assert groups_of(prepared) == KNOWN


def test_a_resized_set_asks_the_larger_one(prepared: PreparedStore) -> None:
    small = resize_if_larger(prepared.folder.parent.parent, "bu3dfe", 20)
    assert small is not None
    assert groups_of(small) == KNOWN
    moved = prepared.folder.rename(prepared.folder.with_name("bu3dfe-away"))
    try:
        assert groups_of(small) == {"sex": KNOWN["sex"]}  # which the subjects' names say
    finally:
        moved.rename(prepared.folder)


def test_a_larger_set_that_was_prepared_anew_is_not_asked(prepared: PreparedStore) -> None:
    small = resize_if_larger(prepared.folder.parent.parent, "bu3dfe", 18)
    assert small is not None
    manifest = prepared.folder / "manifest.json"
    old = manifest.read_text()
    manifest.write_text(json.dumps({**json.loads(old), "image_count": 1}))
    try:
        assert "ancestry" not in groups_of(small)
    finally:
        manifest.write_text(old)


def test_a_subject_whose_files_contradict_each_other_is_in_no_group(tmp_path: Path) -> None:
    store = store_of(
        tmp_path,
        {
            "F0001/F0001_AN01WH_F2D.bmp": "F0001",
            "F0001/F0001_AN02BL_F2D.bmp": "F0001",
            "F0002/F0002_AN01wh_f2d.bmp": "F0002",
        },
    )
    assert groups_of(store) == {"ancestry": {"WH": ["F0002"]}, "sex": {"female": ["F0001", "F0002"]}}


def test_other_sets_have_no_groups(tmp_path: Path) -> None:
    assert groups_of(prepare_tiny(tmp_path, "ckplus")) == {}
    assert names_with_groups() == ["bu3dfe"]
    assert not knows_groups("synthetic")
    assert subject_groups("bu3dfe", "P01", "P01/other.png") == {}
