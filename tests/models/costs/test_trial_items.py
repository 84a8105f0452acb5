"""A trial batch is made from a method's own items, and items of the wrong shape are told while planning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor

from datasets.batches import Batch
from datasets.sequence_batches import SequenceBatch
from platform.errors import UserError
from platform.models.artifact import Content
from platform.models.costs.trial_items import trial_items_batch
from platform.models.items import Items, TupleItems, Tuples
from platform.models.train_view import TrainView


def batch_of(items_of: Any, items: int = 2) -> Any:
    return trial_items_batch(items_of, items=items, size_pixels=32, class_count=3, stage="the method mine")


class SubjectPairs(TupleItems):
    """Every face with another of its subject and class."""

    def __init__(self, single: Items, train: TrainView) -> None:
        super().__init__(single)
        names = list(zip(train.subjects.tolist(), train.labels.tolist(), strict=True))
        self.pairs = [(i, j) for i, one in enumerate(names) for j, two in enumerate(names) if one == two]
        self.pairs = [(i, j) for i, j in self.pairs if i < j]
        assert len(train.images) == len(names)
        assert list(train.parts(2, seed=0))

    def epoch(self, random: torch.Generator) -> Tensor:
        return torch.tensor(self.pairs)


def test_single_faces_are_single() -> None:
    batch = batch_of(lambda single, train, inputs: single)
    assert isinstance(batch, Batch)
    assert batch.image.shape == (2, 3, 32, 32)
    assert batch.image.device.type == "meta"


def test_pairs_are_found_among_the_made_up_faces() -> None:
    batch = batch_of(lambda single, train, inputs: SubjectPairs(single, train), items=5)
    assert isinstance(batch, Tuples)
    assert (len(batch), len(batch.single)) == (5, 10)


class Wrong(Items):
    """Epochs and batches as they are given."""

    def __init__(self, index: Any, batch: Any = None) -> None:
        self.index, self.made = index, batch

    def epoch(self, random: torch.Generator) -> Tensor:
        index: Tensor = self.index
        return index

    def batch(self, index: Tensor, draw: Any) -> Any:
        return self.made


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (None, r"items of the method mine must return Items .*, but returned NoneType"),
        (Wrong([1, 2]), r"an epoch of the method mine must be int64 \[n\] .*, but Wrong gave list"),
        (Wrong(torch.ones(3)), r"but Wrong gave float32 \[3\]; correct its `epoch`"),
        (Wrong(torch.ones(3, 2, 1, dtype=torch.int64)), r"but Wrong gave int64 \[3, 2, 1\]"),
        (Wrong(torch.ones(3, dtype=torch.int64), [1]), r"but Wrong made 1 items of 2 rows"),
        (Wrong(torch.ones(3, dtype=torch.int64), 7), r"but Wrong made a int; correct its `batch`"),
    ],
)
def test_items_of_another_shape_are_named(items: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        batch_of(lambda single, train, inputs: items)


def test_items_cannot_read_an_artifact_while_planning() -> None:
    def reading(single: Items, train: TrainView, inputs: Mapping[str, Content]) -> Items:
        assert not len(inputs)
        assert not list(inputs)
        return inputs["masks"]  # type: ignore[return-value]

    with pytest.raises(UserError, match="read the artifact masks, which is not made while a command plans"):
        batch_of(reading)


def test_sequences_have_the_frames_that_are_asked_for() -> None:
    def paired(single: Items, train: TrainView, inputs: Any) -> Items:
        sequences = train.sequences
        assert len(sequences) == len(sequences.labels) == len(sequences.subjects) == len(sequences.apexes)
        assert sequences.lengths.tolist() == [5] * len(sequences)
        assert sequences.read(0).shape[0] == 5
        return SubjectPairs(single, train)

    batch = trial_items_batch(paired, items=2, size_pixels=32, class_count=3, stage="mine", frames=5)
    assert isinstance(batch, Tuples)
    assert isinstance(batch.single, SequenceBatch)
    assert batch.single.image.shape == (4, 5, 3, 32, 32)
    assert batch.single.present.shape == (4, 5)
