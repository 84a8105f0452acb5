"""AffectNet's older layout: which lists are read, and every fault of a line is named with its number."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from datasets import affectnet_csv
from datasets.raw.choices import BadItems
from platform.errors import UserError
from tests.raw_trees import FACE, points_68

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
POINTS = ";".join(f"{value:.3f}" for value in points_68(FACE).ravel())


def line(path: str, code: object, points: str = POINTS) -> str:
    return f"{path},1,2,100,100,{points},{code},0.1,-0.2"


def write_list(root: Path, name: str, *lines: str, header: str = HEADER) -> Path:
    """A list in `root`, which is given its folder of images, empty."""
    (root / "Manually_Annotated_Images").mkdir(parents=True, exist_ok=True)
    (root / name).parent.mkdir(exist_ok=True)
    (root / name).write_text("\n".join([header, *lines]) + "\n")
    return root


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Seven lines: of three images wanted, and of four with other codes."""
    write_list(
        tmp_path,
        "training.csv",
        *(line("1/a.jpg", 6), line("1/b.jpg", 0), line("2/c.jpg", 1), line("2/d.jpg", 8, points="null")),
    )
    return write_list(
        tmp_path, "validation.csv", line("3/e.jpg", 9), line("3/f.jpg", 7), line("4/g.jpg", 10, points="")
    )


def listed(root: Path, bad: BadItems | None = None) -> dict[str, str]:
    """Image -> label."""
    return {image.image_id: image.label for image in affectnet_csv.listed_images(root, bad or BadItems())}


WANTED = {"a": "anger", "c": "happiness", "f": "contempt"}


def test_both_lists_are_read_and_other_codes_are_not_wanted(tree: Path) -> None:
    assert listed(tree) == WANTED
    image = affectnet_csv.listed_images(tree, BadItems())[1]
    assert image.source == "Manually_Annotated_Images/2/c.jpg"
    assert image.listed_at == "training.csv, line 4"


def test_the_order_of_columns_and_other_columns_do_not_matter(tmp_path: Path) -> None:
    header = "expression,extra,facial_landmarks,subDirectory_filePath"
    write_list(tmp_path, "training.csv", f"6,x,{POINTS},1/a.jpg", header=header)
    image = affectnet_csv.listed_images(tmp_path, BadItems())[0]
    points = affectnet_csv.read_points(tmp_path, image)
    assert points is not None
    np.testing.assert_allclose(points, points_68(FACE), atol=1e-3)


