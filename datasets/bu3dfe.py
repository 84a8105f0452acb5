"""BU-3DFE in its native layout (docs/methods.md, §6): single photographs beside the 3-D models.

The expressive images of a subject are its photographs (`_F2D.bmp`) of six expressions at four levels;
the neutral photograph is the reference. The levels of one expression count as a sequence, the level as the
frame number. The data set has no landmarks in pixel coordinates of the photographs. File names may differ in
case. Each of the 25 photographs of a subject must exist. Names also state the subject's sex (F, M) and
ancestry (two letters), by which the table can show accuracies of groups.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np

from datasets.raw.accounting import FileKind, Layout, account_for
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.frame_selection import check_all_found
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

DATASET = DatasetDescription(
    name="bu3dfe",
    title="BU-3DFE",
    request_from=(
        "BU-3DFE is requested from Lijun Yin's group at Binghamton University, by the agreement linked at "
        "https://www.cs.binghamton.edu/~lijun/Research/3DFE/3DFE_Analysis.html."
    ),
    native_layout="F0001/F0001_AN01WH_F2D.bmp, F0001/F0001_NE00WH_F2D.bmp",
    alignment_flag="--landmarks detect",
    no_sequences="its photographs show an expression at four levels, not its course",
)

EXPRESSION_OF_CODE = {
    "AN": "anger", "DI": "disgust", "FE": "fear", "HA": "happiness", "SA": "sadness", "SU": "surprise",
}  # fmt: skip
NEUTRAL = "NE"
LEVELS = (1, 2, 3, 4)
"""Intensity levels of an expression, weak to strong; the neutral face has level 0."""
_SHOWN = tuple((code, level) for code in EXPRESSION_OF_CODE for level in LEVELS)

SEXES = {"F": "female", "M": "male"}
"""First letter of a subject's name to the group."""

LAYOUT = Layout(
    title=DATASET.title,
    tops=(r"[FMfm]\d{4}",),
    top_names=(),
    kinds=(
        FileKind(
            what="photograph",
            folder=r"[FMfm]\d{4}",
            name=r".*_F2D\.bmp",
            example="F0001/F0001_AN01WH_F2D.bmp",
            # The textures of the 3-D models lie in the same folders, under other names.
            suspect=r"2d|^[FM]\d{4}_[A-Z]{2}\d{2}[A-Z]{2}\.(bmp|png|jpe?g|tiff?)$",
            elsewhere=r"[FM]\d{4}_[A-Z]{2}\d{2}[A-Z]{2}_F2D\.bmp",
        ),
    ),
    beside=(r"[FM]\d{4}/[^/]*_(F3D|RAW)[^/]*",),
)

_SUBJECT = re.compile(r"^[FM]\d{4}$", re.IGNORECASE)
_PHOTOGRAPH = "_f2d.bmp"
_NAME = re.compile(
    r"^(?P<subject>[FM]\d{4})_(?P<code>[A-Z]{2})(?P<level>\d{2})(?P<ancestry>[A-Z]{2})_F2D\.bmp$",
    re.IGNORECASE,
)


def recognises(root: Path) -> bool:
    """Whether `root` has BU-3DFE's layout, judged by its folders and a few file names."""
    subjects = [name for name in folder_names(root) if re.fullmatch(r"[FM]\d{4}", name, re.IGNORECASE)]
    return any(
        re.search(r"_F2D\.bmp$", name, re.IGNORECASE)
        for one in subjects[:3]
        for name in os.listdir(root / one)
    )


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """All expressive photographs, or those in `choices.frames`, and each subject's neutral one.

    No landmarks. Raises UserError that names the invalid file or folder and the remedy; `bad` may leave that
    subject or photograph out instead.
    """
    choices.refuse(DATASET.title, "whole_sequences", "per_class", "draw_seed")
    bad = bad or BadItems()
    records: list[FrameRecord] = []
    spellings: dict[str, str] = {}
    folders = _subject_folders(root)
    account_for(root, LAYOUT, bad)
    absent: list[str] = []
    for folder in folders:
        with bad.guard(folder):
            other = spellings.setdefault(folder.upper(), folder)
            if other != folder:
                raise UserError(
                    f"{root} holds one subject under two spellings, {other} and {folder}; "
                    "bring its photographs together under one."
                )
            records += _subject_records(root, folder, choices, bad, absent)
    if absent:
        bad.leave_out_all(
            [(name, "this photograph of the subject is missing") for name in absent],
            f"{root} lacks {len(absent)} of the {len(spellings) * (len(_SHOWN) + 1)} photographs of its "
            f"{len(spellings)} subjects, the first being {absent[0]}; restore them",
        )
    check_all_found(choices, records, root, bad)
    return records


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The photograph, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))


