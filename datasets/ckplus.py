"""CK+ in its native layout (docs/methods.md, §6): image sequences, emotion labels, 68 landmarks.

The adapter selects the paper's frames: the last three of each labelled sequence, which ends at the apex,
and one neutral face per subject, the first frame of its first labelled sequence.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from datasets.alignment.similarity import five_points_from_68
from datasets.raw.accounting import IMAGE_LIKE, TEXT_LIKE, FileKind, Layout, account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.frame_selection import check_all_found, check_no_gap, wanted_frames
from datasets.raw.near_names import nearest
from datasets.raw.sources import found_in, read_image, read_text, require_folder, source_path, visible_names
from datasets.raw.subject_names import check_spelling
from datasets.records import DatasetDescription, FrameRecord
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
    course="to_apex",
)

PAPER_IMAGE_COUNTS = {
    "anger": 135, "contempt": 54, "disgust": 177, "fear": 75,
    "happiness": 207, "sadness": 84, "surprise": 249,
}  # fmt: skip
"""Expressive images per class in the paper's experiments (docs/methods.md, §1)."""

EXPRESSION_OF_CODE = {
    1: "anger", 2: "contempt", 3: "disgust", 4: "fear", 5: "happiness", 6: "sadness", 7: "surprise",
}  # fmt: skip
"""Code 0 means neutral, but no sequence of CK+ has it: sequences are labelled by their apex."""

EXPRESSIVE_FRAMES = 3
"""Number of frames taken from the end of each labelled sequence."""

FIRST_FRAME = 1
"""First frame number in all 593 sequences; the frames of FMPN's lists are consecutive."""

LAYOUT = Layout(
    title=DATASET.title,
    tops=(IMAGES, LABELS, LANDMARKS),
    top_names=(IMAGES, LABELS, LANDMARKS),
    kinds=(
        FileKind(
            what="frame",
            folder=rf"{IMAGES}/[^/]+/[^/]+",
            name=r"S\d+_\d+_\d+\.png",
            elsewhere=r"S\d+_\d+_\d+\.png",
            example=f"{IMAGES}/S005/001/S005_001_00000001.png",
            suspect=IMAGE_LIKE,
        ),
        FileKind(
            what="label",
            folder=rf"{LABELS}/[^/]+/[^/]+",
            name=r"S\d+_\d+_\d+_emotion\.txt",
            elsewhere=r"S\d+_\d+_\d+_emotion\.txt",
            example=f"{LABELS}/S005/001/S005_001_00000011_emotion.txt",
            suspect=TEXT_LIKE,
        ),
        FileKind(
            what="landmark file",
            folder=rf"{LANDMARKS}/[^/]+/[^/]+",
            name=r"S\d+_\d+_\d+_landmarks\.txt",
            elsewhere=r"S\d+_\d+_\d+_landmarks\.txt",
            example=f"{LANDMARKS}/S005/001/S005_001_00000001_landmarks.txt",
            suspect=TEXT_LIKE,
        ),
    ),
    beside=(r"FACS(_labels)?",),
)

_LABEL_NAME = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d+)_emotion\.txt$", re.IGNORECASE)
_FRAME_NAME = re.compile(r"^(?P<sequence>.+)_(?P<frame>\d+)\.png$", re.IGNORECASE)


def label_codes(root: Path) -> Counter[str]:
    """Number of sequences per label code, as written in the files; `none` for unlabelled ones."""
    counts: Counter[str] = Counter()
    for subject in visible_names(root / LABELS):
        for number in visible_names(root / LABELS / subject) if (root / LABELS / subject).is_dir() else ():
            folder = root / LABELS / subject / number
            files = [folder / name for name in _label_files(folder)]
            counts.update([" ".join(read_text(path).split()) for path in files] or ["none"])
    return counts


