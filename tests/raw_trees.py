"""Tiny raw data sets, drawn into folders in the native layouts, for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

CKPLUS_CODES = {
    "anger": 1, "contempt": 2, "disgust": 3, "fear": 4, "happiness": 5, "sadness": 6, "surprise": 7,
}  # fmt: skip
FACE = np.array([[60.0, 50.0], [110.0, 48.0], [86.0, 78.0], [66.0, 100.0], [107.0, 99.0]])
"""Five points of the drawn face, pixels, in a frame of 160 × 140."""


def face_points(shift: float) -> np.ndarray:
    """The drawn face's five points, float64 (5, 2), moved by `shift` pixels."""
    return FACE + (shift, shift / 2)


def draw_face(points: np.ndarray, mouth: int) -> np.ndarray:
    """A gray drawing, uint8 (140, 160), with marks at the five points and a mouth `mouth` pixels high."""
    image = np.full((140, 160), 40, dtype=np.uint8)
    centre = tuple(int(value) for value in points.mean(axis=0))
    cv2.ellipse(image, centre, (45, 58), 0, 0, 360, 170, -1)
    for x, y in points[:3].round().astype(int).tolist():
        cv2.circle(image, (x, y), 4, 30, -1)
    left, right = points[3:].round().astype(int)
    cv2.ellipse(image, (int((left[0] + right[0]) // 2), int(left[1])), (20, mouth), 0, 0, 360, 90, -1)
    return image


def points_68(points: np.ndarray) -> np.ndarray:
    """68 points, float64 (68, 2), whose eyes' means, nose tip and mouth corners are `points`."""
    all_points = np.tile(points.mean(axis=0), (68, 1))
    ring = np.array([[np.cos(angle), np.sin(angle)] for angle in np.arange(6) * np.pi / 3]) * 5
    all_points[36:42], all_points[42:48] = points[0] + ring, points[1] + ring
    all_points[30], all_points[48], all_points[54] = points[2:]
    return all_points


def write_ckplus(root: Path, sequences: dict[str, str | None], frame_count: int = 5) -> Path:
    """A CK+ tree: each sequence (`S005_001`) with its expression, or None where it is unlabelled."""
    for index, (sequence, expression) in enumerate(sequences.items()):
        folder = "/".join(sequence.split("_"))
        for part in ("cohn-kanade-images", "Emotion", "Landmarks"):
            (root / part / folder).mkdir(parents=True)
        for frame in range(1, frame_count + 1):
            name = f"{sequence}_{frame:08d}"
            points = face_points(index + frame / 2)
            image = draw_face(points, mouth=1 + 2 * frame)
            assert cv2.imwrite(str(root / "cohn-kanade-images" / folder / f"{name}.png"), image)
            lines = "\n".join(f"   {x:.7e}   {y:.7e}" for x, y in points_68(points).tolist())
            (root / "Landmarks" / folder / f"{name}_landmarks.txt").write_text(lines + "\n")
        if expression is not None:
            label = root / "Emotion" / folder / f"{sequence}_{frame_count:08d}_emotion.txt"
            label.write_text(f"   {CKPLUS_CODES[expression]:.7e}\n")
    return root


def write_mmi(root: Path, clips: dict[str, int | None], frame_count: int = 9, width: int = 160) -> Path:
    """An MMI tree: each clip (`S001-100`) with its emotion code, or None where it has no such tag.

    Frame n, counted from 1, is of one gray: 20 n.
    """
    for session, (clip, code) in enumerate(clips.items(), start=1):
        folder = root / "Sessions" / str(session)
        folder.mkdir(parents=True)
        write_clip(folder / f"{clip}.avi", frame_count, width)
        tag = "" if code is None else f'<Metatag Name="Emotion" Value="{code}"/>'
        (folder / f"{clip}.xml").write_text(
            f'<?xml version="1.0" encoding="utf-8"?>\n<ActionUnitCodedVideo>{tag}</ActionUnitCodedVideo>\n'
        )
        (folder / "session.xml").write_text("<Session/>\n")
    return root


def write_clip(path: Path, frame_count: int, width: int = 160) -> None:
    """A motion-JPEG AVI of `frame_count` plain frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 24.0, (width, 140))
    assert writer.isOpened()
    for frame in range(1, frame_count + 1):
        writer.write(np.full((140, width, 3), 20 * frame, dtype=np.uint8))
    writer.release()


def write_landmarks(path: Path, image_names: list[str]) -> Path:
    """A CSV of the drawn face's points for each image."""
    points = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    header = ",".join(["image", *(f"{point}_{axis}" for point in points for axis in "xy")])
    values = ",".join(str(value) for value in FACE.ravel().tolist())
    path.write_text("\n".join([header, *(f"{name},{values}" for name in image_names)]) + "\n")
    return path