def subject_groups(subject: str, source: str) -> dict[str, str]:
    """The subject's `sex`, and its `ancestry` in the data set's two letters if `source` is a photograph."""
    groups = {"sex": SEXES[subject[0].upper()]} if _SUBJECT.match(subject) else {}
    match = _NAME.match(source.rpartition("/")[2])
    if match is not None and match["subject"].upper() == subject.upper():
        groups["ancestry"] = match["ancestry"].upper()
    return groups


def _subject_records(
    root: Path, folder: str, choices: Choices, bad: BadItems, absent: list[str]
) -> list[FrameRecord]:
    """The selected photographs in one subject's folder, sorted by expression and level.

    Adds the names of missing photographs to `absent`.
    """
    photographs: dict[tuple[str, int], str] = {}
    for name in visible_names(root / folder):
        if not name.lower().endswith(_PHOTOGRAPH):
            continue
        with bad.guard(f"{folder}/{name}"):
            shown = _read_name(root / folder, name)
            if shown in photographs:
                raise UserError(
                    f"{root / folder} holds {shown[0]}{shown[1]:02d} twice, {photographs[shown]} and {name}; "
                    "keep the right one."
                )
            photographs[shown] = name
    if (NEUTRAL, 0) not in photographs:
        raise UserError(
            f"{root / folder} lacks the subject's neutral face, {folder}_NE00.._F2D.bmp; "
            "restore it, or move the subject away."
        )
    subject = folder.upper()
    absent += [f"{subject}_{code}{level:02d}" for code, level in _SHOWN if (code, level) not in photographs]
    return [
        FrameRecord(
            subject_id=subject,
            sequence_id=f"{subject}_{code}",
            frame=level,
            expression="neutral" if code == NEUTRAL else EXPRESSION_OF_CODE[code],
            role="neutral" if code == NEUTRAL else "expressive",
            source=f"{folder}/{name}",
            landmarks=None,
        )
        for (code, level), name in sorted(photographs.items())
        if code == NEUTRAL or choices.frames is None or (f"{subject}_{code}", level) in choices.frames
    ]


def _read_name(folder: Path, name: str) -> tuple[str, int]:
    """Expression code and level from a photograph's name."""
    match = _NAME.match(name)
    if match is None or match["subject"].upper() != folder.name.upper():
        raise UserError(
            f"{folder / name} is not named {folder.name}_<expression><level><ethnicity>_F2D.bmp, "
            "like F0001_AN01WH_F2D.bmp, as its folder asks; rename it or move it away."
        )
    code, level = match["code"].upper(), int(match["level"])
    if code == NEUTRAL and level == 0:
        return code, level
    if code not in EXPRESSION_OF_CODE or level not in LEVELS:
        codes = ", ".join(f"{known} {expression}" for known, expression in EXPRESSION_OF_CODE.items())
        raise UserError(
            f"{folder / name} names expression {code} at level {match['level']}, but known are {codes} at "
            f"levels 01 to {LEVELS[-1]:02d}, and {NEUTRAL}00 neutral; rename it or move it away."
        )
    return code, level


def _subject_folders(root: Path) -> list[str]:
    """Names of the subjects' folders, sorted. Raises UserError if there are none."""
    require_folder(root)
    names = visible_names(root)
    subjects = [name for name in names if _SUBJECT.match(name) and (root / name).is_dir()]
    if subjects:
        return subjects
    remedy = "pass --source the folder that holds these"
    if any(name.lower().endswith(_PHOTOGRAPH) for name in names):
        remedy = f"it looks like one subject's folder, so pass --source {root.absolute().parent}"
    for name in names:
        if (root / name).is_dir() and any(map(_SUBJECT.match, visible_names(root / name))):
            remedy = f"pass --source {root / name}"
            break
    raise UserError(
        f"{root} is not a folder in BU-3DFE's layout: expected the subjects' folders F0001, M0001 and so "
        f"on, found {found_in(root)}; {remedy}."
    )
