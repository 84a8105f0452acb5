"""`--resample released` against PIL and torchvision, which the released code uses: equal to the last bit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional

from datasets.augmentation.draw import Draw
from datasets.batches import FaceTensors
from datasets.folds.view import FoldView
from datasets.prepared.face_chunks import FrameSource, Recipe, Resample
from datasets.prepared.preparation import prepare_dataset
from datasets.prepared.released_resample import released_face, released_size
from datasets.prepared.store import PreparedStore
from datasets.prepared.store_files import RECTANGLES, read_manifest
from datasets.prepared.store_writer import write_prepared
from datasets.records import FrameRecord
from datasets.synthetic.layouts import load_layout
from platform.errors import UserError
from tests.fmpn_stages import run_stage2
from tests.layout_trees import set_parameters, write_layout
from tests.tiny_faces import noise, records, tiny_configuration

SIDES = ((60, 60), (71, 52), (52, 77), (20, 31), (33, 20), (41, 40), (34, 34))
"""Height and width of the crops: squares, both kinds of rectangles, smaller and larger than the store's."""
LOAD, CROP = 34, 29


def frame_of(record: FrameRecord) -> np.ndarray:
    """A coloured crop of one of SIDES."""
    height, width = SIDES[sum(map(ord, record.image_name)) % len(SIDES)]
    return noise(record.image_name, 80)[:height, :width]


def prepared(folder: Path, resample: Resample = "released") -> PreparedStore:
    recipe = Recipe(size_pixels=LOAD, aligned=True, resample=resample)
    return write_prepared(folder, "fmpn_release", records(4), FrameSource(read_frame=frame_of), recipe)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> PreparedStore:
    return prepared(tmp_path_factory.mktemp("store") / "fmpn_release-34")


def independent(image: Image.Image, crop: int, flip: bool) -> torch.Tensor:
    """The released data path: Resize, FiveCrop, hflip, ToTensor on a PIL image."""
    cut = functional.five_crop(transforms.Resize(LOAD)(image), CROP)[crop]
    return functional.to_tensor(functional.hflip(cut) if flip else cut)


@pytest.mark.parametrize("crop", range(5))
@pytest.mark.parametrize("flip", [False, True])
def test_face_gray_and_mask_are_those_of_pil_and_torchvision(
    store: PreparedStore, crop: int, flip: bool
) -> None:
    view = FoldView(store, train_subjects=["S01", "S02", "S03"], evaluation_subjects=["S04"], role="final")
    rows = view.training_rows
    masks = np.stack([noise(name, LOAD)[..., 0] for name in view.class_names])
    faces = FaceTensors(view.read(rows), view.labels(rows), masks, "cpu", rectangles=view.rectangles(rows))
    count = len(rows)
    draw = Draw(crop=torch.full((count,), crop), flip=torch.full((count,), flip))
    batch = faces.batch(torch.arange(count), draw, CROP)
    frames = {one.image_name: frame_of(one) for one in records(4)}
    assert len({frames[name].shape for name in view.image_names(rows)}) > 4
    assert batch.target_mask is not None
    for place, name in enumerate(view.image_names(rows).tolist()):
        image = Image.fromarray(frames[name])
        assert torch.equal(batch.image[place], independent(image, crop, flip))
        assert torch.equal(batch.gray[place], independent(image.convert("L"), crop, flip))
        mask = Image.fromarray(masks[view.labels(rows)[place]])
        assert torch.equal(batch.target_mask[place], independent(mask, crop, flip))


@pytest.mark.parametrize(
    ("height", "width"), [(400, 300), (300, 400), (320, 320), (81, 70), (70, 81), (319, 333)]
)
def test_the_size_is_torchvisions(height: int, width: int) -> None:
    resized = transforms.Resize(320)(Image.new("L", (width, height)))
    assert released_size(height, width, 320) == resized.size[::-1]


