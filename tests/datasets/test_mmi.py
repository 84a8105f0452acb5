"""MMI: three frames around the centre of labelled clips, and every fault named with its clip."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from datasets import mmi
from datasets.raw.choices import BadItems, Choices
from platform.errors import UserError
from tests.raw_trees import write_clip, write_mmi

CLIPS = {"S053-100": 4, "S053-101": None, "S053-102": 6, "S054-005": 1, "S054-006": 17}
"""Of subjects whose clips are upright single views."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny MMI: three clips with one of the six labels, two without; nine frames each."""
    return write_mmi(tmp_path / "mmi", CLIPS)


def test_three_frames_around_the_centre_and_one_neutral_a_subject(tree: Path) -> None:
    chosen = {
        (record.sequence_id, record.frame): (record.expression, record.role)
        for record in mmi.read_records(tree)
    }
    labelled = {"S053_100": "happiness", "S053_102": "surprise", "S054_005": "anger"}
    expected = {
        (sequence, frame): (labelled[sequence], "expressive") for sequence in labelled for frame in (3, 4, 5)
    }
    expected["S053_100", 0] = expected["S054_005", 0] = ("neutral", "neutral")
    assert chosen == expected


def test_subjects_and_names_come_from_the_file_name(tree: Path) -> None:
    record = mmi.read_records(tree)[-1]
    assert (record.subject_id, record.sequence_id, record.image_name) == (
        "S054",
        "S054_005",
        "S054_005_00000005",
    )
    assert record.source == "Sessions/4/S054-005.avi"
    assert record.landmarks is None


def test_frames_read_in_any_order_are_the_right_ones(tree: Path) -> None:
    records = [one for one in mmi.read_records(tree) if one.subject_id == "S053"]
    for record in [*records, *reversed(records), records[2], records[2]]:
        frame = mmi.read_frame(tree, record)
        assert frame.shape == (140, 160, 3)
        assert frame.dtype == np.uint8
        assert abs(float(frame.mean()) - 20 * (record.frame + 1)) < 3


@pytest.mark.parametrize(
    ("frame_count", "expected"), [(4, [0, 1, 2, 3]), (6, [0, 2, 3, 4]), (7, [0, 2, 3, 4])]
)
def test_the_centre_is_half_the_count_cut_off(tmp_path: Path, frame_count: int, expected: list[int]) -> None:
    records = mmi.read_records(write_mmi(tmp_path, {"S053-1": 2}, frame_count=frame_count))
    assert [record.frame for record in records] == expected


def test_a_clip_of_three_frames_is_too_short(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"S053-1\.avi has 3 frames, but 4 are needed"):
        mmi.read_records(write_mmi(tmp_path / "three", {"S053-1": 2}, frame_count=3))


def test_listed_frames_go_before_the_rule(tree: Path) -> None:
    listed = frozenset({("S053_100", 2), ("S054_005", 7)})
    records = mmi.read_records(tree, Choices(frames=listed))
    assert {(one.sequence_id, one.frame) for one in records if one.role == "expressive"} == listed
    assert {(one.sequence_id, one.frame) for one in records if one.role == "neutral"} == {
        ("S053_100", 0), ("S054_005", 0),
    }  # fmt: skip
    for absent in (("S053_100", 9), ("S053_101", 4), ("S099_001", 4)):
        with pytest.raises(UserError, match=rf"1 of the 3 listed frames .* {absent[0]}_0000000{absent[1]}"):
            mmi.read_records(tree, Choices(frames=listed | {absent}))
    with pytest.raises(UserError, match="frame 0 of S053_100 is its neutral face"):
        mmi.read_records(tree, Choices(frames=frozenset({("S053_100", 0)})))


def test_whole_sequences_stay_reachable(tree: Path) -> None:
    records = mmi.read_records(tree, Choices(whole_sequences=True))
    roles = {one.frame: one.role for one in records if one.sequence_id == "S053_100"}
    assert roles == dict.fromkeys(range(9), "context") | {0: "neutral"} | dict.fromkeys(
        (3, 4, 5), "expressive"
    )
    assert {one.expression for one in records if one.sequence_id == "S054_005"} == {"anger", "neutral"}


def test_choices_without_meaning_are_refused(tree: Path) -> None:
    with pytest.raises(UserError, match="--per-class has no meaning for MMI"):
        mmi.read_records(tree, Choices(per_class=5))


