"""MMI's native layout (docs/methods.md, §6): one folder per session, with a clip and its XML.

Clips run from neutral to apex and back, in frames wider than tall, like MMI's. Their view alternates by
subject: one upright view; two views side by side, with the frontal one on the right or on the left; one view
filmed with a rotated camera. Subjects have the names of MMI's subjects of that kind. If those run out they
have other names, and lines in `orientation.csv`. MMI has no landmarks; those of the synthetic faces are in
`landmarks.csv`, for `--landmarks`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from datasets.alignment.similarity import five_points_from_68
from datasets.mmi import EXPRESSION_OF_CODE, SESSIONS
from datasets.mmi_views import COLUMNS, ORIENTATIONS, VIEW_OF_SUBJECT, View
from datasets.raw import landmarks
from datasets.synthetic.frames import draw_frame
from datasets.synthetic.layouts import Row, everyones_sequences
from datasets.synthetic.parameters import SetParameters
from datasets.synthetic.performance import EXPRESSIONS
from datasets.synthetic.randomness import generator

DATASET = "mmi"
LANDMARKS = "landmarks.csv"
CONTENTS = (SESSIONS, ORIENTATIONS, LANDMARKS)
CODE_OF_EXPRESSION = {name: code for code, name in EXPRESSION_OF_CODE.items()} | {"contempt": 8}
"""MMI has no contempt; code 8 is an emotion that its adapter ignores, like others of MMI's."""
UNLABELLED_EVERY = 5
"""One of this many subjects has an eighth clip that shows action units without emotion."""
FRAMES_PER_SECOND = 24.0

VIEWS = (View(0, "whole", ""), View(0, "right", ""), View(0, "left", ""), View(90, "whole", ""))
"""Kinds of views; subject n has kind n mod 4."""
FIRST_OTHER_NUMBER, FIRST_WILD_NUMBER = 101, 601


def subject_view(subject: int) -> View:
    """The view in the clips of a subject."""
    return VIEWS[subject % len(VIEWS)]


def subject_name(parameters: SetParameters, subject: int) -> str:
    """The name of an MMI subject with that kind of view, or a name that does not occur in MMI."""
    if parameters.in_the_wild:
        return f"S{FIRST_WILD_NUMBER + subject}"
    kind, place = subject_view(subject), subject // len(VIEWS)
    alike = [
        name
        for name, view in VIEW_OF_SUBJECT.items()
        if (view.rotation_degrees, view.part) == (kind.rotation_degrees, kind.part)
    ]
    return alike[place] if place < len(alike) else f"S{FIRST_OTHER_NUMBER + subject}"


def places(parameters: SetParameters) -> list[tuple[int, int]]:
    """The seven expressions of every subject, contempt under another code, and the unlabelled clips of
    some."""
    return everyones_sequences(parameters, UNLABELLED_EVERY)


def frames_a_place(parameters: SetParameters) -> int:
    """The frames from neutral to apex; the way back repeats them."""
    return parameters.frames


def write_sequence(root: Path, parameters: SetParameters, subject: int, sequence: int) -> list[Row]:
    """Write the session of one clip; returns the lines of `landmarks.csv` for its frames."""
    number = subject * (len(EXPRESSIONS) + 1) + sequence + 1
    folder = root / SESSIONS / str(number)
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{subject_name(parameters, subject)}-{sequence + 100}"
    frames, points = _clip_frames(parameters, subject, sequence)
    _write_clip(folder / f"{name}.avi", frames)
    emotion = ""
    if sequence < len(EXPRESSIONS):
        emotion = f'  <Metatag Name="Emotion" Value="{CODE_OF_EXPRESSION[EXPRESSIONS[sequence]]}" />\n'
    (folder / f"{name}.xml").write_text(
        '<?xml version="1.0" encoding="utf-8"?>\n<ActionUnitCodedVideo>\n'
        f'  <Metatag Name="Clip" Value="{name}" />\n{emotion}</ActionUnitCodedVideo>\n',
        encoding="ascii",
    )
    (folder / "session.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<session sessionId="{number}" />\n', encoding="ascii"
    )
    stem = name.replace("-", "_")
    return [
        [f"{stem}_{frame:03d}.png", *(f"{value:.4f}" for value in five_points_from_68(some).ravel())]
        for frame, some in enumerate(points)
    ]


