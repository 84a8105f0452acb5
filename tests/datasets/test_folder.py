"""The user's own faces, as a tree or as a table: roles, names, and every fault named."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import folder
from datasets.raw.choices import BadItems, Choices
from datasets.raw.image_key import image_key, listed_key
from datasets.raw.landmark_matching import attach_landmarks
from datasets.raw.landmarks import COLUMNS, LandmarkFile, read_landmarks
from platform.errors import UserError
from tests.raw_trees import write_landmarks

IMAGES = (
    "anna/Anger/img_003.png", "anna/happiness/b.jpg", "anna/NEUTRAL/n2.png", "anna/NEUTRAL/n1.png",
    "ben/anger/x.bmp", "ben/surprise/y.tiff",
)  # fmt: skip


def draw(path: Path, gray: int = 100) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 24), (gray, gray, gray)).save(path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for image in IMAGES:
        draw(tmp_path / "faces" / image)
    return tmp_path / "faces"


def table(root: Path, *lines: str, header: str = "image,subject,expression") -> Path:
    """Eight images, and a table of them."""
    for number in range(1, 9):
        draw(root / f"pictures/{number}.png", 10 * number)
    (root / "faces.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return root


def landmark_file(folder: Path, names: Iterable[str]) -> LandmarkFile:
    """One that lists `names`."""
    return read_landmarks(write_landmarks(folder / "points.csv", list(names)))


def chosen(root: Path, choices: Choices | None = None) -> dict[str, tuple[str, str, str]]:
    """Source -> subject, expression, role."""
    records = folder.read_records(root, choices or Choices())
    return {one.source: (one.subject_id, one.expression, one.role) for one in records}


def test_a_tree_gives_all_faces_and_one_neutral_a_subject(tree: Path) -> None:
    for name in ("README.txt", "anna/notes.md", "anna/Anger/Thumbs.db", "anna/Anger/.DS_Store"):
        (tree / name).write_text("x")
    assert chosen(tree) == {
        "anna/Anger/img_003.png": ("anna", "anger", "expressive"),
        "anna/happiness/b.jpg": ("anna", "happiness", "expressive"),
        "anna/NEUTRAL/n1.png": ("anna", "neutral", "neutral"),
        "ben/anger/x.bmp": ("ben", "anger", "expressive"),
        "ben/surprise/y.tiff": ("ben", "surprise", "expressive"),
    }
    every = chosen(tree, Choices(whole_sequences=True))
    assert every["anna/NEUTRAL/n2.png"] == ("anna", "neutral", "context")
    assert len(every) == 6


def test_other_files_are_named_and_junk_is_not(tree: Path) -> None:
    before = chosen(tree)
    for name in ("README.txt", "anna/notes.md", "labels.csv", "anna/anim.gif"):
        (tree / name).write_text("x")
    for name in (
        "__MACOSX/anna/anger/._x.png",
        "anna/@eaDir/x.png",
        "anna/Anger/desktop.ini",
        "ben/Thumbs.db",
    ):
        draw_junk(tree / name)
    bad = BadItems()
    assert {one.source for one in folder.read_records(tree, bad=bad)} == set(before)
    assert bad.beside == ["README.txt", "labels.csv", "anna/anim.gif", "anna/notes.md"]


def draw_junk(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.mark.parametrize(
    "name", ["faces (1).csv", "faces.csv.txt", "faces.xlsx", "faces - Copy.csv", "faces.tsv"]
)
def test_what_is_almost_the_table_stops(tree: Path, name: str) -> None:
    (tree / name).write_text("image,subject,expression\n")
    with pytest.raises(UserError, match=r"resembles data of a folder of your own.*faces\.csv"):
        folder.read_records(tree)


def test_a_table_is_known_in_any_case_and_unlisted_images_are_named(tmp_path: Path) -> None:
    root = table(tmp_path, "pictures/1.png,anna,anger", "pictures/2.png,anna,neutral")
    (root / "faces.csv").rename(root / "Faces.CSV")
    (root / "pictures/notes.txt").write_text("x")
    bad = BadItems()
    assert len(folder.read_records(root, bad=bad)) == 2
    assert bad.beside == ["pictures/notes.txt", *(f"pictures/{number}.png" for number in range(3, 9))]
    (root / "faces.csv").write_text("image,subject,expression\n")
    with pytest.raises(UserError, match=r"holds both Faces\.CSV and faces\.csv"):
        folder.read_records(root)


def test_an_image_in_another_case_is_proposed(tmp_path: Path) -> None:
    root = table(tmp_path, "pictures/1.PNG,anna,anger")
    with pytest.raises(UserError, match=r"1\.PNG is no file; did you mean 1\.png\?"):
        folder.read_records(root)


@pytest.mark.parametrize(("text", "meant"), [("happy", "happiness"), ("Sad", "sadness"), ("AN", "anger")])
def test_other_names_of_an_expression_are_proposed(tmp_path: Path, text: str, meant: str) -> None:
    with pytest.raises(UserError, match=f"unknown expression '{text}'; did you mean '{meant}'"):
        folder.read_records(table(tmp_path, f"pictures/1.png,anna,{text}"))


def test_names_come_from_paths_and_lead_to_landmarks(tree: Path) -> None:
    records = folder.read_records(tree)
    assert {one.image_name for one in records} == {
        "anna_anger_img_00000003", "anna_happiness_b_00000000", "anna_neutral_n1_00000000",
        "ben_anger_x_00000000", "ben_surprise_y_00000000",
    }  # fmt: skip
    for names in (["_".join(Path(image.lower()).parts) for image in IMAGES], IMAGES):
        assert len(attach_landmarks(records, landmark_file(tree, names))) == 5


def test_frames_are_read_as_they_are(tree: Path) -> None:
    frame = folder.read_frame(tree, folder.read_records(tree)[0])
    assert frame.shape == (24, 20, 3)
    assert frame.dtype == np.uint8
    record = folder.read_records(tree)[-1]
    (tree / record.source).write_bytes(b"not an image")
    with pytest.raises(UserError, match=r"y\.tiff is not a readable image"):
        folder.read_frame(tree, record)


def test_chosen_frames_are_taken_and_others_are_not(tree: Path) -> None:
    listed = frozenset({image_key("anna_anger_img_003.png"), image_key("ben_surprise_y.png")})
    assert chosen(tree, Choices(frames=listed)) == {
        "anna/Anger/img_003.png": ("anna", "anger", "expressive"),
        "anna/NEUTRAL/n1.png": ("anna", "neutral", "neutral"),
        "ben/surprise/y.tiff": ("ben", "surprise", "expressive"),
    }
    for absent in (("anna_neutral_n1", 0), ("nobody", 0)):
        with pytest.raises(UserError, match=f"1 of the 3 listed frames .*{absent[0]}_00000000"):
            chosen(tree, Choices(frames=listed | {absent}))
    with pytest.raises(UserError, match="--per-class has no meaning for a folder of your own"):
        chosen(tree, Choices(per_class=3))


def test_an_unknown_expression_lists_the_known_ones(tree: Path) -> None:
    (tree / "ben/anger").rename(tree / "ben/angry")
    with pytest.raises(
        UserError, match=r"ben/angry: unknown expression 'angry'; did you mean 'anger'\? Known: an"
    ):
        folder.read_records(tree)
    bad = BadItems(skip=True, root=tree)
    assert "ben/angry/x.bmp" not in {one.source for one in folder.read_records(tree, bad=bad)}
    assert [item for item, _ in bad.left_out] == ["ben/angry"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("anna", "Anna"), (unicodedata.normalize("NFC", "Zoë"), unicodedata.normalize("NFD", "Zoë"))],
)
def test_a_subject_spelled_two_ways_is_refused(tree: Path, first: str, second: str) -> None:
    draw(tree / first / "fear/1.png")
    draw(tree / second / "fear/2.png")
    with pytest.raises(UserError, match="spells one subject in two ways"):
        folder.read_records(tree)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("ben/anger/notes.txt", r"notes\.txt is not an image"),
        ("ben/anger/x.png", r"ben/anger/x\.bmp and ben/anger/x\.png have one name, ben_anger_x_00000000"),
        ("anna/Anger/img_3.png", r"img_003\.png and anna/Anger/img_3\.png have one name"),
        ("anna/Anger/img_3.png/deep.png", r"img_3\.png is no file"),
        ("stray.png", r"stray\.png lies outside the folders subject/expression"),
        ("ben/stray.jpg", r"ben/stray\.jpg lies outside the folders subject/expression"),
    ],
)
def test_what_does_not_belong_is_named_or_left_out(tree: Path, name: str, fault: str) -> None:
    draw_or_write = (lambda path: path.write_text("x")) if name.endswith(".txt") else draw
    draw_or_write(tree / name)
    with pytest.raises(UserError, match=fault):
        folder.read_records(tree)
    bad = BadItems(skip=True, root=tree)
    assert len(folder.read_records(tree, bad=bad)) == 5
    assert len(bad.left_out) == 1


def test_a_link_out_of_the_folder_is_refused(tree: Path) -> None:
    draw(tree.parent / "outside.png")
    (tree / "ben/anger/z.png").symlink_to(tree.parent / "outside.png")
    with pytest.raises(UserError, match=r"ben/anger/z\.png leaves the data set's folder"):
        folder.read_records(tree)


def test_wrong_folders_are_told_apart(tree: Path) -> None:
    with pytest.raises(UserError, match=r"looks like expression/subject/images \(Anger, NEUTRAL, happiness"):
        folder.read_records(tree / "anna")
    (tree.parent / "none/empty").mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds no faces that can be used: expected <subject>/<expression>"):
        folder.read_records(tree.parent / "none")
    with pytest.raises(UserError, match="does not exist"):
        folder.read_records(tree / "nowhere")


def test_a_table_gives_subjects_expressions_and_roles(tmp_path: Path) -> None:
    root = table(
        tmp_path,
        "pictures/1.png,anna,Anger,,note",
        "./pictures/2.png,anna,neutral,,",
        "pictures\\3.png,anna,neutral,neutral,",
        "pictures/4.png, ben ,fear,Expressive,",
        "pictures/5.png,ben,fear,context,",
        header="image,subject,expression,role,other",
    )
    assert chosen(root) == {
        "pictures/1.png": ("anna", "anger", "expressive"),
        "pictures/3.png": ("anna", "neutral", "neutral"),
        "pictures/4.png": ("ben", "fear", "expressive"),
    }
    every = chosen(root, Choices(whole_sequences=True))
    assert (every["pictures/2.png"][2], every["pictures/5.png"][2]) == ("context", "context")


def test_a_table_gives_sequences_and_landmarks(tmp_path: Path) -> None:
    points = ",".join(str(value) for value in range(10))
    root = table(
        tmp_path,
        f"pictures/1.png,anna,anger,anna_1,7,{points}",
        f"pictures/2.png,anna,anger,anna_1,8,{',' * 9}",
        f"pictures/3.png,ben,anger,,,{points}",
        header=",".join(["image", "subject", "expression", "sequence", "frame", *COLUMNS[1:]]),
    )
    first, second, third = folder.read_records(root)
    assert [one.image_name for one in (first, second, third)] == [
        "anna_1_00000007", "anna_1_00000008", "ben_anger_00000003",
    ]  # fmt: skip
    np.testing.assert_array_equal(first.landmarks, np.arange(10.0).reshape(5, 2))
    assert second.landmarks is None
    assert third.landmarks is not None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("../outside.png,anna,anger", "leaves the data set's folder"),
        ("/etc/passwd,anna,anger", "leaves the data set's folder"),
        ("pictures/99.png,anna,anger", r"99\.png is no file"),
        ("faces.csv,anna,anger", r"faces\.csv is not an image"),
        ("pictures/2.png,anna,angry", "unknown expression 'angry'"),
        ("pictures/2.png,anna", "it has 2 cells, but its header has 3; correct that line"),
        ("pictures/2.png,anna,anger,x", "it has 4 cells, but its header has 3"),
        ("pictures/2.png,,anger", "its image or subject is missing"),
        (",anna,anger", "its image or subject is missing"),
        ("pictures/2.png,a/b,anger", "must not have / or"),
    ],
)
def test_a_wrong_line_is_named_or_left_out(tmp_path: Path, line: str, fault: str) -> None:
    draw(tmp_path / "outside.png")
    root = table(tmp_path / "root", "pictures/1.png,anna,anger", line, "pictures/3.png,ben,anger")
    with pytest.raises(UserError, match=rf"faces\.csv, line 3: .*{fault}"):
        folder.read_records(root)
    bad = BadItems(skip=True, root=root)
    assert len(folder.read_records(root, bad=bad)) == 2
    assert [item for item, _ in bad.left_out] == ["faces.csv, line 3"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("pictures/2.png,anna,anger,a,1,actor", "role is 'actor'"),
        ("pictures/2.png,anna,anger,a,1,neutral", "role neutral does not go with the expression anger"),
        ("pictures/2.png,anna,neutral,a,1,expressive", "role expressive does not go with .* neutral"),
        ("pictures/2.png,anna,anger,a,,", "sequence and frame go together"),
        ("pictures/2.png,anna,anger,,1,", "sequence and frame go together"),
        ("pictures/2.png,anna,anger,a,-1,", "frame is '-1'"),
        ("pictures/2.png,anna,anger,a,12345678901,", "frame is '12345678901'"),
    ],
)
def test_a_wrong_sequence_or_role_is_named(tmp_path: Path, line: str, fault: str) -> None:
    root = table(tmp_path, line, header="image,subject,expression,sequence,frame,role")
    with pytest.raises(UserError, match=rf"faces\.csv, line 2: .*{fault}"):
        folder.read_records(root)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (("1.png,anna,anger,a,1,", "1.png,anna,anger,b,1,"), r"1\.png and pictures/1\.png are one image"),
        (
            ("1.png,anna,anger,a,1,", "2.png,anna,fear,a,1,"),
            r"1\.png and pictures/2\.png have one name, a_00000001",
        ),
        (("1.png,anna,anger,a,1,", "2.png,ben,anger,a,2,"), r"2\.png of ben is in the sequence a, .* anna's"),
        (
            ("1.png,anna,neutral,a,1,neutral", "2.png,anna,neutral,a,2,neutral"),
            "both the neutral face of anna",
        ),
    ],
)
def test_lines_that_contradict_each_other_are_refused(
    tmp_path: Path, lines: tuple[str, str], fault: str
) -> None:
    header = "image,subject,expression,sequence,frame,role"
    root = table(tmp_path, *(f"pictures/{line}" for line in lines), header=header)
    with pytest.raises(UserError, match=fault):
        folder.read_records(root)
    bad = BadItems(skip=True, root=root)
    assert len(folder.read_records(root, bad=bad)) == 1
    assert [item for item, _ in bad.left_out] == [f"pictures/{lines[1][:5]}"]


def test_a_wrong_number_of_a_landmark_is_named(tmp_path: Path) -> None:
    header = ",".join(["image", "subject", "expression", *COLUMNS[1:]])
    root = table(tmp_path, "pictures/1.png,anna,anger,1,2,3,4,5,6,7,8,x,10", header=header)
    with pytest.raises(UserError, match=r"faces\.csv, line 2: mouth_right_x is 'x', not a number"):
        folder.read_records(root)


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("image,expression", "subject"),
        ("picture,subject,expression", "image"),
        ("image,subject,expression,sequence", "frame"),
        ("image,subject,expression,nose_x", "left_eye_x, left_eye_y, mouth_left_x"),
    ],
)
def test_missing_columns_are_named(tmp_path: Path, header: str, missing: str) -> None:
    with pytest.raises(UserError, match=rf"faces\.csv lacks the columns {missing}"):
        folder.read_records(table(tmp_path, header=header))


def test_a_malformed_table_is_named(tmp_path: Path) -> None:
    root = table(tmp_path, 'pictures/1.png,"anna"x,anger')
    with pytest.raises(UserError, match=r"faces\.csv, line 2: .*; correct that line"):
        folder.read_records(root)
    (root / "faces.csv").write_bytes("image,subject,expression\npictures/1.png,Zoë,anger\n".encode("latin1"))
    with pytest.raises(UserError, match=r"faces\.csv, line 2 is not text in UTF-8"):
        folder.read_records(root)


def test_of_an_image_with_conflicting_labels_no_line_is_believed(tmp_path: Path) -> None:
    lines = ("1.png,anna,anger", "2.png,anna,fear", "1.png,anna,fear")
    root = table(tmp_path, *(f"pictures/{line}" for line in lines))
    with pytest.raises(UserError, match=r"1\.png with conflicting labels, anger of anna and fear of anna"):
        folder.read_records(root)
    bad = BadItems(skip=True)
    assert [record.source for record in folder.read_records(root, bad=bad)] == ["pictures/2.png"]
    assert [item for item, _ in bad.left_out] == ["pictures/1.png"] * 2


def test_where_all_is_bad_the_first_reason_is_given(tmp_path: Path) -> None:
    root = table(tmp_path, "pictures/9.png,anna,anger")
    with pytest.raises(UserError, match=r"all 1 items are bad, .*line 2: .*9\.png is no file"):
        folder.read_records(root, bad=BadItems(skip=True))


@pytest.mark.parametrize("separator", [";", "\t", ", "])
@pytest.mark.parametrize("header", ["image subject expression", "Image Subject EXPRESSION"])
def test_a_table_of_any_program_is_read(tmp_path: Path, separator: str, header: str) -> None:
    lines = [
        separator.join(("pictures\\1.png", "anna", "anger")),
        separator.join(("./pictures/2.png", "b", "fear")),
    ]
    root = table(tmp_path, *lines, header=separator.join(header.split()))
    assert chosen(root) == {
        "pictures/1.png": ("anna", "anger", "expressive"),
        "pictures/2.png": ("b", "fear", "expressive"),
    }


def test_a_column_twice_is_refused(tmp_path: Path) -> None:
    root = table(tmp_path, "pictures/1.png,anna,anger,fear", header="image,subject,expression,Expression")
    with pytest.raises(UserError, match=r"faces\.csv, line 1: the column 'expression' appears twice"):
        folder.read_records(root)


def test_names_that_a_mac_decomposed_are_found_and_stay_as_they_are(tmp_path: Path) -> None:
    name, decomposed = "José", unicodedata.normalize("NFD", "José")
    draw(tmp_path / decomposed / f"{decomposed}.png")
    (tmp_path / "faces.csv").write_text(f"image,subject,expression\n{name}/{name}.png,{name},anger\n")
    (record,) = folder.read_records(tmp_path)
    assert record.source == f"{decomposed}/{decomposed}.png"
    assert record.subject_id == name
    (tmp_path / "faces.csv").unlink()
    (tmp_path / decomposed).rename(tmp_path / "x")
    draw(tmp_path / decomposed / "anger" / "1.png")
    (tmp_path / "x" / f"{decomposed}.png").unlink()
    (record,) = folder.read_records(tmp_path, Choices(frames=frozenset({listed_key(f"{name}_anger_1.png")})))
    assert record.subject_id == decomposed
    for listed in (f"{name}_anger_1.png", f"{name}/anger/1.png"):
        (found,) = attach_landmarks([record], landmark_file(tmp_path, [listed]))
        assert found.landmarks is not None
