"""Prepared sets: counted with their sizes, and what is wrong with those that cannot be used."""

from __future__ import annotations

from pathlib import Path

from datasets.prepared.store import store_folder
from platform.diagnosis.prepared_sets import prepared_sets
from tests.tiny_faces import noise, records
from tests.written_stores import write_store


def written(root: Path, size: int) -> Path:
    folder = store_folder(root, "synthetic", size)
    write_store(
        folder, "synthetic", size, records(2), lambda record: noise(record.image_name, size), aligned=True
    )
    return folder


def test_no_set_is_well_because_the_synthetic_ones_are_drawn(tmp_path: Path) -> None:
    (found,) = prepared_sets(tmp_path)
    assert found.state == "ok"
    assert "drawn when needed" in found.value


def test_sets_are_shown_with_images_and_size_and_damaged_ones_with_a_remedy(tmp_path: Path) -> None:
    good, short, damaged = (written(tmp_path, size) for size in (16, 20, 24))
    (short / "images.npy").write_bytes(b"")
    (damaged / "manifest.json").write_text("{")
    (tmp_path / "prepared" / ".hidden").mkdir()
    (tmp_path / "prepared" / "file").touch()
    found = list(prepared_sets(tmp_path))
    assert [one.state for one in found] == ["ok", "warning", "warning"]
    assert f"{good}: {len(records(2))} images of 16 px, 0 MiB" in found[0].value
    assert f"{short}: images.npy is missing or too short" in found[1].value
    assert "damaged" in found[2].value
    assert "platform.prepare" in found[2].remedy
