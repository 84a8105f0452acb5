"""What a stage trains on: the items of an epoch, and batches of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Any

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
