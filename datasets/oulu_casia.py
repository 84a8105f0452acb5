"""Oulu-CASIA in its native layout (docs/methods.md, §6): cropped image sequences of six expressions.

The adapter reads the part that the usual protocol uses: visible light, strong illumination (VL, Strong). It
selects the last three frames of each sequence, which ends at the apex, and one neutral face per subject, the
first frame of its first sequence. The data set has no landmarks, and its crops are not aligned. Names may
differ in case, and the top folder may have several spellings.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

import numpy as np

from datasets.raw.accounting import IMAGE_LIKE, FileKind, Layout, account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.expression_names import meant_expression, unknown_expression
from datasets.raw.frame_selection import check_all_found, check_no_gap, wanted_frames
from datasets.raw.sources import (
    folder_names,
    found_in,
    read_image,
    require_folder,
    source_path,
    visible_names,
)
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError

IMAGES, LIGHT, ILLUMINATION = "PreProcess_Img", "VL_Acropped", "Strong"
TOP_FOLDERS = frozenset({"preprocess_img", "preprocessimg", "preprocess"})
"""Accepted spellings of IMAGES, in lower case."""

DATASET = DatasetDescription(
    name="oulu_casia",
    title="Oulu-CASIA",
    request_from=(
        "Oulu-CASIA is requested from Guoying Zhao's group at the Center for Machine Vision and Signal "
        "Analysis, University of Oulu, by its licence agreement."
    ),
    native_layout=f"{IMAGES}/{LIGHT}/{ILLUMINATION}/P001/Anger/000.jpeg",
    alignment_flag="--landmarks detect",
    course="to_apex",
)

EXPRESSION_OF_FOLDER = {
    "Anger": "anger", "Disgust": "disgust", "Fear": "fear", "Happiness": "happiness",
    "Sadness": "sadness", "Surprise": "surprise",
}  # fmt: skip

EXPRESSIVE_FRAMES = 3
"""Number of frames taken from the end of each sequence."""

_DATA = r"(?i:PreProcess(_?Img)?/VL_Acropped/Strong)"
LAYOUT = Layout(
    title=DATASET.title,
    tops=(r"(?i:PreProcess(_?Img)?)",),
    top_names=(IMAGES,),
    kinds=(
        FileKind(
            what="frame",
            folder=rf"{_DATA}/[^/]+/[^/]+",
            name=r"[^/]+\.jpe?g",
            example=f"{IMAGES}/{LIGHT}/{ILLUMINATION}/P001/Anger/000.jpeg",
            suspect=IMAGE_LIKE,
            elsewhere=r"\d+\.jpe?g",
        ),
    ),
    beside=(
        r"Original(_?Img)?",
        r"PreProcess(_?Img)?/NI_Acropped",
        r"PreProcess(_?Img)?/VL_Acropped/(Weak|Dark)",
    ),
)

_SUBJECT = re.compile(r"^P(\d+)$", re.IGNORECASE)
_IMAGE = re.compile(r"^(?P<stem>.*)\.jpe?g$", re.IGNORECASE)


def recognises(root: Path) -> bool:
    """Whether `root` has Oulu-CASIA's layout, judged by its folders and a few file names."""
    cropped = re.compile(r"(VL|NI)_Acropped", re.IGNORECASE)
    tops = folder_names(root)
    below = [f"{top}/{name}" for top in tops[:50] for name in folder_names(root / top)[:50]]
    return any(cropped.search(name) for name in (*tops, *below))


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """The expressive frames of all sequences and one neutral frame per subject; no landmarks.

    Raises UserError that names the invalid file or folder and the remedy; `bad` may leave that subject or
    sequence out instead.
    """
    choices.refuse(DATASET.title, "per_class", "draw_seed")
    bad = bad or BadItems()
    top = _find_top(root)
    account_for(root, LAYOUT, bad)
    first = _first_frame(root, top)
    records: list[FrameRecord] = []
    spellings: dict[int, str] = {}
    for name in visible_names(root / top):
        if not (root / top / name).is_dir():
            continue
        with bad.guard(f"{top}/{name}"):
            _check_subject(root / top / name, spellings)
            records += _subject_records(root, f"{top}/{name}", first, choices, bad)
    if not records:
        raise UserError(f"{root / top} holds no sequence; expected P001/Anger/000.jpeg and so on in it.")
    _check_expressions(root / top, spellings.values(), bad)
    check_all_found(choices, records, root, bad)
    return records


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The frame's image, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))


def _check_subject(folder: Path, spellings: dict[int, str]) -> None:
    """Raises UserError unless `folder` belongs to a new subject; adds it to `spellings`, by its number."""
    match = _SUBJECT.match(folder.name)
    if match is None:
        raise UserError(f"{folder} is not named like a subject, P001; rename it or move it away.")
    other = spellings.setdefault(int(match[1]), folder.name)
    if other != folder.name:
        raise UserError(
            f"{folder.parent} holds one subject under two spellings, {other} and {folder.name}; "
            "bring its sequences together under one."
        )


def _check_expressions(folder: Path, subjects: Collection[str], bad: BadItems) -> None:
    """Raises UserError if subjects lack some of the six expressions, with their number.

    Misspelled expression folders are reported where they are read.
    """
    absent = []
    for subject in subjects:
        there = {meant_expression(name) for name in visible_names(folder / subject)}
        absent += [f"{subject}/{shown}" for shown, name in EXPRESSION_OF_FOLDER.items() if name not in there]
    if absent:
        bad.leave_out_all(
            [(one, "this sequence of the subject is missing") for one in absent],
            f"{folder} lacks {len(absent)} of the {len(EXPRESSION_OF_FOLDER) * len(subjects)} sequences of "
            f"its {len(subjects)} subjects, the first being {absent[0]}; restore them",
        )


