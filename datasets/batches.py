"""Batches of faces with their masks: stored as uint8 on the device, cropped and scaled there.

Only draws with albumentations transforms pass through the CPU.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from datasets.augmentation.draw import Draw, apply_draw, send
from datasets.augmentation.transforms import FaceTransforms
from datasets.masks.motion_masks import to_gray
from platform.errors import UserError

FACES_AT_ONCE = 64
"""Faces copied to the device at once; bounds the temporary arrays of the gray conversion."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """b faces of c x c pixels, on the device."""

    image: torch.Tensor
    """float32 [b, 3, c, c], RGB in [0, 1], not standardised (docs/methods.md, §2.5)."""
    gray: torch.Tensor
    """float32 [b, 1, c, c] in [0, 1]: PIL's integer luma / 255."""
    target_mask: torch.Tensor | None
    """float32 [b, 1, c, c] in [0, 1]: the motion mask of the image's true class. None without masks."""
    labels: torch.Tensor
    """int64 [b]: indices into the data set's class names."""
    image_weights: torch.Tensor | None = None
    """float32 [b]: weight of each image in the classification loss, with mean 1 over all training images.
    None: equal weights."""

    def __len__(self) -> int:
        return len(self.labels)


class FaceTensors:
    """n faces of L x L pixels with labels and K class masks, stored as uint8 on one device."""

    def __init__(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        masks: np.ndarray | None,
        device: torch.device | str,
        image_weights: np.ndarray | None = None,
        rectangles: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> None:
        """images: uint8 [n, L, L, 3] RGB; labels: int64 [n] in [0, K); masks: uint8 [K, L, L] or None;
        image_weights: float32 [n] or None; rectangles: as `FoldView.rectangles` returns them. Given
        rectangles are cropped instead of `images`, and the square masks by the same draws, as in FMPN's
        release.

        Raises ValueError if shapes, dtypes or labels are inconsistent.
        """
        _check(images, labels, masks)
        self.device = torch.device(device)
        self._sizes: torch.Tensor | None = None
        if rectangles is not None:
            canvases, sizes = rectangles
            self._faces = torch.from_numpy(np.ascontiguousarray(canvases.transpose(0, 3, 1, 2))).to(device)
            self._sizes = torch.from_numpy(sizes)
        else:
            self._faces = self._squares(images)
        self._labels = torch.tensor(labels, dtype=torch.int64, device=self.device)
        self._masks = None if masks is None else torch.tensor(masks, device=self.device)[:, None]
        self._weights = None if image_weights is None else torch.tensor(image_weights, device=self.device)
        self._transforms: FaceTransforms | None = None

    def _squares(self, images: np.ndarray) -> torch.Tensor:
        """uint8 [n, 4, L, L] on the device: gray is the fourth channel, computed once, so that one gather
        crops face and gray alike."""
        count, side = images.shape[:2]
        faces = torch.empty((count, 4, side, side), dtype=torch.uint8, device=self.device)
        for start in range(0, count, FACES_AT_ONCE):
            colour = np.ascontiguousarray(images[start : start + FACES_AT_ONCE])
            part = np.concatenate([colour, to_gray(colour)[..., None]], axis=3).transpose(0, 3, 1, 2)
            faces[start : start + FACES_AT_ONCE] = torch.from_numpy(np.ascontiguousarray(part))
        return faces

    def __len__(self) -> int:
        return len(self._faces)

    def batch(self, rows: torch.Tensor, draw: Draw, crop_size: int) -> Batch:
        """The faces of `rows` (int64 [b], 0 = the first face), augmented and cropped by `draw` (of b images).

        The transforms of a draw, if any, come before its crops and flips. `rows` and `draw` should be on the
        CPU: copying them to a GPU does not block. Raises UserError as `FaceTransforms`.
        """
        on_device = send(rows, self.device)
        labels = self._labels[on_device]
        if self._sizes is not None:
            cut = self._cut_rectangles(rows, labels, draw, crop_size)
        elif draw.transforms:
            cut = apply_draw(self._transformed(rows.cpu(), draw), draw, crop_size)
        elif self._masks is None:
            cut = apply_draw(self._faces[on_device], draw, crop_size)
        else:
            channels = torch.cat([self._faces[on_device], self._masks[labels]], dim=1)
            cut = apply_draw(channels, draw, crop_size)
        cut = cut.to(torch.float32) / 255
        return Batch(
            image=cut[:, :3].contiguous(),
            gray=cut[:, 3:4].contiguous(),
            target_mask=None if self._masks is None else cut[:, 4:].contiguous(),
            labels=labels,
            image_weights=None if self._weights is None else self._weights[on_device],
        )

    def _cut_rectangles(
        self, rows: torch.Tensor, labels: torch.Tensor, draw: Draw, crop_size: int
    ) -> torch.Tensor:
        """uint8 [b, 4 or 5, c, c]: crops of the rectangles, and of the square masks by the same draws."""
        assert self._sizes is not None
        if draw.transforms:
            raise UserError(
                "albumentations transforms work on square faces, but this data set was prepared with "
                "--resample released; pass --augmentation paper or none, or prepare it with --resample cubic."
            )
        faces = self._faces[send(rows, self.device)]
        cut = apply_draw(faces, draw, crop_size, self._sizes[rows.cpu()])
        if self._masks is None:
            return cut
        return torch.cat([cut, apply_draw(self._masks[labels], draw, crop_size)], dim=1)

    def _transformed(self, rows: torch.Tensor, draw: Draw) -> torch.Tensor:
        """uint8 [b, 4 or 5, L, L] on the device: face, its gray version and mask after the draw's
        transforms."""
        assert draw.seeds is not None
        if self._transforms is None or self._transforms.content != draw.transforms:
            self._transforms = FaceTransforms(draw.transforms)
        faces, labels, masks = self._on_cpu
        side = faces.shape[2]
        made = torch.empty((len(rows), 4 if masks is None else 5, side, side), dtype=torch.uint8)
        pixels = made.numpy()
        for place, (row, seed) in enumerate(zip(rows.tolist(), draw.seeds.tolist(), strict=True)):
            face = np.ascontiguousarray(faces[row, :3].transpose(1, 2, 0))
            mask = None if masks is None else masks[labels[row], 0]
            face, mask = self._transforms(face, mask, seed)
            pixels[place, :3] = face.transpose(2, 0, 1)
            # Gray is computed from the augmented face, so that all networks see one face (docs/methods.md,
            # §2.5).
            pixels[place, 3] = to_gray(face)
            if mask is not None:
                pixels[place, 4] = mask
        return send(made, self.device)

    @cached_property
    def _on_cpu(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Faces, labels and masks for transforms: copied from a GPU once, shared memory on a CPU."""
        masks = None if self._masks is None else self._masks.cpu().numpy()
        return self._faces.cpu().numpy(), self._labels.cpu().numpy(), masks


def epoch_order(count: int, generator: torch.Generator) -> torch.Tensor:
    """int64 [count]: a random permutation of the training faces, for one epoch."""
    return torch.randperm(count, generator=generator, device=generator.device)


def split_batches(order: torch.Tensor, batch_size: int) -> tuple[torch.Tensor, ...]:
    """`order` in batches of `batch_size`; the last one may be smaller (docs/methods.md, §2.6).

    Raises ValueError for `batch_size` < 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size >= 1 must hold, but got {batch_size}")
    return order.split(batch_size)


def _check(images: np.ndarray, labels: np.ndarray, masks: np.ndarray | None) -> None:
    shape = images.shape
    if images.dtype != np.uint8 or images.ndim != 4 or shape[1] != shape[2] or shape[3] != 3:
        raise ValueError(f"images must be uint8 [n, L, L, 3], but got {images.dtype} {list(shape)}")
    if labels.shape != (shape[0],) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels must be integers [{shape[0]}], but got {labels.dtype} {list(labels.shape)}")
    if masks is None:
        return
    if masks.dtype != np.uint8 or masks.ndim != 3 or masks.shape[1:] != shape[1:3]:
        raise ValueError(
            f"masks must be uint8 [K, {shape[1]}, {shape[1]}] like the images, "
            f"but got {masks.dtype} {list(masks.shape)}"
        )
    if labels.size and not (labels.min() >= 0 and labels.max() < len(masks)):
        raise ValueError(
            f"each label must have a mask, but got {len(masks)} masks "
            f"for labels {labels.min()} to {labels.max()}"
        )


def channels_last(batch: Batch) -> Batch:
    """The same batch in channels-last memory format, the fastest layout for convolutions."""
    return dataclasses.replace(
        batch,
        image=batch.image.contiguous(memory_format=torch.channels_last),
        gray=batch.gray.contiguous(memory_format=torch.channels_last),
    )