def finish(root: Path, parameters: SetParameters, rows: list[Row]) -> None:
    """Write `landmarks.csv`, and `orientation.csv` if a subject's name does not determine its view."""
    lines = [",".join(row) + "\n" for row in (list(landmarks.COLUMNS), *rows)]
    (root / LANDMARKS).write_text("".join(lines), encoding="ascii")
    names = [subject_name(parameters, subject) for subject in range(parameters.subjects)]
    lines = [
        f"{name},{subject_view(subject).rotation_degrees},{subject_view(subject).part}\n"
        for subject, name in enumerate(names)
        if name not in VIEW_OF_SUBJECT
    ]
    if lines:
        (root / ORIENTATIONS).write_text(f"{','.join(COLUMNS)}\n{''.join(lines)}", encoding="ascii")


def _clip_frames(
    parameters: SetParameters, subject: int, sequence: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """2 n - 1 frames up to the apex and back, uint8 (H, W, 3), wider than tall; and their landmarks, float64
    (68, 2), in pixels of the frontal view."""
    drawn = [draw_frame(parameters, subject, sequence, frame) for frame in range(parameters.frames)]
    there = [picture for picture, _ in drawn]
    back = [
        _taken_again(picture, generator(parameters.seed, subject, 12, sequence, frame))
        for frame, picture in enumerate(there[:-1])
    ]
    view = subject_view(subject)
    top, left = (more // 2 for more in _margins(parameters.size_pixels, view))
    points = [points + (left, top) for _, points in drawn]
    return [as_filmed(picture, view) for picture in there + back[::-1]], points + points[-2::-1]


def clip_landmarks(parameters: SetParameters, sequence_id: str, frame: int) -> np.ndarray:
    """The landmarks of frame number `frame` of a drawn clip, float64 (68, 2), pixels of the frontal view."""
    subject, sequence = _drawn_clips(parameters)[sequence_id]
    there = min(frame, 2 * (parameters.frames - 1) - frame)
    return _drawn_landmarks(parameters, subject, sequence, there).copy()


@lru_cache(maxsize=1)
def _drawn_clips(parameters: SetParameters) -> dict[str, tuple[int, int]]:
    """(subject, sequence) of every clip, by its name."""
    return {
        f"{subject_name(parameters, subject)}_{sequence + 100}": (subject, sequence)
        for subject, sequence in places(parameters)
    }


@lru_cache(maxsize=64)
def _drawn_landmarks(parameters: SetParameters, subject: int, sequence: int, frame: int) -> np.ndarray:
    """Cached, because the way back shows the frames of the way there."""
    points = draw_frame(parameters, subject, sequence, frame)[1]
    top, left = (more // 2 for more in _margins(parameters.size_pixels, subject_view(subject)))
    return points + (left, top)


def _taken_again(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """The image with different noise: no camera takes the same frame twice."""
    noise = random.integers(-2, 3, picture.shape[:2], dtype=np.int16)
    return np.clip(picture + noise[..., None], 0, 255).astype(np.uint8)


def _margins(side: int, view: View) -> tuple[int, int]:
    """Pixels by which the frontal view is taller and wider than a drawn image, such that sizes are even and
    the whole frame has an aspect ratio of about 5 : 4."""
    if view.part != "whole":
        return round(side * 0.6) // 2 * 2 + side % 2, side % 2
    longer = side // 8 * 2 + side % 2
    return (longer, side % 2) if view.rotation_degrees else (side % 2, longer)


def as_filmed(picture: np.ndarray, view: View) -> np.ndarray:
    """The frame that shows `picture` (S, S, 3) in `view`, with the wall extended around it."""
    height, width = _margins(picture.shape[0], view)
    top, left = height // 2, width // 2
    shown = cv2.copyMakeBorder(picture, top, height - top, left, width - left, cv2.BORDER_REPLICATE)
    if view.part == "whole":
        return np.rot90(shown, view.rotation_degrees // 90)
    views = [shown, _from_the_side(shown)]
    return np.concatenate(views if view.part == "left" else views[::-1], axis=1)


def _from_the_side(picture: np.ndarray) -> np.ndarray:
    """A rough imitation of a mirror at the subject's side: one half of the face is wide, the other narrow at
    the edge of the frame."""
    width = picture.shape[1]
    columns = (np.arange(width) + 0.5) / width
    return picture[:, (columns**2.5 * width).astype(int)]


def _write_clip(path: Path, frames: list[np.ndarray]) -> None:
    """Write a motion-JPEG AVI with OpenCV's own writer, because FFmpeg's stores its version."""
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), cv2.CAP_OPENCV_MJPEG, codec, FRAMES_PER_SECOND, (width, height))
    if not writer.isOpened():
        raise RuntimeError(f"OpenCV cannot write the clip {path}")
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
    writer.release()