def test_bad_clips_are_left_out_if_wished(tree: Path) -> None:
    shutil.copytree(tree / "Sessions/4", tree / "Sessions/9")
    (tree / "Sessions/1/S053-100.avi").write_bytes(b"")
    (tree / "Sessions/2/S053-101.xml").write_text("<a>")
    bad = BadItems(skip=True, root=tree)
    records = mmi.read_records(tree, bad=bad)
    assert {one.sequence_id for one in records} == {"S053_102", "S054_005"}
    assert [one.sequence_id for one in records if one.role == "neutral"] == ["S053_102", "S054_005"]
    assert [item for item, _ in bad.left_out] == [
        "Sessions/2/S053-101.avi", "Sessions/1/S053-100.avi", "Sessions/9/S054-005.avi",
    ]  # fmt: skip


def test_a_clip_without_its_xml_is_named(tree: Path) -> None:
    (tree / "Sessions/1/S053-100.xml").unlink()
    with pytest.raises(UserError, match=r"S053-100\.avi lacks its labels, S053-100\.xml"):
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
    (tree / "Sessions/1/S053-100.xml").write_text(text)
    with pytest.raises(UserError, match=rf"S053-100\.xml.*{fault}"):
        mmi.read_records(tree)


def test_a_namespace_and_other_tags_do_not_hide_the_label(tree: Path) -> None:
    text = f'<a xmlns="http://example.org/x"><Metatag Name="Other" Value="3"/>{tag("2")}</a>'
    (tree / "Sessions/1/S053-100.xml").write_text(text)
    assert mmi.read_records(tree)[1].expression == "disgust"


def test_what_is_no_video_is_named(tree: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tree / "Sessions/1/S053-100.avi").write_bytes(b"not a video at all")
    with pytest.raises(UserError, match=r"S053-100\.avi cannot be opened as a video"):
        mmi.read_records(tree)
    assert capfd.readouterr().err == ""  # the message is the only one


def test_a_clip_cut_short_after_it_was_listed_is_named(tree: Path) -> None:
    record = mmi.read_records(tree)[3]
    write_clip(tree / record.source, frame_count=5)
    with pytest.raises(UserError, match=r"S053-100\.avi breaks off before frame 5"):
        mmi.read_frame(tree, record)


def test_a_clip_in_two_sessions_is_refused(tree: Path) -> None:
    shutil.copytree(tree / "Sessions/1", tree / "Sessions/9")
    with pytest.raises(UserError, match=r"S053_100 lies in two session folders, .*1/S053.* and .*9/S053"):
        mmi.read_records(tree)


def test_a_subject_spelled_two_ways_is_refused(tree: Path) -> None:
    for end in ("avi", "xml"):
        (tree / f"Sessions/3/S053-102.{end}").rename(tree / f"Sessions/3/s053-102.{end}")
    with pytest.raises(UserError, match=r"Sessions spells one subject in two ways, 'S053' and 's053'"):
        mmi.read_records(tree)


def test_a_clip_with_another_name_is_refused(tree: Path) -> None:
    (tree / "Sessions/1/S053-100.avi").rename(tree / "Sessions/1/clip.avi")
    with pytest.raises(UserError, match=r"clip\.avi is not named like S001-100\.avi"):
        mmi.read_records(tree)


@pytest.mark.parametrize("end", ["avi", "xml"])
def test_a_link_out_of_the_copy_is_refused(tree: Path, end: str) -> None:
    file = tree / f"Sessions/1/S053-100.{end}"
    file.rename(tree.parent / file.name)
    file.symlink_to(tree.parent / file.name)
    with pytest.raises(UserError, match=rf"S053-100\.{end} leaves the data set's folder"):
        mmi.read_records(tree)


def test_a_wrong_folder_and_one_without_labels_are_told_apart(tree: Path) -> None:
    with pytest.raises(UserError, match=r"expected Sessions/, found 1, 2, 3, 4, 5"):
        mmi.read_records(tree / "Sessions")
    with pytest.raises(UserError, match=rf"pass --source {tree}\."):
        mmi.read_records(tree.parent)
    for session in (1, 3, 4):
        shutil.rmtree(tree / "Sessions" / str(session))
    with pytest.raises(UserError, match="holds no clip"):
        mmi.read_records(tree)


