"""Sequences in batches: frames spread evenly, cropped and flipped alike, padded behind their end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets.augmentation.draw import Draw, augmentation_policy, centre_draw
from datasets.batches import FaceTensors
from datasets.sequence_batches import SequenceBatch, SequenceTensors, evenly_spread, padded, rows_by_length
from tests.tiny_sequences import Frames


def batch_of(tensors: SequenceTensors, *places: int, draw: Draw | None = None) -> SequenceBatch:
    return tensors.batch(torch.tensor(places), draw or centre_draw(len(places)), 16)


def levels(batch: SequenceBatch) -> list[list[int]]:
    """The gray level of each frame's left half."""
    rounded: list[list[int]] = (batch.image[:, :, 0, 0, 0] * 255).round().int().tolist()
    return rounded


def test_frames_come_in_order_and_shorter_sequences_are_padded_with_zeros() -> None:
    tensors = SequenceTensors(Frames(2, 4, 3), np.array([1, 0, 2]), frames=16, device="cpu")
    batch = batch_of(tensors, 2, 0)
    assert batch.image.shape == (2, 3, 3, 16, 16)
    assert batch.gray.shape == (2, 3, 1, 16, 16)
    assert levels(batch) == [[20, 21, 22], [0, 1, 0]]
    assert batch.lengths.tolist() == [3, 2]
    assert batch.present.tolist() == [[True, True, True], [True, True, False]]
    assert not batch.image[1, 2].any()
    assert batch.labels.tolist() == [2, 1]
    assert (len(batch), len(tensors)) == (2, 3)
    assert batch.target_mask is batch.image_weights is None


def test_of_a_longer_sequence_frames_are_spread_from_the_first_to_the_last() -> None:
    tensors = SequenceTensors(Frames(9, 2), np.array([0, 1]), frames=3, device="cpu")
    assert levels(batch_of(tensors, 0, 1)) == [[0, 4, 8], [10, 11, 0]]
    assert tensors.lengths.tolist() == [3, 2]
    assert evenly_spread(10, 4).tolist() == [0, 3, 6, 9]
    assert evenly_spread(5, 5).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("policy", ["paper", "strong"])
def test_all_frames_of_a_sequence_are_augmented_as_their_face_alone_would_be(policy: str) -> None:
    frames = Frames(3, 3, 3, 3, side=24)
    draw = augmentation_policy(policy)(4, torch.Generator().manual_seed(3))
    tensors = SequenceTensors(frames, np.arange(4), frames=16, device="cpu")
    batch = tensors.batch(torch.arange(4), draw, 16)
    assert len({*zip(draw.crop.tolist(), draw.flip.tolist(), strict=True)}) > 1
    for number in range(3):
        faces = np.stack([frames.read(place)[number] for place in range(4)])
        alone = FaceTensors(faces, np.arange(4), None, "cpu").batch(torch.arange(4), draw, 16)
        assert torch.equal(batch.image[:, number], alone.image)
        assert torch.equal(batch.gray[:, number], alone.gray)


def test_weights_and_class_images_are_those_of_the_sequences() -> None:
    classes = np.stack([np.full((20, 20), level, dtype=np.uint8) for level in (50, 100)])
    tensors = SequenceTensors(
        Frames(2, 3), np.array([1, 0]), frames=16, device="cpu", class_images=classes,
        weights=np.array([0.5, 1.5], dtype=np.float32),
    )  # fmt: skip
    batch = batch_of(tensors, 1, 0)
    assert batch.image_weights is not None
    assert batch.image_weights.tolist() == [1.5, 0.5]
    assert batch.target_mask is not None
    assert (batch.target_mask[:, :, 0, 0, 0] * 255).round().tolist() == [[50, 50, 50], [100, 100, 0]]


def test_only_the_sequences_of_a_batch_are_read() -> None:
    frames = Frames(2, 2, 2, 2)
    batch_of(SequenceTensors(frames, np.zeros(4, int), frames=16, device="cpu"), 3, 1)
    assert frames.read_places == [3, 1]


def test_padding_by_hand() -> None:
    values = torch.tensor([1.0, 2.0, 3.0, 4.0])
    assert padded(values, torch.tensor([1, 3])).tolist() == [[1, 0, 0], [2, 3, 4]]
    assert padded(values[:, None], torch.tensor([2, 2])).tolist() == [[[1], [2]], [[3], [4]]]


def test_batches_for_scoring_need_no_padding() -> None:
    rows = rows_by_length(np.array([3, 2, 3, 2, 2, 9]), frames_at_once=5)
    assert [one.tolist() for one in rows] == [[1, 3], [4], [0], [2], [5]]
