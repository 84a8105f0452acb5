"""MMI: three frames around the centre of labelled clips, and every fault named with its clip."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from datasets import mmi
from platform.errors import UserError
from tests.raw_trees import write_clip, write_mmi

CLIPS = {"S001-100": 4, "S001-101": None, "S001-102": 6, "S002-005": 1, "S002-006": 17}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny MMI: three clips with one of the six labels, two without; nine frames each."""
    return write_mmi(tmp_path / "mmi", CLIPS)


def test_three_frames_around_the_centre_and_one_neutral_a_subject(tree: Path) -> None:
    chosen = {
        (record.sequence_id, record.frame): (record.expression, record.role)
        for record in mmi.read_records(tree)
    }
    labelled = {"S001_100": "happiness", "S001_102": "surprise", "S002_005": "anger"}
    expected = {
        (sequence, frame): (labelled[sequence], "expressive") for sequence in labelled for frame in (4, 5, 6)
    }
    expected["S001_100", 1] = expected["S002_005", 1] = ("neutral", "neutral")
    assert chosen == expected


def test_subjects_and_names_come_from_the_file_name(tree: Path) -> None:
    record = mmi.read_records(tree)[-1]
    assert (record.subject_id, record.sequence_id, record.image_name) == (
        "S002",
        "S002_005",
        "S002_005_00000006",
    )
    assert record.source == "Sessions/4/S002-005.avi"
    assert record.landmarks is None


def test_frames_read_in_any_order_are_the_right_ones(tree: Path) -> None:
    records = [one for one in mmi.read_records(tree) if one.subject_id == "S001"]
    for record in [*records, *reversed(records), records[2], records[2]]:
        frame = mmi.read_frame(tree, record)
        assert frame.shape == (140, 160, 3)
        assert frame.dtype == np.uint8
        assert abs(float(frame.mean()) - 20 * record.frame) < 3  # the gray of frame n is 20 n


def test_an_even_count_takes_the_earlier_centre(tmp_path: Path) -> None:
    records = mmi.read_records(write_mmi(tmp_path, {"S001-1": 2}, frame_count=6))
    assert [record.frame for record in records] == [1, 2, 3, 4]


def test_a_clip_of_five_frames_is_the_shortest(tmp_path: Path) -> None:
    assert len(mmi.read_records(write_mmi(tmp_path / "five", {"S001-1": 2}, frame_count=5))) == 4
    with pytest.raises(UserError, match=r"S001-1\.avi has 4 frames, but 5 are needed"):
        mmi.read_records(write_mmi(tmp_path / "four", {"S001-1": 2}, frame_count=4))


def test_a_dual_view_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"S001-1\.avi is 320×140 pixels, wider than 1\.6:1.*dual view"):
        mmi.read_records(write_mmi(tmp_path, {"S001-1": 2}, width=320))


def test_a_clip_without_its_xml_is_named(tree: Path) -> None:
    (tree / "Sessions/1/S001-100.xml").unlink()
    with pytest.raises(UserError, match=r"S001-100\.avi lacks its labels, S001-100\.xml"):
        mmi.read_records(tree)


def tag(value: str) -> str:
    return f'<Metatag Name="Emotion" Value="{value}"/>'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("<a><b></a>", "is not well-formed XML"),
        (f"<a>{tag('1')}{tag('2')}</a>", "conflicting emotions"),
        (f"<a>{tag('angry')}</a>", "'angry', not a number"),
        ('<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', "is not well-formed XML"),
        ("", "is empty"),
    ],
)
def test_wrong_xml_is_named(tree: Path, text: str, fault: str) -> None:
    (tree / "Sessions/1/S001-100.xml").write_text(text)
    with pytest.raises(UserError, match=rf"S001-100\.xml.*{fault}"):
        mmi.read_records(tree)


def test_a_namespace_and_other_tags_do_not_hide_the_label(tree: Path) -> None:
    text = f'<a xmlns="http://example.org/x"><Metatag Name="Other" Value="3"/>{tag("2")}</a>'
    (tree / "Sessions/1/S001-100.xml").write_text(text)
    assert mmi.read_records(tree)[1].expression == "disgust"


def test_what_is_no_video_is_named(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tree / "Sessions/1/S001-100.avi").write_bytes(b"not a video at all")
    with pytest.raises(UserError, match=r"S001-100\.avi cannot be opened as a video"):
        mmi.read_records(tree)
    assert capfd.readouterr().err == ""  # the message is the only one


def test_a_clip_cut_short_after_it_was_listed_is_named(tree: Path) -> None:
    record = mmi.read_records(tree)[3]
    write_clip(tree / record.source, frame_count=5)
    with pytest.raises(UserError, match=r"S001-100\.avi breaks off before frame 6"):
        mmi.read_frame(tree, record)


def test_a_clip_in_two_sessions_is_refused(tree: Path) -> None:
    shutil.copytree(tree / "Sessions/1", tree / "Sessions/9")
    with pytest.raises(UserError, match="S001_100 lies in two session folders"):
        mmi.read_records(tree)


def test_a_clip_with_another_name_is_refused(tree: Path) -> None:
    (tree / "Sessions/1/S001-100.avi").rename(tree / "Sessions/1/clip.avi")
    with pytest.raises(UserError, match=r"clip\.avi is not named like S001-100\.avi"):
        mmi.read_records(tree)


def test_a_wrong_folder_and_one_without_labels_are_told_apart(tree: Path) -> None:
    with pytest.raises(UserError, match=r"expected Sessions/, found 1, 2, 3, 4, 5"):
        mmi.read_records(tree / "Sessions")
    for session in (1, 3, 4):
        shutil.rmtree(tree / "Sessions" / str(session))
    with pytest.raises(UserError, match="holds no clip"):
        mmi.read_records(tree)