def test_a_users_orientation_is_applied_and_a_new_one_noticed(tree: Path) -> None:
    record = mmi.read_records(tree)[0]
    assert mmi.view_of(tree, record.source).decided_by == "subject"
    (tree / "orientation.csv").write_text("clip,rotation_degrees,frontal\nS053,90,right\n")
    assert mmi.read_frame(tree, record).shape == (160, 70, 3)
    assert mmi.view_of(tree, record.source).decided_by == "orientation.csv"
    (tree / "orientation.csv").write_text("clip,rotation_degrees,frontal\nS053,0,right\n")
    assert mmi.read_frame(tree, record).shape == (140, 80, 3)
    assert len(mmi.read_records(tree)) == 11


def test_an_orientation_of_nothing_is_named(tree: Path) -> None:
    (tree / "orientation.csv").write_text("clip,rotation_degrees,frontal\nS053-100,0,left\nS055,0,left\n")
    with pytest.raises(
        UserError, match=r"orientation\.csv speaks of S055, but .*Sessions holds no such clip"
    ):
        mmi.read_records(tree)


def test_a_clip_that_symmetry_cannot_decide_is_named_and_may_be_left_out(tmp_path: Path) -> None:
    tree = write_mmi(tmp_path, {"S053-1": 2, "S200-7": 3})  # plain frames
    with pytest.raises(UserError, match=r"S200-7\.avi cannot be told by symmetry .*orientation\.csv"):
        mmi.read_records(tree)
    bad = BadItems(skip=True, root=tree)
    assert {one.subject_id for one in mmi.read_records(tree, bad=bad)} == {"S053"}
    assert [item for item, _ in bad.left_out] == ["Sessions/2/S200-7.avi"]


@pytest.mark.parametrize("encoding", ["latin1", "utf-16"])
def test_the_encoding_that_an_xml_names_is_believed(tmp_path: Path, encoding: str) -> None:
    tree = write_mmi(tmp_path, {"S053-100": 4})
    text = f'<?xml version="1.0" encoding="{encoding}"?><a b="é"><Metatag Name="Emotion" Value="5"/></a>'
    (tree / "Sessions/1/S053-100.xml").write_bytes(text.encode(encoding))
    assert {record.expression for record in mmi.read_records(tree)} == {"sadness", "neutral"}


def test_labels_whose_clips_are_missing_are_counted(tree: Path) -> None:
    (tree / "Sessions/1/S053-100.avi").unlink()  # happiness
    (tree / "Sessions/2/S053-101.avi").unlink()  # no emotion: not missed
    with pytest.raises(
        UserError, match=r"1 of 5 labels .* clips that are missing, .* Sessions/1/S053-100\.xml"
    ):
        mmi.read_records(tree)
    bad = BadItems(skip=True, root=tree)
    assert {one.sequence_id for one in mmi.read_records(tree, bad=bad)} == {"S053_102", "S054_005"}
    assert [item for item, _ in bad.left_out] == ["Sessions/1/S053-100.xml"]
    (tree / "Sessions/1/S053-100.jpg").write_bytes(b"a photograph has labels too")
    assert len(mmi.read_records(tree)) == 8


@pytest.mark.parametrize("end", ["mp4", "MOV", "mkv"])
def test_clips_in_another_format_stop_unless_the_original_is_there(tree: Path, end: str) -> None:
    clip = tree / "Sessions/1/S053-100.avi"
    shutil.copy(clip, clip.with_suffix(f".{end}"))
    bad = BadItems()
    assert len(mmi.read_records(tree, bad=bad)) == 11
    assert bad.beside == [f"Sessions/1/S053-100.{end}"]
    clip.unlink()
    with pytest.raises(UserError, match=rf"S053-100\.{end} \(clips are named like S001-100\.avi\)"):
        mmi.read_records(tree)


def test_labels_with_an_upper_case_ending_are_read(tree: Path) -> None:
    for path in tree.rglob("S05*.*"):
        path.rename(path.with_suffix(path.suffix.upper()))
    assert len(mmi.read_records(tree)) == 11
    shutil.copy(tree / "Sessions/1/S053-100.XML", tree / "Sessions/1/S053-100.xml")
    with pytest.raises(UserError, match=r"holds both S053-100\.XML and S053-100\.xml"):
        mmi.read_records(tree)
