"""CK+ in its native layout (METHODS §6): image sequences, emotion labels, 68 landmarks.

Wanted frames are the paper's: the last three of each labelled sequence, which end at the apex,
and one neutral face a subject, the first frame of its first labelled sequence.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path

import numpy as np

from datasets.alignment import five_points_from_68
from datasets.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.frame_selection import check_all_found, wanted_frames
from datasets.records import DatasetDescription, FrameRecord
from datasets.sources import found_in, read_image, read_text, require_folder, source_path, visible_names
from datasets.subject_names import check_spelling
from platform.errors import UserError

IMAGES, LABELS, LANDMARKS = "cohn-kanade-images", "Emotion", "Landmarks"

DATASET = DatasetDescription(
    name="ckplus",
    title="CK+",
    request_from=(
        "CK+ is requested from Jeffrey Cohn's group at the University of Pittsburgh, "
        "by the agreement form linked at https://www.jeffcohn.net/resources/."
    ),
    native_layout=(
        f"{IMAGES}/S005/001/S005_001_00000001.png, "
        f"{LABELS}/S005/001/S005_001_00000011_emotion.txt, "
        f"{LANDMARKS}/S005/001/S005_001_00000001_landmarks.txt"
    ),
)

PAPER_IMAGE_COUNTS = {
    "anger": 135, "contempt": 54, "disgust": 177, "fear": 75,
    "happiness": 207, "sadness": 84, "surprise": 249,
}  # fmt: skip
"""Expressive images of each class in the paper's experiments (METHODS §1)."""

EXPRESSION_OF_CODE = {
    1: "anger", 2: "contempt", 3: "disgust", 4: "fear", 5: "happiness", 6: "sadness", 7: "surprise",
}  # fmt: skip
"""Code 0 means neutral, but no sequence of CK+ carries it: a sequence is labelled by its apex."""

EXPRESSIVE_FRAMES = 3
"""Taken from the end of each labelled sequence."""

_FRAME_NAME = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d+)\.png$", re.IGNORECASE)


def label_codes(root: Path) -> Counter[str]:
    """How many sequences carry each label code, as its file writes it; `none` for unlabelled ones."""
    counts: Counter[str] = Counter()
    for subject in visible_names(root / LABELS):
        for folder in (root / LABELS / subject).glob("*/"):
            files = sorted(folder.glob("*_emotion.txt"))
            counts.update([" ".join(read_text(path).split()) for path in files] or ["none"])
    return counts


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """The expressive frames of all labelled sequences and one neutral frame a subject.

    `landmarks` are None throughout where `root` has no Landmarks folder. Raises UserError that
    names the file or folder at fault and what to do about it; `bad` may leave sequences out instead.
    """
    choices.refuse(DATASET.title, "per_class", "draw_seed")
    bad = bad or BadItems()
    _check_layout(root)
    labels = _read_labels(root, bad)
    if not labels:
        raise UserError(
            f"{root / LABELS} labels no sequence: no folder in it holds a file *_emotion.txt; "
            "unpack CK+'s emotion labels there."
        )
    check_spelling({subject for subject, _ in labels}, root / LABELS)
    records: list[FrameRecord] = []
    subjects: set[str] = set()
    for (subject, number), expression in labels.items():
        with bad.guard(f"{subject}/{number}"):
            records += _sequence_records(root, subject, number, expression, choices, subject not in subjects)
            subjects.add(subject)
    check_all_found(choices, records, root, bad)
    return records


def _sequence_records(
    root: Path, subject: str, number: str, expression: str, choices: Choices, with_neutral: bool
) -> list[FrameRecord]:
    """The wanted frames of one labelled sequence, in their order."""
    frames = _frame_names(root, subject, number)
    sequence, folder = f"{subject}_{number}", f"{subject}/{number}"
    wanted = wanted_frames(
        sequence, sorted(frames), sorted(frames)[-EXPRESSIVE_FRAMES:], min(frames), choices, with_neutral
    )
    has_landmarks = (root / LANDMARKS).is_dir()
    return [
        FrameRecord(
            subject_id=subject,
            sequence_id=sequence,
            frame=frame,
            expression="neutral" if role == "neutral" else expression,
            role=role,
            source=f"{IMAGES}/{folder}/{frames[frame]}",
            landmarks=_read_landmarks(root, folder, frames[frame]) if has_landmarks else None,
        )
        for frame, role in wanted
    ]


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The frame's image, uint8 (H, W, 3), RGB; gray frames have three equal channels."""
    return read_image(source_path(root, record.source))