def test_gray_is_made_before_scaling_which_is_not_the_gray_of_the_scaled_face() -> None:
    record = records(1)[0]
    face = released_face(record, noise("gray", 80)[:71, :52], LOAD)
    after = np.asarray(Image.fromarray(np.ascontiguousarray(face[..., :3])).convert("L"))
    assert 0 < np.abs(after.astype(int) - face[..., 3]).max() <= 2


def test_the_square_images_are_the_centres_of_the_rectangles(store: PreparedStore) -> None:
    assert store.rectangles is not None
    assert store.rectangle_sizes is not None
    for image, canvas, (height, width) in zip(
        store.images, store.rectangles, store.rectangle_sizes.tolist(), strict=True
    ):
        top, left = round((height - LOAD) / 2), round((width - LOAD) / 2)
        np.testing.assert_array_equal(image, canvas[top : top + LOAD, left : left + LOAD, :3])
        assert not canvas[height:].any()
        assert not canvas[:, width:].any()


def test_the_recipe_is_in_the_manifest_and_other_stores_hold_nothing_new(
    store: PreparedStore, tmp_path: Path
) -> None:
    assert read_manifest(store.folder)["resample"] == "released"
    again = prepared(tmp_path / "released")
    cubic = prepared(tmp_path / "cubic", "cubic")
    assert again.hash == store.hash != cubic.hash
    manifest = read_manifest(cubic.folder)
    assert "resample" not in manifest
    assert sorted(manifest["sha256"]) == ["images.npy", "index.parquet"]
    assert cubic.rectangles is None
    assert not (cubic.folder / RECTANGLES).exists()


def test_a_changed_rectangle_is_noticed(tmp_path: Path) -> None:
    path = prepared(tmp_path / "store").folder / RECTANGLES
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"rectangles\.npy does not match the hash in its manifest"):
        PreparedStore.open(path.parent)


def test_what_is_no_face_crop_or_meets_transforms_is_refused(store: PreparedStore) -> None:
    with pytest.raises(UserError, match="no face crop: its 50×10 pixels"):
        released_face(records(1)[0], np.zeros((10, 50, 3), np.uint8), LOAD)
    view = FoldView(store, train_subjects=["S01"], evaluation_subjects=[], role="final")
    rows = view.training_rows[:2]
    faces = FaceTensors(view.read(rows), view.labels(rows), None, "cpu", rectangles=view.rectangles(rows))
    draw = Draw(crop=torch.zeros(2, dtype=torch.int64), flip=torch.zeros(2, dtype=torch.bool))
    with pytest.raises(UserError, match="work on square faces"):
        faces.batch(torch.arange(2), dataclasses.replace(draw, transforms="x", seeds=draw.crop), CROP)
    with pytest.raises(UserError, match="crop of 35 from a side of 34"):
        faces.batch(torch.arange(2), draw, 35)


def test_the_release_is_scaled_its_own_way_unless_something_else_is_asked_for(tmp_path: Path) -> None:
    root = write_layout(load_layout("fmpn_release"), tmp_path / "raw", set_parameters(2))
    made = {}
    for resample in (None, "cubic", "released"):
        store = prepare_dataset(
            "fmpn_release", LOAD, data_root=tmp_path / str(resample), source=root, aligned=True,
            resample=resample,  # type: ignore[arg-type]  # mypy widens the loop's names
        )  # fmt: skip
        made[resample] = store.hash
        assert (store.rectangles is None) == (resample == "cubic")
    assert made[None] == made["released"]
    with pytest.raises(UserError, match="pass --aligned if the images are face crops, or --resample cubic"):
        prepare_dataset("fmpn_release", LOAD, data_root=tmp_path, source=root, resample="released")


def test_a_fold_run_trains_and_scores_on_rectangles(store: PreparedStore) -> None:
    configuration = tiny_configuration(load_size_pixels=LOAD, image_size_pixels=CROP)
    view = FoldView(store, train_subjects=["S01", "S02"], evaluation_subjects=["S03"], role="final")
    outcome = run_stage2(view, configuration)
    assert outcome.scores.shape == (6, 3)
    assert {picture.shape[2:] for picture in outcome.pictures.values()} == {(CROP, CROP)}
    assert "mask_quality" in outcome.diagnostics
