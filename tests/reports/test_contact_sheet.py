"""A few subjects of a prepared set, every class."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from platform.reports.contact_sheet import write_contact_sheet
from tests.tiny_faces import prepare_tiny


def test_it_is_written_into_a_folder_that_is_made_and_twice_the_same(tmp_path: Path) -> None:
    store = prepare_tiny(tmp_path, subjects=3)
    one, other = tmp_path / "figures" / "sheet.png", tmp_path / "sheet.png"
    write_contact_sheet(store.folder, one)
    write_contact_sheet(store.folder, other)
    assert one.read_bytes() == other.read_bytes()
    with Image.open(one) as picture:
        assert min(picture.size) > 100
