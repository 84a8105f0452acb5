from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import functional

from datasets.augmentation import Draw, centre_draw, draw_paper
from datasets.batches import FACES_AT_ONCE, FaceTensors, epoch_order, split_batches

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


def test_without_masks_there_is_no_target_and_nothing_else_changes() -> None:
    images, labels, masks = faces()
    rows, draw = torch.arange(5), centre_draw(5)
    batch = FaceTensors(images, labels, None, "cpu").batch(rows, draw, CROP)
    masked = FaceTensors(images, labels, masks, "cpu").batch(rows, draw, CROP)
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
