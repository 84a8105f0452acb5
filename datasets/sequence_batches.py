"""Batches of sequences: some frames of each, cropped and flipped alike, padded to the longest of a batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from datasets.augmentation.draw import Draw
from datasets.batches import FaceTensors


class FrameReader(Protocol):
    """n sequences that are read one at a time."""

    @property
    def lengths(self) -> np.ndarray: ...  # int64 [n]: frames of each
    def read(self, place: int) -> np.ndarray: ...  # uint8 [l, L, L, 3] RGB, in order


@dataclass(frozen=True, kw_only=True)
class SequenceBatch:
    """b sequences of at most t frames of c x c pixels, on the device; zeros follow a shorter one's last."""

    image: Tensor
    """float32 [b, t, 3, c, c], RGB in [0, 1], not standardised."""
    gray: Tensor
    """float32 [b, t, 1, c, c] in [0, 1]."""
    target_mask: Tensor | None
    """float32 [b, t, 1, c, c] in [0, 1]: the class image of the true class; None without class images."""
    lengths: Tensor
    """int64 [b]: frames of each, from 1 to t."""
    labels: Tensor
    """int64 [b]: indices into the data set's class names."""
    image_weights: Tensor | None = None
    """float32 [b]: weight of each sequence in the classification loss; None: equal weights."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def present(self) -> Tensor:
        """bool [b, t]: frames, as opposed to padding."""
        places = torch.arange(self.image.shape[1], device=self.lengths.device)
        return places < self.lengths[:, None]


class SequenceTensors:
    """n sequences with labels and K class images; frames stay where they are until a batch asks for them."""

    def __init__(
        self,
        sequences: FrameReader,
        labels: np.ndarray,
        *,
        frames: int,
        device: torch.device | str,
        class_images: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> None:
        """labels: int64 [n] in [0, K); frames: the most that a batch has of a sequence, spread evenly from
        its first to its last; class_images: uint8 [K, L, L]; weights: float32 [n]."""
        self.device = torch.device(device)
        self.lengths: np.ndarray = np.minimum(sequences.lengths, frames)
        """int64 [n]: frames of each in a batch."""
        self._sequences, self._labels, self._class_images = sequences, labels, class_images
        self._weights = None if weights is None else torch.tensor(weights, device=self.device)

    def __len__(self) -> int:
        return len(self._labels)

    def batch(self, rows: Tensor, draw: Draw, crop_size: int) -> SequenceBatch:
        """The sequences of `rows` (int64 [b] on the CPU), all frames of one by its row of `draw`.

        Raises UserError as `FaceTensors.batch`.
        """
        places = rows.tolist()
        shown = [self._shown(place) for place in places]
        lengths = torch.tensor([len(one) for one in shown])
        whose = torch.arange(len(places)).repeat_interleave(lengths)
        labels = self._labels[places]
        faces = FaceTensors(np.concatenate(shown), labels[whose.numpy()], self._class_images, self.device)
        every = faces.batch(torch.arange(len(faces)), _of_frames(draw, whose), crop_size)
        masks = every.target_mask
        return SequenceBatch(
            image=padded(every.image, lengths),
            gray=padded(every.gray, lengths),
            target_mask=None if masks is None else padded(masks, lengths),
            lengths=lengths.to(self.device),
            labels=torch.from_numpy(labels).to(self.device),
            image_weights=None if self._weights is None else self._weights[rows.to(self.device)],
        )

    def _shown(self, place: int) -> np.ndarray:
        every = self._sequences.read(place)
        return every[evenly_spread(len(every), int(self.lengths[place]))]


def evenly_spread(length: int, count: int) -> np.ndarray:
    """int64 [count]: places among `length` frames, the first and the last one among them if there are two."""
    return np.linspace(0, length - 1, count).round().astype(np.int64)


def padded(values: Tensor, lengths: Tensor) -> Tensor:
    """The frames of b sequences one after the other, [f, ...], as [b, t, ...] with zeros behind each.

    lengths: int64 [b] on the CPU, their sum f.
    """
    longest = int(lengths.max())
    result = values.new_zeros((len(lengths) * longest, *values.shape[1:]))
    whose = torch.arange(len(lengths)).repeat_interleave(lengths)
    ends = lengths.cumsum(0)
    places = torch.arange(len(whose)) - (ends - lengths)[whose] + whose * longest
    result[places.to(values.device)] = values
    return result.unflatten(0, (len(lengths), longest))


def rows_by_length(lengths: np.ndarray, frames_at_once: int) -> Sequence[Tensor]:
    """The places of sequences in batches of equal length, so that none is padded; each of about
    `frames_at_once` frames."""
    return [
        part
        for length in np.unique(lengths).tolist()
        for part in torch.from_numpy(np.flatnonzero(lengths == length)).split(
            max(1, frames_at_once // length)
        )
    ]


def _of_frames(draw: Draw, whose: Tensor) -> Draw:
    """Each frame's draw: that of its sequence."""
    return dataclasses.replace(
        draw,
        crop=draw.crop[whose],
        flip=draw.flip[whose],
        seeds=None if draw.seeds is None else draw.seeds[whose],
    )
