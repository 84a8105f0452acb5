"""MMI in its native layout (METHODS §6): `Sessions/<id>/` with a clip and its XML.

Clips run neutral, apex, neutral. Wanted frames are the paper's: three around the centre of each
clip with one of the six labels, and one neutral face a subject, the first frame of its first
such clip. Frames are counted from 1. A first version: frontal single-view clips, landmarks by CSV.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from datasets.records import DatasetDescription, FrameRecord, Role
from datasets.sources import found_in, read_text, require_folder, source_path, visible_names
from platform.errors import UserError

DATASET = DatasetDescription(
    name="mmi",
    title="MMI",
    request_from=(
        "MMI is requested at the MMI Facial Expression Database's site, https://mmifacedb.eu/, "
        "by signing its licence."
    ),
    native_layout="Sessions/<id>/S001-100.avi and Sessions/<id>/S001-100.xml",
)

PAPER_IMAGE_COUNTS = {
    "anger": 99,
    "disgust": 96,
    "fear": 84,
    "happiness": 126,
    "sadness": 96,
    "surprise": 123,
}
"""Expressive images of each class in the paper's experiments (METHODS §1): 208 clips. Which of the
213 labelled ones were left out follows no stated rule; this adapter takes all it can read."""

EXPRESSION_OF_CODE = {1: "anger", 2: "disgust", 3: "fear", 4: "happiness", 5: "sadness", 6: "surprise"}
"""Clips with other codes, or with none (action units only), are not wanted."""

WIDEST_SINGLE_VIEW = 1.6
"""Width over height above which a clip is taken for a dual view (frontal and profile side by side).
One PAL view is 1.25; two are 2.5, or at least 1.67 where each is a portrait."""

FEWEST_FRAMES = 5
"""So that the three frames around the centre leave out the first, the neutral one."""

_CLIP_NAME = re.compile(r"^(?P<subject>S\d+)-(?P<number>\d+)\.avi$", re.IGNORECASE)


def read_records(root: Path) -> list[FrameRecord]:
    """Three expressive frames a labelled clip and one neutral frame a subject; no landmarks.

    Raises UserError that names the clip or file at fault and what to do about it.
    """
    require_folder(root)
    if not (root / "Sessions").is_dir():
        raise UserError(
            f"{root} is not a folder in MMI's layout: expected Sessions/, found {found_in(root)}; "
            "pass --source the folder that holds Sessions."
        )
    clips = sorted(_labelled_clips(root))
    if not clips:
        raise UserError(
            f"{root / 'Sessions'} holds no clip (*.avi) whose XML carries one of the emotion codes 1 to 6; "
            "download MMI's sessions with the six basic emotions there."
        )
    records: list[FrameRecord] = []
    subjects: set[str] = set()
    previous = ""
    for subject, sequence, source, expression in clips:
        if sequence == previous:
            raise UserError(
                f"the clip {sequence} lies in two session folders, one of them {source}; keep one."
            )
        previous = sequence
        centre = (_count_frames(root, source) + 1) // 2
        wanted: list[tuple[int, str, Role]] = [
            (centre + step, expression, "expressive") for step in (-1, 0, 1)
        ]
        if subject not in subjects:
            subjects.add(subject)
            wanted.insert(0, (1, "neutral", "neutral"))
        records += [
            FrameRecord(
                subject_id=subject, sequence_id=sequence, frame=frame, expression=shown,
                role=role, source=source, landmarks=None,
            )
            for frame, shown, role in wanted
        ]  # fmt: skip
    return records


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """Frame number `record.frame`, counted from 1, of its clip; uint8 (H, W, 3), RGB."""
    path = source_path(root, record.source)
    state = path.stat()
    return _open_clip(str(path.resolve()), state.st_size, state.st_mtime_ns).read(record.frame)


def _labelled_clips(root: Path) -> Iterator[tuple[str, str, str, str]]:
    """(subject, sequence, source, expression) of each clip with one of the six labels."""
    for session in visible_names(root / "Sessions"):
        folder = root / "Sessions" / session
        if not folder.is_dir():
            continue
        for name in visible_names(folder):
            if not name.lower().endswith(".avi"):
                continue
            match = _CLIP_NAME.match(name)
            if match is None:
                raise UserError(
                    f"the clip {folder / name} is not named like S001-100.avi; rename it or move it away."
                )
            xml = f"Sessions/{session}/{Path(name).stem}.xml"
            if not (root / xml).is_file():
                raise UserError(
                    f"the clip {folder / name} lacks its labels, {Path(xml).name} beside it; "
                    "restore that file."
                )
            expression = _read_label(source_path(root, xml))
            if expression:
                subject = match["subject"].upper()
                yield subject, f"{subject}_{match['number']}", f"Sessions/{session}/{name}", expression


def _read_label(path: Path) -> str | None:
    """The expression that a clip's XML names, None where it names none of the six."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        tree = fromstring(read_text(path).encode())
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise UserError(
            f"{path} is not well-formed XML ({error}); restore it from your copy of MMI."
        ) from error
    values = {
        (element.get("Value") or "").strip()
        for element in tree.iter()
        if str(element.tag).rpartition("}")[2] == "Metatag" and element.get("Name") == "Emotion"
    }
    if len(values) > 1:
        raise UserError(
            f"{path} names conflicting emotions ({', '.join(sorted(values))}); keep the right Metatag."
        )
    for value in values:
        if not value.isdecimal():
            raise UserError(
                f"{path} names the emotion {value!r}, not a number; "
                f"1 to 6 are {', '.join(EXPRESSION_OF_CODE.values())}."
            )
        return EXPRESSION_OF_CODE.get(int(value))
    return None


