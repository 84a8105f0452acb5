"""One key for every spelling of a frame's name."""

from __future__ import annotations

import unicodedata

import pytest

from datasets.raw.image_key import image_key, listed_key, record_key
from datasets.records import FrameRecord


@pytest.mark.parametrize(
    "name",
    ["S001_100_040", "S001_100_00000040.png", "imgs/S001_100_40.JPG", "a\\b\\S001_100_040.jpeg"],
)
def test_spellings_of_one_frame_share_a_key(name: str) -> None:
    assert image_key(name) == ("S001_100", 40)


def test_a_single_image_is_frame_0_of_itself() -> None:
    assert image_key("anna/face.png") == ("face", 0)


@pytest.mark.parametrize("name", ["face", "", ".png", "S001_x", "notes.txt"])
def test_other_names_have_no_key(name: str) -> None:
    with pytest.raises(ValueError, match="does not end in _ and a frame number"):
        image_key(name)


def test_lists_and_disks_may_use_different_forms_of_unicode() -> None:
    name = unicodedata.normalize("NFD", "Zoë_1")
    record = FrameRecord(
        subject_id="Zoë",
        sequence_id=unicodedata.normalize("NFD", "Zoë"),
        frame=1,
        expression="fear",
        role="expressive",
        source="x.png",
        landmarks=None,
    )
    assert listed_key(name) == record_key(record) == (unicodedata.normalize("NFC", "Zoë"), 1)
