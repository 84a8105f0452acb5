"""AffectNet: both layouts read alike, the draw is seeded and even, and what is missing is named."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import affectnet
from datasets.affectnet_labels import EXPRESSIONS_WANTED, ListedImage
from datasets.alignment.similarity import LARGEST_RESIDUAL, residual
from datasets.raw.choices import BadItems, Choices
from datasets.synthetic.layouts import affectnet as csv_layout
from datasets.synthetic.layouts import affectnet_npy as npy_layout
from platform.errors import UserError
from tests.layout_trees import set_parameters, write_layout

PARAMETERS = set_parameters(subjects=2)
IMAGES = "Manually_Annotated_Images"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two synthetic people in each of the layouts."""
    folder = tmp_path_factory.mktemp("sets")
    return {
        "csv": write_layout(csv_layout, folder / "csv", PARAMETERS),
        "npy": write_layout(npy_layout, folder / "npy", PARAMETERS),
    }


@pytest.fixture
def tree(drawn: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the older layout to spoil."""
    return Path(shutil.copytree(drawn["csv"], tmp_path / "affectnet"))


@pytest.mark.parametrize("layout", ["csv", "npy"])
def test_all_images_of_the_seven_expressions_are_read(drawn: dict[str, Path], layout: str) -> None:
    records = affectnet.read_records(drawn[layout])
    counts = Counter(record.expression for record in records)
    assert counts == dict.fromkeys(EXPRESSIONS_WANTED, 2 * 3)
    assert {record.role for record in records} == {"expressive"}
    assert {record.frame for record in records} == {0}
    assert all(record.subject_id == record.sequence_id for record in records)
    assert len({record.image_name for record in records}) == len(records)
    assert [record.source for record in records] == sorted(record.source for record in records)


@pytest.mark.parametrize("layout", ["csv", "npy"])
def test_landmarks_are_a_faces_and_images_readable(drawn: dict[str, Path], layout: str) -> None:
    for record in affectnet.read_records(drawn[layout]):
        assert record.landmarks is not None
        assert residual(record.landmarks) < 0.08
        image = affectnet.read_frame(drawn[layout], record)
        assert image.shape == (48, 48, 3)
        assert image.dtype == np.uint8


def test_both_layouts_hold_the_same_pictures_under_the_same_labels(drawn: dict[str, Path]) -> None:
    shown = [
        sorted(
            (record.expression, affectnet.read_frame(root, record).tobytes())
            for record in affectnet.read_records(root)
        )
        for root in drawn.values()
    ]
    assert shown[0] == shown[1]


def test_a_set_in_the_wild_is_read(tmp_path: Path) -> None:
    root = write_layout(csv_layout, tmp_path, set_parameters(subjects=1, in_the_wild=True))
    records = affectnet.read_records(root)
    assert len(records) == 21
    assert all(
        record.landmarks is not None and residual(record.landmarks) < LARGEST_RESIDUAL for record in records
    )


@pytest.mark.parametrize("layout", ["csv", "npy"])
def test_a_draw_is_even_seeded_and_repeatable(drawn: dict[str, Path], layout: str) -> None:
    def names(seed: int, per_class: int = 2) -> list[str]:
        choices = Choices(per_class=per_class, draw_seed=seed)
        records = affectnet.read_records(drawn[layout], choices)
        assert Counter(record.expression for record in records) == dict.fromkeys(
            EXPRESSIONS_WANTED, per_class
        )
        return [record.image_name for record in records]

    assert names(0) == names(0)
    assert names(0) != names(1)
    assert set(names(0, per_class=2)) < set(names(0, per_class=4))  # a larger draw only adds


def listed(label: str, count: int) -> list[ListedImage]:
    return [
        ListedImage(image_id=f"{label}{n}", label=label, source=f"{label}/{n:04d}", points="", listed_at="")
        for n in range(count)
    ]


def test_the_draw_of_a_class_does_not_depend_on_the_others() -> None:
    alone = affectnet.draw_images(listed("fear", 50), 10, seed=3)
    among = affectnet.draw_images([*listed("anger", 70), *listed("fear", 50)], 10, seed=3)
    assert [image for image in among if image.label == "fear"] == alone


def test_the_draw_is_pinned() -> None:
    # The same seed must draw the same images on every machine, and in a year: results name the seed.
    drawn = affectnet.draw_images([*listed("anger", 100), *listed("fear", 100)], 4, seed=0)
    assert [image.image_id for image in drawn] == [
        "anger50",
        "anger56",
        "anger63",
        "anger89",
        "fear0",
        "fear8",
        "fear10",
        "fear62",
    ]


def test_every_image_is_drawn_about_equally_often() -> None:
    images = listed("sadness", 20)
    times = Counter(image for seed in range(400) for image in affectnet.draw_images(images, 5, seed))
    assert len(times) == 20
    assert all(60 <= count <= 140 for count in times.values())  # 100 expected, deviation 8.7


def test_a_draw_that_is_too_large_names_the_class_and_its_size(drawn: dict[str, Path], tree: Path) -> None:
    with pytest.raises(
        UserError, match=r"1 to 6, the images of the smallest class, .* got 7; pass --per-class 6"
    ):
        affectnet.read_records(drawn["csv"], Choices(per_class=7))
    path = tree / "training.csv"
    lines = path.read_text().splitlines(keepends=True)
    fear = [line for line in lines if line.split(",")[6] == "4"]
    path.write_text("".join(line for line in lines if line not in fear[:2]))
    with pytest.raises(UserError, match=r"the smallest class, fear, .* got 6; pass --per-class 4"):
        affectnet.read_records(tree, Choices(per_class=6))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(whole_sequences=True), "--whole-sequences has no meaning for AffectNet"),
        (Choices(draw_seed=3), "--draw-seed has no meaning for AffectNet without --per-class"),
        (
            Choices(per_class=2, frames=frozenset({("x", 0)})),
            "--frames has no meaning for AffectNet together",
        ),
        (Choices(per_class=0), "--per-class must lie in 1 to 6"),
        (Choices(per_class=1, draw_seed=-1), "--draw-seed must be 0 or more"),
    ],
)
def test_choices_without_a_meaning_are_refused(
    drawn: dict[str, Path], choices: Choices, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        affectnet.read_records(drawn["csv"], choices)


def test_listed_frames_are_taken_exactly_and_must_be_there(drawn: dict[str, Path]) -> None:
    records = affectnet.read_records(drawn["npy"])
    wanted = frozenset((record.sequence_id, 0) for record in records[::5])
    found = affectnet.read_records(drawn["npy"], Choices(frames=wanted))
    assert {(record.sequence_id, record.frame) for record in found} == wanted
    with pytest.raises(UserError, match="999_00000000; correct the list"):
        affectnet.read_records(drawn["npy"], Choices(frames=wanted | {("999", 0)}))


def test_a_wrong_folder_is_told_what_was_expected_and_which_is_right(
    drawn: dict[str, Path], tmp_path: Path
) -> None:
    for root, inside in (
        (drawn["csv"], IMAGES), (drawn["csv"], f"{IMAGES}/1"),
        (drawn["npy"], "train_set"), (drawn["npy"], "val_set/images"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=rf"AffectNet's layouts: expected .*; pass --source {root}\."):
            affectnet.read_records(root / inside)
    (tmp_path / "S001").mkdir()
    with pytest.raises(UserError, match=r"found S001; pass --source the folder that holds these"):
        affectnet.read_records(tmp_path)
    with pytest.raises(UserError, match="does not exist"):
        affectnet.read_records(tmp_path / "nowhere")


def test_both_layouts_in_one_folder_are_refused(drawn: dict[str, Path], tree: Path) -> None:
    shutil.copytree(drawn["npy"], tree, dirs_exist_ok=True)
    with pytest.raises(UserError, match="in both layouts"):
        affectnet.read_records(tree)


def test_lists_without_any_wanted_image_are_refused(tree: Path) -> None:
    for name in ("training.csv", "validation.csv"):
        (tree / name).write_text((tree / name).read_text().splitlines()[0] + "\n")
    with pytest.raises(UserError, match="lists no image of anger, contempt,"):
        affectnet.read_records(tree)


def test_bad_landmarks_leave_out_that_image_alone(tree: Path) -> None:
    path = tree / "training.csv"
    lines = path.read_text().splitlines()
    name, *_, landmarks = lines[2].split(",")[:6]
    path.write_text("\n".join([*lines[:2], lines[2].replace(landmarks, "1;2"), *lines[3:]]) + "\n")
    with pytest.raises(UserError, match=r"training\.csv, line 3: the landmarks must be 68 points"):
        affectnet.read_records(tree)
    bad = BadItems(skip=True)
    records = affectnet.read_records(tree, bad=bad)
    assert [item for item, _ in bad.left_out] == [f"{IMAGES}/{name}"]
    assert len(records) == 41
    assert f"{IMAGES}/{name}" not in {record.source for record in records}


def test_an_image_that_links_out_of_the_tree_is_refused_or_left_out_alone(tree: Path) -> None:
    source = affectnet.read_records(tree)[5].source
    (tree / source).rename(tree.parent / "outside.jpg")
    (tree / source).symlink_to(tree.parent / "outside.jpg")
    with pytest.raises(UserError, match="leaves the data set's folder"):
        affectnet.read_records(tree)
    bad = BadItems(skip=True)
    assert len(affectnet.read_records(tree, bad=bad)) == 41
    assert [item for item, _ in bad.left_out] == [source]


def test_a_missing_truncated_or_empty_image_is_named_when_it_is_read(tree: Path) -> None:
    missing, truncated, empty, cmyk = affectnet.read_records(tree)[:4]
    (tree / missing.source).unlink()
    (tree / truncated.source).write_bytes((tree / truncated.source).read_bytes()[:500])
    (tree / empty.source).write_bytes(b"")
    Image.new("CMYK", (48, 48)).save(tree / cmyk.source)
    for record, fault in (
        (missing, "No such file"), (truncated, "not a readable image"), (empty, "is empty"), (cmyk, "'CMYK'"),
    ):  # fmt: skip
        with pytest.raises(UserError, match=fault) as caught:
            affectnet.read_frame(tree, record)
        assert record.source in str(caught.value)