def recognises(root: Path) -> bool:
    """Whether `root` has CK+'s layout, judged by its folders and a few file names."""
    return (root / "cohn-kanade-images").is_dir() and (root / "Emotion").is_dir()


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """The expressive frames of all labelled sequences and one neutral frame per subject.

    `landmarks` is None for all frames if `root` has no Landmarks folder. Raises UserError that names the
    invalid file or folder and the remedy; `bad` may leave sequences out instead.
    """
    choices.refuse(DATASET.title, "per_class", "draw_seed")
    bad = bad or BadItems()
    _check_layout(root)
    account_for(root, LAYOUT, bad)
    labels = _read_labels(root, bad)
    if not labels:
        raise UserError(
            f"{root / LABELS} labels no sequence: no folder in it holds a file *_emotion.txt; "
            "unpack CK+'s emotion labels there."
        )
    check_spelling({subject for subject, _ in labels}, root / LABELS)
    labels = _with_images(root, labels, bad)
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
    """The selected frames of one labelled sequence, in order."""
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
            landmarks=(
                five_points_from_68(_read_landmarks(root, folder, frames[frame])) if has_landmarks else None
            ),
        )
        for frame, role in wanted
    ]


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The frame's image, uint8 (H, W, 3), RGB; gray frames get three equal channels."""
    return read_image(source_path(root, record.source))


def dense_landmarks(root: Path, record: FrameRecord) -> np.ndarray | None:
    """The frame's 68 landmarks, float64 (68, 2), in its pixels; None if `root` has no Landmarks folder.

    Raises UserError if that folder lacks the frame.
    """
    if not (root / LANDMARKS).is_dir():
        return None
    folder, name = record.source.removeprefix(f"{IMAGES}/").rsplit("/", 1)
    return _read_landmarks(root, folder, name)


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
    """The expression of each labelled sequence, by (subject, number), sorted.

    Empty folders belong to sequences that the data set does not label.
    """
    labels = {}
    for subject in visible_names(root / LABELS):
        if not (root / LABELS / subject).is_dir():
            continue
        for number in visible_names(root / LABELS / subject):
            folder = root / LABELS / subject / number
            files = _label_files(folder)
            with bad.guard(f"{LABELS}/{subject}/{number}"):
                if len(files) > 1:
                    raise UserError(
                        f"{folder} holds {len(files)} labels ({', '.join(files)}); keep the right one."
                    )
                if files and not files[0].lower().startswith(f"{subject}_{number}_".lower()):
                    raise UserError(
                        f"{folder / files[0]} is named after another sequence than its folder; "
                        "move it to its own."
                    )
                if files:
                    labels[subject, number] = _read_label(root, f"{LABELS}/{subject}/{number}/{files[0]}")
    return labels


def _label_files(folder: Path) -> list[str]:
    """Names of the label files in a sequence's folder; empty if `folder` is not a folder."""
    return [name for name in visible_names(folder) if _LABEL_NAME.match(name)] if folder.is_dir() else []


def _with_images(
    root: Path, labels: Mapping[tuple[str, str], str], bad: BadItems
) -> dict[tuple[str, str], str]:
    """The `labels` of sequences that have images. Raises UserError for the others, with their number."""
    absent = [key for key in labels if not (root / IMAGES / "/".join(key)).is_dir()]
    if absent:
        subject, first = absent[0][0], "/".join(absent[0])
        near = nearest(subject, visible_names(root / IMAGES))
        hint = f" ({IMAGES} holds {near}: rename it)" if near not in (None, subject) else ""
        bad.leave_out_all(
            [
                (f"{one}/{two}", f"the sequence is labelled, but {IMAGES}/{one}/{two} is missing")
                for one, two in absent
            ],
            f"{root / LABELS / first} labels a sequence, but its folder {root / IMAGES / first} is missing"
            f"{hint}, as for {len(absent)} of the {len(labels)} labelled sequences; restore them",
        )
    return {key: expression for key, expression in labels.items() if key not in absent}


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
    """File names of a sequence's frames, by frame number.

    Raises UserError if a frame is missing that would change the selection: the first, the one in the label
    file's name, or one of the last.
    """
    folder = root / IMAGES / subject / number
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
    labelled = {int(match["frame"]) for name in _label_files(root / LABELS / subject / number)
                if (match := _LABEL_NAME.match(name))}  # fmt: skip
    check_no_gap(folder, frames, EXPRESSIVE_FRAMES, FIRST_FRAME, labelled)
    return frames


def _read_landmarks(root: Path, folder: str, frame_name: str) -> np.ndarray:
    """The frame's 68 landmarks, float64 (68, 2), pixels."""
    wanted = f"{Path(frame_name).stem}_landmarks.txt"
    if not (root / LANDMARKS / folder / wanted).is_file() and (root / LANDMARKS / folder).is_dir():
        others = visible_names(root / LANDMARKS / folder)
        wanted = next((name for name in others if name.lower() == wanted.lower()), wanted)
    path = source_path(root, f"{LANDMARKS}/{folder}/{wanted}")
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
    return np.array(values).reshape(68, 2)
