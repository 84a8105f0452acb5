"""Frames of a raw data set as the preparation reads them: its folder, its files, finders of landmarks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from datasets.catalogue import ensure_embedded, load_adapter, raw_folder
from datasets.prepared.face_chunks import FrameSource
from datasets.prepared.prepare_command import prepare_command
from datasets.raw.choices import BadItems
from datasets.raw.sources import require_folder, source_path, source_sha256
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError


class FindLandmarks(Protocol):
    """Adds landmarks, found in the frames, to records without them."""

    @property
    def name(self) -> str:
        """Name and version of the finder, for the manifest."""

    def __call__(
        self, records: list[FrameRecord], read_frame: Callable[[FrameRecord], np.ndarray], bad: BadItems
    ) -> list[FrameRecord]:
        """`records` with landmarks; records without a face are left out and reported to `bad`."""

    def dense(
        self,
        records: list[FrameRecord],
        read_frame: Callable[[FrameRecord], np.ndarray],
        *,
        skip_bad: bool,
    ) -> dict[str, np.ndarray]:
        """68 points of each frame, float64 (68, 2), pixels, by image name; frames without a usable face are
        absent. `skip_bad`: so are frames that cannot be read, instead of a UserError."""


@dataclass(frozen=True)
class RawFrames:
    """The frames of a raw data set; picklable, so that other processes can read them."""

    dataset: str
    root: Path

    def read_frame(self, record: FrameRecord) -> np.ndarray:
        """The frame of `record`, uint8 (H, W, 3), RGB."""
        return load_adapter(self.dataset).read_frame(self.root, record)

    def sha256(self, record: FrameRecord) -> str:
        """SHA-256 (64 hex digits) of the file that holds the frame."""
        return source_sha256(self.root, record.source)

    def stamp(self, record: FrameRecord) -> list[int]:
        """Size in bytes and modification time in ns of that file and of the files that decide how it is
        read."""
        also = getattr(load_adapter(self.dataset), "ALSO_DECIDES", ())
        stamp: list[int] = []
        for name in (record.source, *also):
            try:
                state = source_path(self.root, name).stat()
                stamp += [state.st_size, state.st_mtime_ns]
            except (OSError, UserError):  # reported when the file is read
                stamp += [-1, -1]
        return stamp

    def as_source(self) -> FrameSource:
        """The frames as the writers of faces take them."""
        return FrameSource(read_frame=self.read_frame, sha256=self.sha256, stamp=self.stamp)


def raw_root(description: DatasetDescription, size_pixels: int, data_root: Path, source: Path | None) -> Path:
    """The folder of the raw data set; an embedded set is drawn first if it is missing.

    Raises UserError for a licensed set without `source`, with where to request it.
    """
    if description.embedded and source is None:
        root = raw_folder(data_root, description.name).absolute()
        try:
            ensure_embedded(description.name, root)
        except OSError as error:
            raise UserError(
                f"cannot write {description.title} to {root}: {error.strerror or error}; free disk space, or "
                "pass --data-root a writable folder."
            ) from error
        return root
    if source is None:
        raise UserError(
            f"{description.title} needs --source DIR, the folder of your copy, with "
            f"{description.native_layout}. {description.request_from} "
            f"Then run: {prepare_command(data_root, description.name, size_pixels)}"
        )
    return require_folder(source.absolute())
