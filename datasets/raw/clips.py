"""Video clips, read forwards frame by frame because seeking in compressed clips is not exact."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from datasets.raw.sources import RESTORE
from platform.errors import UserError
from platform.files.opening import check_regular, open_regular

RIFF_HEADER_BYTES = 8
UNKNOWN_SIZES = (0, 0xFFFFFFFF)
"""Sizes in a RIFF header that mean "unknown": programs that stream write them."""

SMALLEST_SHARE = 0.9
"""Least share of the frames promised by the header. Some writers count dropped frames; a clip that lacks
more is damaged in its middle, so its centre and apex would shift."""

# OpenCV reads it when it opens the first clip. Without it FFmpeg prints its own diagnostics next to ours.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")


class Clip:
    """An open clip (AVI). Frames are numbered from 0."""

    def __init__(self, path: Path) -> None:
        """Raises UserError if `path` is missing, empty, truncated or not a video."""
        self.path = path
        self._capture: Any = None
        self._open()

    def _open(self) -> None:
        import cv2

        self.close()
        check_regular(self.path, remedy=RESTORE)
        size_bytes = self.path.stat().st_size
        if not size_bytes:
            raise UserError(
                f"the clip {self.path} is empty (0 bytes); restore it from your copy of the data set."
            )
        _check_whole(self.path, size_bytes)
        # OpenCV prints a warning of its own for a file that is not a video; ours says more.
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = cv2.VideoCapture(str(self.path.resolve()), cv2.CAP_FFMPEG)
        cv2.utils.logging.setLogLevel(level)
        self._taken = 0
        if not self._capture.isOpened():
            raise UserError(
                f"the clip {self.path} cannot be opened as a video; "
                "restore it from your copy of the data set."
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        import cv2

        return int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(
            self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        )

    def count(self) -> int:
        """Number of frames that can be decoded; the header may promise a few more.

        Raises UserError if more are missing than SMALLEST_SHARE allows.
        """
        import cv2

        while self._capture.grab():
            self._taken += 1
        promised = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        if self._taken < SMALLEST_SHARE * promised:
            raise UserError(
                f"the clip {self.path} is damaged: of {promised:.0f} frames {self._taken} can be read; "
                "restore it from your copy of the data set."
            )
        return self._taken

    def read(self, frame: int) -> np.ndarray:
        """Frame number `frame`, uint8 (H, W, 3), RGB. Raises UserError if the clip ends before it."""
        import cv2

        if frame < self._taken:
            self._open()
        while self._taken <= frame and self._capture.grab():
            self._taken += 1
        image = self._capture.retrieve()[1] if self._taken == frame + 1 else None
        if image is None:
            raise UserError(
                f"the clip {self.path} breaks off before frame {frame}; "
                "restore it from your copy of the data set."
            )
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()


def _check_whole(path: Path, size_bytes: int) -> None:
    """Raises UserError if an AVI's header promises more bytes than the file has."""
    with open_regular(path, remedy=RESTORE) as file:
        header = file.read(RIFF_HEADER_BYTES)
    promised = int.from_bytes(header[4:], "little")
    if header[:4] == b"RIFF" and promised not in UNKNOWN_SIZES and promised + len(header) > size_bytes:
        raise UserError(
            f"the clip {path} is cut short: it has {size_bytes:,} of {promised + len(header):,} bytes; "
            "restore it from your copy of the data set."
        )
