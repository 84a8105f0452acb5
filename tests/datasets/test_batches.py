from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from datasets.augmentation.content import STRONG
from datasets.augmentation.draw import Draw, apply_draw, augmentation_policy, centre_draw, draw_paper
from datasets.augmentation.transforms import FaceTransforms
from datasets.batches import FACES_AT_ONCE, Batch, FaceTensors, epoch_order, split_batches
from datasets.masks.motion_masks import to_gray

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
COUNT, SIDE, CROP = FACES_AT_ONCE + 6, 20, 17


def faces() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, labels and three masks, all noise; more images than are copied at once."""
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
    masks = generator.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8)
    return images, np.arange(COUNT) % 3, masks


@pytest.mark.parametrize("device", DEVICES)
def test_a_batch_is_what_pil_and_torchvision_make_of_each_face(device: str) -> None:
    images, labels, masks = faces()
    rows = torch.tensor([3, 0, COUNT - 1, 3, 7])
    draw = Draw(crop=torch.arange(5), flip=torch.tensor([False, True, False, True, True]))
    batch = FaceTensors(images, labels, masks, device).batch(rows, draw, CROP)
    assert batch.labels.tolist() == labels[rows].tolist()
    assert batch.target_mask is not None
    for index, row in enumerate(rows.tolist()):
        face = Image.fromarray(images[row])
        mask = Image.fromarray(masks[labels[row]])
        for tensor, picture in (
            (batch.image, face),
            (batch.gray, face.convert("L")),
            (batch.target_mask, mask),
        ):
            cut = functional.five_crop(picture, [CROP, CROP])[index]
            cut = functional.hflip(cut) if draw.flip[index] else cut
            assert torch.equal(tensor[index].cpu(), functional.to_tensor(cut))


def test_shapes_dtypes_and_range() -> None:
    images, labels, masks = faces()
    batch = FaceTensors(images, labels, masks, "cpu").batch(torch.arange(4), centre_draw(4), CROP)
    assert batch.target_mask is not None
    assert batch.image.shape == (4, 3, CROP, CROP)
    assert batch.gray.shape == batch.target_mask.shape == (4, 1, CROP, CROP)
    assert batch.labels.dtype == torch.int64
    for tensor in (batch.image, batch.gray, batch.target_mask):
        assert tensor.dtype == torch.float32
        assert tensor.is_contiguous()
        assert 0 <= tensor.min() < 0.1
        assert 0.9 < tensor.max() <= 1


def test_batched_equals_single() -> None:
    images, labels, masks = faces()
    tensors = FaceTensors(images, labels, masks, "cpu")
    draw = draw_paper(COUNT, torch.Generator().manual_seed(3))
    whole = tensors.batch(torch.arange(COUNT), draw, CROP)
    for row in range(COUNT):
        one = slice(row, row + 1)
        single = tensors.batch(torch.tensor([row]), Draw(crop=draw.crop[one], flip=draw.flip[one]), CROP)
        for name in ("image", "gray", "target_mask", "labels"):
            assert torch.equal(getattr(single, name), getattr(whole, name)[one])


def assert_equal(batch: Batch, other: Batch, places: slice = slice(None)) -> None:
    for name in ("image", "gray", "target_mask", "labels"):
        assert torch.equal(getattr(batch, name), getattr(other, name)[places]), name


@pytest.mark.parametrize("device", DEVICES)
def test_transforms_come_before_crop_and_flip_and_gray_follows_the_face(device: str) -> None:
    images, labels, masks = faces()
    rows = torch.tensor([3, 0, COUNT - 1, 3, 7, 9])
    draw = augmentation_policy("strong")(len(rows), torch.Generator().manual_seed(1))
    batch = FaceTensors(images, labels, masks, device).batch(rows, draw, CROP)
    assert batch.target_mask is not None
    assert draw.seeds is not None
    transforms = FaceTransforms(STRONG)
    for place, row in enumerate(rows.tolist()):
        face, mask = transforms(images[row], masks[labels[row]], int(draw.seeds[place]))
        assert mask is not None
        planes = np.concatenate([face.transpose(2, 0, 1), to_gray(face)[None], mask[None]])
        one = Draw(crop=draw.crop[place : place + 1], flip=draw.flip[place : place + 1])
        expected = apply_draw(torch.from_numpy(planes)[None], one, CROP)[0].float() / 255
        found = torch.cat([batch.image[place], batch.gray[place], batch.target_mask[place]]).cpu()
        assert torch.equal(found, expected)
    assert batch.labels.tolist() == labels[rows].tolist()


def test_a_draw_and_its_rows_decide_the_transformed_batch_alone_or_together() -> None:
    images, labels, masks = faces()
    tensors = FaceTensors(images, labels, masks, "cpu")
    rows = torch.arange(12)
    draw = augmentation_policy("strong")(12, torch.Generator().manual_seed(2))
    whole = tensors.batch(rows, draw, CROP)
    assert_equal(tensors.batch(rows, draw, CROP), whole)
    for share in (slice(0, 12, 2), slice(1, 12, 2), slice(4, 5)):  # as two workers take it, and one image
        assert draw.seeds is not None
        part = dataclasses.replace(
            draw, crop=draw.crop[share], flip=draw.flip[share], seeds=draw.seeds[share]
        )
        assert_equal(FaceTensors(images, labels, masks, "cpu").batch(rows[share], part, CROP), whole, share)
    other = augmentation_policy("strong")(12, torch.Generator().manual_seed(3))
    assert not torch.equal(tensors.batch(rows, other, CROP).image, whole.image)
    plain = tensors.batch(rows, draw_paper(12, torch.Generator().manual_seed(2)), CROP)
    assert not torch.equal(plain.image, whole.image)  # and the kept faces are as they were:
    assert_equal(plain, FaceTensors(images, labels, masks, "cpu").batch(
        rows, draw_paper(12, torch.Generator().manual_seed(2)), CROP
    ))  # fmt: skip


def centre_of(picture: torch.Tensor) -> torch.Tensor:
    """Row and column of the middle of what is brighter than half of the brightest: float32 [2]."""
    return (picture > picture.max() / 2).nonzero().float().mean(0)


def test_a_dot_in_face_and_mask_stays_one_dot_through_the_whole_strong_policy() -> None:
    """Like a landmark: a mask that did not follow its face would show the dot elsewhere."""
    side, crop = 64, 56
    rows, columns = np.mgrid[:side, :side]
    dot = ((rows - 22) ** 2 + (columns - 39) ** 2 <= 16).astype(np.uint8)
    image = np.repeat((40 + 200 * dot)[..., None], 3, axis=2).astype(np.uint8)
    tensors = FaceTensors(image[None], np.zeros(1, np.int64), 255 * dot[None], "cpu")
    count = 80
    draw = augmentation_policy("strong")(count, torch.Generator().manual_seed(0))
    batch = tensors.batch(torch.zeros(count, dtype=torch.int64), draw, crop)
    assert batch.target_mask is not None
    places = []
    for gray, mask in zip(batch.gray[:, 0], batch.target_mask[:, 0], strict=True):
        assert (mask > 0.5).sum() > 30  # a hole never covers the mask's dot
        if (gray > gray.max() / 2).sum() in range(35, 70) and gray.max() > 0.6:  # nor, here, the face's
            places.append(centre_of(mask))
            assert torch.linalg.vector_norm(places[-1] - centre_of(gray)) < 0.5
    assert len(places) > 50
    assert torch.stack(places).std(0).min() > 2  # pixels: the dots were moved about


def test_without_masks_there_is_no_target_and_nothing_else_changes() -> None:
    images, labels, masks = faces()
    rows, draw = torch.arange(5), centre_draw(5)
    batch = FaceTensors(images, labels, None, "cpu").batch(rows, draw, CROP)
    masked = FaceTensors(images, labels, masks, "cpu").batch(rows, draw, CROP)
    assert batch.target_mask is None
    assert torch.equal(batch.image, masked.image)
    assert torch.equal(batch.gray, masked.gray)
    strong = augmentation_policy("strong")(5, torch.Generator().manual_seed(0))
    batch = FaceTensors(images, labels, None, "cpu").batch(rows, strong, CROP)
    masked = FaceTensors(images, labels, masks, "cpu").batch(rows, strong, CROP)
    assert batch.target_mask is None
    assert torch.equal(batch.image, masked.image)
    assert torch.equal(batch.gray, masked.gray)


def test_the_images_given_may_change_or_be_read_only_afterwards() -> None:
    images, labels, masks = faces()
    rows, draw = torch.arange(3), centre_draw(3)
    for array in (images, labels, masks):
        array.flags.writeable = False
    tensors = FaceTensors(images, labels, masks, "cpu")
    before = tensors.batch(rows, draw, CROP).image
    images.flags.writeable = True
    images[:] = 0
    assert torch.equal(tensors.batch(rows, draw, CROP).image, before)
    assert len(tensors) == COUNT


def test_an_epoch_is_a_seeded_permutation() -> None:
    orders = [epoch_order(100, torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert sorted(orders[0].tolist()) == list(range(100))
    assert torch.equal(orders[0], orders[1])
    assert not torch.equal(orders[0], orders[2])


def test_the_last_partial_batch_is_kept() -> None:
    batches = split_batches(torch.arange(10), 4)
    assert [batch.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    with pytest.raises(ValueError, match="batch_size >= 1"):
        split_batches(torch.arange(10), 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((3, 4, 4, 3), np.float32)}, "images must be uint8"),
        ({"images": np.zeros((3, 4, 5, 3), np.uint8)}, "images must be uint8"),
        ({"labels": np.zeros(2, np.int64)}, "labels must be integers"),
        ({"labels": np.zeros(3)}, "labels must be integers"),
        ({"masks": np.zeros((2, 5, 5), np.uint8)}, r"masks must be uint8 \[K, 4, 4\] like the images"),
        ({"labels": np.array([0, 1, 2])}, "but got 2 masks for labels 0 to 2"),
        ({"labels": np.array([0, -1, 1])}, "but got 2 masks for labels -1 to 1"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(change: dict[str, Any], message: str) -> None:
    fitting: dict[str, Any] = {
        "images": np.zeros((3, 4, 4, 3), np.uint8),
        "labels": np.array([0, 1, 1]),
        "masks": np.zeros((2, 4, 4), np.uint8),
    }
    FaceTensors(**fitting, device="cpu")
    with pytest.raises(ValueError, match=message):
        FaceTensors(**{**fitting, **change}, device="cpu")