def test_a_byte_order_mark_windows_line_ends_and_empty_lines_are_read(tmp_path: Path) -> None:
    write_list(tmp_path, "training.csv")
    text = "\r\n".join([HEADER, line("1/a.jpg", "6.0"), "", line("1/c.jpg", " 1"), ""])
    (tmp_path / "training.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert listed(tmp_path) == {"a": "anger", "c": "happiness"}


def test_lists_that_other_programs_saved_are_read(tree: Path) -> None:
    for path in tree.glob("*.csv"):
        lines = path.read_text().splitlines()
        rows = [line.split(",") for line in lines]
        text = "\n".join("\t".join((row[0].replace("/", "\\"), *row[1:])) for row in rows)
        path.write_text(text.replace("subDirectory_filePath", "SubDirectory_filePath"), encoding="utf-16")
    assert listed(tree) == WANTED
    assert affectnet_csv.listed_images(tree, BadItems())[1].source == "Manually_Annotated_Images/2/c.jpg"


def test_without_the_standard_lists_every_list_with_the_columns_is_read(tree: Path) -> None:
    (tree / "training.csv").rename(tree / "Manually_training.csv")
    (tree / "validation.csv").rename(tree / "Manually_validation.csv")
    write_list(tree, "notes.csv", "1,2", header="image,note")
    assert listed(tree) == WANTED


def test_beside_the_standard_lists_no_other_is_read(tree: Path) -> None:
    write_list(tree, "mine.csv", line("1/z.jpg", 6))
    assert listed(tree) == WANTED


def test_the_automatically_annotated_images_are_never_read(tree: Path) -> None:
    (tree / "training.csv").rename(tree / "train.csv")
    (tree / "validation.csv").rename(tree / "valid.csv")
    write_list(tree, "automatically_annotated.csv", line("1/z.jpg", 6))
    assert listed(tree) == WANTED


def test_lists_in_the_folder_of_their_delivery_are_read(tree: Path) -> None:
    folder = tree / "Manually_Annotated_file_lists"
    folder.mkdir()
    for name in ("training.csv", "validation.csv"):
        (tree / name).rename(folder / name)
    assert listed(tree) == WANTED


def test_a_tree_without_any_list_is_named(tree: Path) -> None:
    for path in tree.glob("*.csv"):
        path.unlink()
    with pytest.raises(UserError, match=r"expected training\.csv or validation\.csv, found Manually_"):
        listed(tree)


@pytest.mark.parametrize("name", ["training.csv", "mine.csv"])
def test_a_missing_column_is_named(tmp_path: Path, name: str) -> None:
    write_list(tmp_path, name, "1/a.jpg,6", header="subDirectory_filePath,label")
    with pytest.raises(UserError, match=rf"{name} lacks the columns facial_landmarks, expression;"):
        listed(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_list_is_named(tree: Path, content: bytes) -> None:
    (tree / "validation.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"validation\.csv is empty"):
        listed(tree)


def test_a_list_in_another_encoding_is_named(tree: Path) -> None:
    (tree / "validation.csv").write_bytes(f"{HEADER}\n".encode() + b"1/\xe9.jpg,1,2,3,4,,6,0,0\n")
    with pytest.raises(UserError, match=r"validation\.csv, line 2 is not text in UTF-8"):
        listed(tree)


def test_a_quote_that_is_never_closed_is_named(tree: Path) -> None:
    lines = [f'"{line("1/x.jpg", 6)}', *(line(f"1/{number}.jpg", 6) for number in range(300))]
    write_list(tree, "validation.csv", *lines)
    with pytest.raises(UserError, match=r"validation\.csv, line 2: a quote .* is opened but not closed"):
        listed(tree)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (line("1/x.jpg", 11), "code 11 is out of range; the codes are 0 neutral, 1 happiness"),
        (line("1/x.jpg", -1), "code -1 is out of range"),
        (line("1/x.jpg", "6.5"), r"code 6\.5 is out of range"),
        (line("1/x.jpg", "nan"), "code nan is out of range"),
        (line("1/x.jpg", ""), "'', not a number"),
        (line("1/x.jpg", "anger"), "'anger', not a number"),
        ("1/x.jpg,6", "it has 2 cells, but its header has 9"),
        (line("1/x.jpg", 6) + ",more", "it has 10 cells"),
        (line("", 6), "the path '' is none inside"),
        (line("../x.jpg", 6), "the path '../x.jpg' is none inside"),
        (line("1/../../x.jpg", 0), "the path '1/../../x.jpg' is none inside"),
        (line("/etc/x.jpg", 6), "the path '/etc/x.jpg' is none inside"),
        (line("1/x\0.jpg", 6), "it has a zero byte"),
        (line("1/a.jpg", 6), r"1/a\.jpg is listed twice, as anger \(training\.csv, line 2, and validation"),
        (line("9/a.jpg", 6), "two images have the name 'a', .*1/a.jpg and .*9/a.jpg"),
    ],
)
def test_a_bad_line_stops_or_is_left_out_alone(tree: Path, text: str, fault: str) -> None:
    with (tree / "validation.csv").open("a") as file:
        file.write(text + "\n")
    with pytest.raises(UserError, match=fault):
        listed(tree)
    bad = BadItems(skip=True)
    assert listed(tree, bad) == WANTED
    assert [item for item, _ in bad.left_out] == ["validation.csv, line 5"]
    assert re.search(fault, bad.left_out[0][1])
    assert "validation.csv, line 5" in bad.left_out[0][1]


def test_an_image_with_conflicting_labels_is_left_out_altogether(tree: Path) -> None:
    with (tree / "validation.csv").open("a") as file:
        file.write(line("1/a.jpg", 1) + "\n" + line("1/a.jpg", 6) + "\n")
    fault = (
        r"1/a\.jpg is listed with conflicting labels, anger and happiness "
        r"\(training\.csv, line 2, and validation\.csv, line 5\)"
    )
    with pytest.raises(UserError, match=fault):
        listed(tree)
    bad = BadItems(skip=True)
    assert listed(tree, bad) == {"c": "happiness", "f": "contempt"}
    assert [item for item, _ in bad.left_out] == ["validation.csv, line 5", "validation.csv, line 6"]


def test_a_label_that_conflicts_with_one_not_wanted_is_a_conflict_too(tree: Path) -> None:
    with (tree / "validation.csv").open("a") as file:
        file.write(line("1/b.jpg", 6) + "\n")
    with pytest.raises(UserError, match="conflicting labels, neutral and anger"):
        listed(tree)
    assert listed(tree, BadItems(skip=True)) == WANTED


@pytest.mark.parametrize("points", ["", "null", "NULL"])
def test_an_image_without_landmarks_has_none(tmp_path: Path, points: str) -> None:
    write_list(tmp_path, "training.csv", line("1/a.jpg", 6, points))
    image = affectnet_csv.listed_images(tmp_path, BadItems())[0]
    assert affectnet_csv.read_points(tmp_path, image) is None


@pytest.mark.parametrize("points", ["1;2", POINTS + ";5", POINTS + ";5;6", "x" + POINTS, "inf;" * 136, "1 2"])
def test_landmarks_of_another_kind_are_named_with_their_line(tmp_path: Path, points: str) -> None:
    write_list(tmp_path, "training.csv", line("1/b.jpg", 0), line("1/a.jpg", 6, points))
    image = affectnet_csv.listed_images(tmp_path, BadItems())[0]
    with pytest.raises(UserError, match=r"training\.csv, line 3: .*restore that line"):
        affectnet_csv.read_points(tmp_path, image)


def test_a_list_that_links_out_of_the_tree_is_refused(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "training.csv"
    (tree / "training.csv").rename(outside)
    (tree / "training.csv").symlink_to(outside)
    with pytest.raises(UserError, match=r"training\.csv leaves the data set's folder"):
        listed(tree)