def _check_layout(root: Path) -> None:
    require_folder(root)
    if (root / IMAGES).is_dir() and (root / LABELS).is_dir():
        return
    inside = [name for name in visible_names(root) if (root / name / IMAGES).is_dir()]
    remedy = f"pass --source {root / inside[0]}" if inside else "pass --source the folder that holds these"
    raise UserError(
        f"{root} is not a folder in CK+'s layout: expected {IMAGES}/, {LABELS}/ and {LANDMARKS}/, "
        f"found {found_in(root)}; {remedy}."
    )


def _read_labels(root: Path, bad: BadItems) -> dict[tuple[str, str], str]:
    """The expression of each labelled sequence, by (subject, number), in their order.

    Empty folders are sequences that the data set leaves unlabelled.
    """
    labels = {}
    for subject in visible_names(root / LABELS):
        if not (root / LABELS / subject).is_dir():
            continue
        for number in visible_names(root / LABELS / subject):
            folder = root / LABELS / subject / number
            files = (
                [name for name in visible_names(folder) if name.endswith("_emotion.txt")]
                if folder.is_dir()
                else []
            )
            with bad.guard(f"{LABELS}/{subject}/{number}"):
                if len(files) > 1:
                    raise UserError(
                        f"{folder} holds {len(files)} labels ({', '.join(files)}); keep the right one."
                    )
                if files and not files[0].startswith(f"{subject}_{number}_"):
                    raise UserError(
                        f"{folder / files[0]} is named after another sequence than its folder; "
                        "move it to its own."
                    )
                if files:
                    labels[subject, number] = _read_label(root, f"{LABELS}/{subject}/{number}/{files[0]}")
    return labels


def _read_label(root: Path, source: str) -> str:
    path = source_path(root, source)
    text = read_text(path).strip()
    codes = ", ".join(f"{code} {name}" for code, name in EXPRESSION_OF_CODE.items())
    try:
        code = float(text)
    except ValueError:
        raise UserError(f"{path} holds {text[:40]!r}, not a number; the codes are {codes}.") from None
    if code not in EXPRESSION_OF_CODE:
        raise UserError(
            f"{path} holds the label code {text}, which labels no sequence; the codes are {codes}."
        )
    return EXPRESSION_OF_CODE[int(code)]


def _frame_names(root: Path, subject: str, number: str) -> dict[int, str]:
    """File names of a sequence's frames, by frame number."""
    folder = root / IMAGES / subject / number
    if not folder.is_dir():
        raise UserError(
            f"{root / LABELS / subject / number} labels a sequence, "
            f"but its folder {folder} is missing; restore it."
        )
    frames: dict[int, str] = {}
    for name in visible_names(folder):
        if not name.lower().endswith(".png"):
            continue
        match = _FRAME_NAME.match(name)
        if match is None or match["sequence"] != f"{subject}_{number}":
            raise UserError(
                f"{folder / name} is not named {subject}_{number}_<frame>.png, as its folder asks; "
                "rename it or move it away."
            )
        if int(match["frame"]) in frames:
            raise UserError(f"{folder} holds frame {int(match['frame'])} twice; keep the right one.")
        frames[int(match["frame"])] = name
    if len(frames) <= EXPRESSIVE_FRAMES:
        raise UserError(
            f"the labelled sequence {folder} has {len(frames)} frames (*.png), but at least "
            f"{EXPRESSIVE_FRAMES + 1} are needed, so that the first, neutral, is not one of the last "
            f"{EXPRESSIVE_FRAMES}; restore its frames, or remove its label."
        )
    return frames


def _read_landmarks(root: Path, folder: str, frame_name: str) -> np.ndarray:
    """Five points, float64 (5, 2), pixels, from the frame's 68."""
    path = source_path(root, f"{LANDMARKS}/{folder}/{Path(frame_name).stem}_landmarks.txt")
    if not path.is_file():
        raise UserError(
            f"the landmark file {path} of a wanted frame is missing; restore it, "
            f"or move the folder {LANDMARKS} away and pass --landmarks CSV."
        )
    try:
        values = [float(value) for value in read_text(path).split()]
    except ValueError as error:
        raise UserError(f"{path} holds what is not a number ({str(error)[:80]}); restore it.") from None
    if len(values) != 136 or not all(map(math.isfinite, values)):
        raise UserError(
            f"{path} must hold 68 points (136 finite numbers), but holds {len(values)} numbers; restore it."
        )
    return five_points_from_68(np.array(values).reshape(68, 2))
