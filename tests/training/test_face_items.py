from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets.augmentation.draw import centre_draw, draw_paper
from datasets.batches import FaceTensors, channels_last
from platform.errors import UserError
from platform.training.face_items import FaceItems

COUNT, SIDE, CROP = 10, 8, 6


def faces() -> FaceTensors:
    images = np.random.default_rng(0).integers(0, 256, (COUNT, SIDE, SIDE, 3), dtype=np.uint8)
    return FaceTensors(images, np.arange(COUNT) % 2, None, "cpu")


def items(augmentation: str = "paper") -> FaceItems:
    names = [f"S{number:02d}" for number in range(COUNT)]
    return FaceItems(faces(), augmentation=augmentation, crop_size_pixels=CROP, names=names)


def test_an_epoch_is_every_face_once() -> None:
    orders = [items().epoch(torch.Generator().manual_seed(seed)).tolist() for seed in (0, 0, 1)]
    assert sorted(orders[0]) == list(range(COUNT))
    assert orders[0] == orders[1] != orders[2]


def test_order_and_draws_come_from_one_generator_in_the_order_of_the_published_results() -> None:
    """Every stored result rests on this sequence: the permutation, then of each batch crops and flips."""
    random, other = (torch.Generator().manual_seed(5) for _ in range(2))
    made = items()
    index = made.epoch(random)
    assert torch.equal(index, torch.randperm(COUNT, generator=other))
    for batch in index.split(4):
        draw, expected = made.draw(batch, random), draw_paper(len(batch), other)
        assert torch.equal(draw.crop, expected.crop)
        assert torch.equal(draw.flip, expected.flip)


def test_a_batch_is_that_of_its_faces_in_channels_last_layout() -> None:
    index = torch.tensor([7, 2, 2])
    batch = items("none").batch(index, centre_draw(3))
    expected = faces().batch(index, centre_draw(3), CROP)
    assert len(batch) == 3
    assert torch.equal(batch.image, expected.image)
    assert torch.equal(batch.labels, expected.labels)
    assert batch.image.is_contiguous(memory_format=torch.channels_last)


def test_its_words_are_for_messages() -> None:
    assert items().kind == "images of 6 pixels"
    assert items().names(torch.tensor([3, 1])) == ["S03", "S01"]
    assert FaceItems(faces(), augmentation="none", crop_size_pixels=CROP).names(torch.tensor([3])) == ()


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(UserError, match="strng"):
        items("strng")


def test_channels_last_changes_the_layout_and_no_value() -> None:
    batch = faces().batch(torch.arange(3), centre_draw(3), CROP)
    other = channels_last(batch)
    assert other.image.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(other.image, batch.image)
    assert torch.equal(other.gray, batch.gray)
    assert other.labels is batch.labels