def _first_frame(root: Path, top: str) -> int:
    """The first frame number of sequences in this copy: the lowest of all."""
    numbers = [
        int(match["stem"])
        for subject in visible_names(root / top) if (root / top / subject).is_dir()
        for shown in visible_names(root / top / subject) if (root / top / subject / shown).is_dir()
        for name in visible_names(root / top / subject / shown)
        if (match := _IMAGE.match(name)) and match["stem"].isascii() and match["stem"].isdecimal()
    ]  # fmt: skip
    return min(numbers, default=0)


def _subject_records(
    root: Path, folder: str, first: int, choices: Choices, bad: BadItems
) -> list[FrameRecord]:
    """The selected frames of all sequences of the subject in `folder`."""
    records: list[FrameRecord] = []
    read: dict[str, str] = {}
    # The order of sequences must not depend on the case of their folders.
    for name in sorted(visible_names(root / folder), key=str.capitalize):
        if not (root / folder / name).is_dir():
            continue
        with bad.guard(f"{folder}/{name}"):
            shown = name.capitalize()
            if shown not in EXPRESSION_OF_FOLDER:
                raise UserError(
                    f"{root / folder}: {unknown_expression(name, EXPRESSION_OF_FOLDER)} "
                    "Rename that folder or move it away."
                )
            if shown in read:
                raise UserError(
                    f"{root / folder} holds {shown} under two spellings, {read[shown]} and {name}; keep one."
                )
            records += _sequence_records(
                root, f"{folder}/{name}", shown, first, choices, with_neutral=not read
            )
            read[shown] = name
    return records


def _sequence_records(
    root: Path, folder: str, shown: str, first: int, choices: Choices, with_neutral: bool
) -> list[FrameRecord]:
    """The selected frames of one sequence, in order."""
    frames = _frame_names(root / folder)
    check_no_gap(root / folder, frames, EXPRESSIVE_FRAMES, first)
    subject = folder.split("/")[-2].upper()
    sequence = f"{subject}_{shown}"
    last = sorted(frames)[-EXPRESSIVE_FRAMES:]
    wanted = wanted_frames(sequence, sorted(frames), last, min(frames), choices, with_neutral)
    return [
        FrameRecord(
            subject_id=subject,
            sequence_id=sequence,
            frame=frame,
            expression="neutral" if role == "neutral" else EXPRESSION_OF_FOLDER[shown],
            role=role,
            source=f"{folder}/{frames[frame]}",
            landmarks=None,
        )
        for frame, role in wanted
    ]


def _frame_names(folder: Path) -> dict[int, str]:
    """File names of a sequence's frames, by frame number."""
    frames: dict[int, str] = {}
    for name in visible_names(folder):
        match = _IMAGE.match(name)
        if match is None:
            continue
        if not (match["stem"].isascii() and match["stem"].isdecimal()):
            raise UserError(
                f"{folder / name} is not named by its frame's number, like 000.jpeg; rename or move it away."
            )
        number = int(match["stem"])
        if number in frames:
            raise UserError(
                f"{folder} holds frame {number} twice, {frames[number]} and {name}; keep the right one."
            )
        frames[number] = name
    if len(frames) <= EXPRESSIVE_FRAMES:
        raise UserError(
            f"the sequence {folder} has {len(frames)} frames (*.jpeg), but at least {EXPRESSIVE_FRAMES + 1} "
            f"are needed, so that the first, neutral, is not one of the last {EXPRESSIVE_FRAMES}; "
            "restore its frames, or move the sequence away."
        )
    return frames


def _find_top(root: Path) -> str:
    """The folder of the subjects, relative to `root`, as spelled on disk."""
    require_folder(root)
    top = _folder_named(root, TOP_FOLDERS)
    if top is None:
        raise UserError(
            f"{root} is not a folder in Oulu-CASIA's layout: expected {IMAGES}/{LIGHT}/{ILLUMINATION}/, "
            f"found {found_in(root)}; {_right_folder(root)}."
        )
    for wanted in (LIGHT, ILLUMINATION):
        name = _folder_named(root / top, {wanted.lower()})
        if name is None:
            raise UserError(
                f"{root / top} lacks the folder {wanted} (visible light, strong illumination), "
                f"found {found_in(root / top)}; unpack it there."
            )
        top = f"{top}/{name}"
    return top


def _folder_named(folder: Path, lower_names: Collection[str]) -> str | None:
    """The folder in `folder` with one of the names, ignoring case. Raises UserError for two."""
    names = [
        name for name in visible_names(folder) if name.lower() in lower_names and (folder / name).is_dir()
    ]
    if len(names) > 1:
        raise UserError(f"{folder} holds both {names[0]} and {names[1]}; keep one of them.")
    return names[0] if names else None


def _right_folder(root: Path) -> str:
    """Description of a wrong `root`, and the remedy."""
    folders = [name for name in visible_names(root) if (root / name).is_dir()]
    for name in folders:
        if _folder_named(root / name, TOP_FOLDERS) is not None:
            return f"pass --source {root / name}"
    inside = {LIGHT.lower(): 0, ILLUMINATION.lower(): 1, "p001": 2, "anger": 3}
    names = (IMAGES, LIGHT, ILLUMINATION, "a subject's folder")
    parents = root.absolute().parents
    for name in folders:
        depth = inside.get(name.lower(), len(parents))
        if depth < len(parents):
            return f"it looks like {names[depth]} itself, so pass --source {parents[depth]}"
    if any(name.lower().startswith("original") for name in folders):
        return f"it looks like the uncropped images alone, so unpack {IMAGES} beside them"
    return "pass --source the folder that holds these"
