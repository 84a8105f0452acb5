"""Every sequence once an epoch; draws follow the seed, one for all frames of a sequence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets.sequence_batches import SequenceTensors
from platform.errors import UserError
from platform.training.sequence_items import SequenceItems
from tests.tiny_sequences import Frames


def items(augmentation: str = "paper") -> SequenceItems:
    tensors = SequenceTensors(Frames(2, 5, 3), np.arange(3), frames=4, device="cpu")
    return SequenceItems(tensors, augmentation=augmentation, crop_size_pixels=16, names=["a", "b", "c"])


def test_an_epoch_has_every_sequence_once_in_an_order_of_its_seed() -> None:
    orders = [items().epoch(torch.Generator().manual_seed(seed)).tolist() for seed in (0, 0, 1, 2)]
    assert all(sorted(order) == [0, 1, 2] for order in orders)
    assert orders[0] == orders[1]
    assert len(set(map(tuple, orders))) > 1


def test_a_draw_has_a_row_a_sequence_and_a_batch_names_them() -> None:
    one, index = items(), torch.tensor([2, 0])
    draw = one.draw(index, torch.Generator().manual_seed(0))
    assert len(draw.crop) == len(draw.flip) == 2
    batch = one.batch(index, draw)
    assert batch.image.shape == (2, 3, 3, 16, 16)
    assert one.names(index) == ["c", "a"]
    assert one.kind == "sequences of up to 4 frames of 16 pixels"
    assert SequenceItems(one.sequences, augmentation="none", crop_size_pixels=16).names(index) == ()


def test_an_unknown_augmentation_is_refused() -> None:
    with pytest.raises(UserError, match="unknown augmentation 'sepia'"):
        items("sepia")