def _count_frames(root: Path, source: str) -> int:
    """Frames that the clip really holds (its header may promise others), after a look at its view."""
    clip = _Clip(str(source_path(root, source).resolve()))
    try:
        width, height = clip.size
        if width > WIDEST_SINGLE_VIEW * height:
            raise UserError(
                f"the clip {root / source} is {width}×{height} pixels, wider than {WIDEST_SINGLE_VIEW}:1, "
                "so it looks like a dual view (frontal and profile), which is not read yet; "
                "crop it to the frontal view, or move its session away."
            )
        count = clip.count()
    finally:
        clip.close()
    if count < FEWEST_FRAMES:
        raise UserError(
            f"the clip {root / source} has {count} frames, but {FEWEST_FRAMES} are needed; restore it."
        )
    return count


class _Clip:
    """A clip read forwards, frame by frame: seeking in compressed clips is not exact."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._capture: Any = None
        self._open()

    def _open(self) -> None:
        import cv2

        self.close()
        # OpenCV prints a warning of its own where a file is no video; ours says more.
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        self._capture = cv2.VideoCapture(self.path, cv2.CAP_FFMPEG)
        cv2.utils.logging.setLogLevel(level)
        self._taken = 0
        if not self._capture.isOpened():
            raise UserError(
                f"the clip {self.path} cannot be opened as a video; restore it from your copy of MMI."
            )

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, pixels."""
        import cv2

        return int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(
            self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)
        )

    def count(self) -> int:
        """Frames from here to the end, which are then passed."""
        count = 0
        while self._capture.grab():
            count += 1
        return count

    def read(self, frame: int) -> np.ndarray:
        """Frame number `frame`, counted from 1; uint8 (H, W, 3), RGB."""
        import cv2

        if frame <= self._taken:
            self._open()
        while self._taken < frame and self._capture.grab():
            self._taken += 1
        image = self._capture.retrieve()[1] if self._taken == frame else None
        if image is None:
            raise UserError(
                f"the clip {self.path} breaks off before frame {frame}; restore it from your copy of MMI."
            )
        return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)

    def close(self) -> None:
        """Release the file."""
        if self._capture is not None:
            self._capture.release()


@lru_cache(maxsize=1)
def _open_clip(path: str, size_bytes: int, modified_nanoseconds: int) -> _Clip:
    """The clip last read from, kept open, because its frames are asked for one after the other."""
    return _Clip(path)
