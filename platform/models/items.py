"""What a stage trains on: the items of an epoch, and batches of them; pairs and triples of other items."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.errors import UserError

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Items(ABC):
    """The training items of a stage. An item is whatever one row of the epoch's index tensor refers to: a
    face, a pair or triple of faces, a composite of a face and a background.

    All randomness comes from the generators that the loop passes. It seeds one per epoch, so that a resumed
    stage equals an uninterrupted one, and all workers draw the same.
    """

    @property
    def kind(self) -> str:
        """What the items are, in the plural, as messages name them."""
        return "items"

    @abstractmethod
    def epoch(self, random: torch.Generator) -> Tensor:
        """int64 [n] or [n, m] on the CPU: the items of one epoch in their order, m positions each.

        n, at least 1, may differ from the number of images and from epoch to epoch. Steps take consecutive
        rows.
        """

    def draw(self, index: Tensor, random: torch.Generator) -> Any:
        """The random draws for the items of a whole batch: a tensor, or a dataclass with tensors, of one row
        per item. By default a seed per item: int64 [b] in [0, 2**31).

        `index`, [b] or [b, m]: the batch's rows of the epoch.
        """
        import torch

        from datasets.augmentation.draw import SEED_LIMIT

        return torch.randint(SEED_LIMIT, (len(index),), generator=random)

    @abstractmethod
    def batch(self, index: Tensor, draw: Any) -> Sized:
        """The items of `index` as the losses receive them; its `len` is their number.

        Several workers share a batch: each passes its own rows of `index` and `draw`.
        """

    def names(self, index: Tensor) -> Sequence[str]:
        """Names of the images behind the items of `index`, for error messages; empty if they have none."""
        return ()


def check_epoch(items: Items, index: Any, stage: str) -> Tensor:
    """The index of an epoch. UserError: another type or shape than `Items.epoch` has; stage: in words."""
    import torch

    shown = type(index).__name__
    if isinstance(index, torch.Tensor):
        if index.dtype == torch.int64 and index.ndim in (1, 2) and len(index):
            return index
        shown = f"{str(index.dtype).removeprefix('torch.')} {list(index.shape)}"
    raise UserError(
        f"an epoch of {stage} must be int64 [n] or [n, m] with n >= 1, but {type(items).__name__} gave "
        f"{shown}; correct its `epoch`."
    )


def check_batch(items: Items, batch: Sized, rows: int, stage: str) -> Sized:
    """The batch of `rows` rows of an index. UserError: it has no `len`, or another; stage: in words."""
    size = len(batch) if isinstance(batch, Sized) else None
    if size == rows:
        return batch
    made = f"made {size} items of {rows} rows" if size is not None else f"made a {type(batch).__name__}"
    raise UserError(
        f"a batch of {stage} must have one item per row of its index, but {type(items).__name__} {made}; "
        "correct its `batch`, or the `len` of what it returns."
    )


@dataclass(frozen=True, kw_only=True)
class Tuples:
    """b tuples of m single items each: pairs, triples."""

    single: Any
    """Batch of the b * m single items: the m of the first tuple, those of the second, and so on."""
    size: int
    """m."""

    def __len__(self) -> int:
        return len(self.single) // self.size


class TupleItems(Items):
    """Tuples of other items, which are cropped and flipped as those say, each by a draw of its own.

    A method derives from it and gives the epoch: int64 [n, m], m positions among the single items.
    """

    def __init__(self, single: Items) -> None:
        """single: the items that tuples are made of, e.g. the faces that `NetMethod.items` receives."""
        self.single = single

    @property
    def kind(self) -> str:
        return f"tuples of {self.single.kind}"

    def draw(self, index: Tensor, random: torch.Generator) -> Any:
        drawn = self.single.draw(index.flatten(), random)
        return with_tensors(drawn, lambda one: one.unflatten(0, tuple(index.shape)))

    def batch(self, index: Tensor, draw: Any) -> Tuples:
        flat = with_tensors(draw, lambda one: one.flatten(0, 1))
        return Tuples(single=self.single.batch(index.flatten(), flat), size=index.shape[1])

    def names(self, index: Tensor) -> Sequence[str]:
        return self.single.names(index.flatten())


def with_tensors(draw: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """A draw (a tensor, or a dataclass with tensors) with every tensor changed."""
    from torch import Tensor

    if isinstance(draw, Tensor):
        return change(draw)
    values = {field.name: getattr(draw, field.name) for field in dataclasses.fields(draw)}
    changed = {name: change(value) for name, value in values.items() if isinstance(value, Tensor)}
    return dataclasses.replace(draw, **changed)
