"""The user's own faces: a folder tree `subject/expression/images`, or a table `faces.csv`.

Expressions have their usual English names, in upper or lower case; `--map happy=happiness` gives a name
its meaning, and with `--classes-from-folders` each name is a class of its own. Neutral faces are references
for motion masks, not a class: a subject's first one is its neutral face. Further neutral faces, and images
with the role `context` in the table, are stored only with `--whole-sequences`, and are never trained on or
scored.

The columns of `faces.csv`: `image` (a path in the folder, with `/`), `subject`, `expression`; optionally
`sequence` and `frame` together, `role` (expressive, neutral or context), and the ten landmark columns of
datasets/raw/landmarks.py. Other columns are ignored.

Lists and landmark files name an image by its sequence and frame. Without these columns, both are derived
from subject, expression and file name: `anna/Anger/img_003.png` is frame 3 of `anna_anger_img`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.class_names import ClassNames
from datasets.raw.folder_files import FACES, IMAGE_TYPES, account_for_table, account_for_tree, table_name
from datasets.raw.frame_selection import check_all_found
from datasets.raw.image_key import image_key
from datasets.raw.landmarks import COLUMNS, read_points
from datasets.raw.sources import (
    RESTORE,
    folder_names,
    found_in,
    read_image,
    require_folder,
    source_path,
    visible_names,
)
from datasets.raw.subject_names import check_spelling
from datasets.records import EXPRESSIONS, DatasetDescription, FrameRecord, Role
from platform.errors import UserError
from platform.files.names import NamesOnDisk, composed, with_slashes
from platform.files.tables import read_table

KNOWN_COLUMNS = ("image", "subject", "expression", "sequence", "frame", "role", *COLUMNS[1:])

DATASET = DatasetDescription(
    name="folder",
    title="your folder",
    request_from="These are your own images.",
    native_layout=(
        f"<subject>/<expression>/<image>.png, or {FACES} with the columns image,subject,expression; "
        f"expressions are {', '.join(EXPRESSIONS)}"
    ),
)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Face:
    """One image of the tree or one line of the table."""

    source: str
    subject: str
    expression: str
    sequence: str
    frame: int
    role: str
    """Role in the table; empty if it has none."""
    landmarks: np.ndarray | None


def recognises(root: Path) -> bool:
    """Whether `root` contains a table, or subjects' folders with folders of expressions."""
    if table_name(root) is not None:
        return True
    subjects = folder_names(root)[:20]
    named = {name.lower() for subject in subjects for name in folder_names(root / subject)}
    return len(named & set(EXPRESSIONS)) >= 2


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """All expressive faces, one neutral face of each subject that has any, and the additions of `choices`.

    Raises UserError that names the invalid file, folder or line; `bad` may leave images out instead.
    """
    choices.refuse("a folder of your own", "per_class", "draw_seed")
    bad = bad or BadItems()
    require_folder(root)
    table = table_name(root)
    classes = ClassNames(choices)
    if table is None:
        account_for_tree(root, bad)
        found = list(_faces_of_tree(root, classes, bad))
    else:
        found = list(_faces_of_table(root, table, classes, bad))
        account_for_table(root, {face.source for face in found}, bad)
    classes.check_all_met(root)
    faces = sorted(found, key=lambda face: (face.subject, face.sequence, face.frame))
    check_spelling({face.subject for face in faces}, root)
    faces = _without_doubles(faces, bad)
    if not faces and bad.left_out:
        raise UserError(
            f"nothing is left of {root}: all {len(bad.left_out)} items are bad, the first being "
            f"{bad.left_out[0][0]}: {bad.left_out[0][1]}"
        )
    if not faces:
        raise UserError(
            f"{root} holds no faces that can be used: expected {DATASET.native_layout}; found "
            f"{found_in(root)}; pass --source the folder that holds these."
        )
    neutral_of = {face.subject: face for face in reversed(faces) if face.expression == "neutral"}
    neutral_of |= {face.subject: face for face in faces if face.role == "neutral"}
    records = []
    for face in faces:
        role = _role(face, choices, face is neutral_of.get(face.subject))
        if role != "context" or choices.whole_sequences:
            records.append(
                FrameRecord(
                    subject_id=face.subject,
                    sequence_id=face.sequence,
                    frame=face.frame,
                    expression=face.expression,
                    role=role,
                    source=face.source,
                    landmarks=face.landmarks,
                )
            )
    check_all_found(choices, records, root, bad)
    return records


def no_sequences_in(root: Path) -> str:
    """Why the images in `root` have no order in time; empty if its table says which."""
    name = table_name(root)
    columns = (
        () if name is None else read_table(source_path(root, name), KNOWN_COLUMNS, remedy=RESTORE).columns
    )
    if {"sequence", "frame"} <= {column.casefold() for column in columns}:
        return ""
    return f"without the columns sequence and frame of {FACES} nothing says which images follow each other"


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The image, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))


def _role(face: _Face, choices: Choices, is_neutral: bool) -> Role:
    if is_neutral:
        return "neutral"
    if face.expression == "neutral":
        return "context"
    if choices.frames is not None:
        return "expressive" if (composed(face.sequence), face.frame) in choices.frames else "context"
    return "context" if face.role == "context" else "expressive"


def _without_doubles(faces: list[_Face], bad: BadItems) -> list[_Face]:
    """`faces` without those that repeat the name, image or neutral role of an earlier one."""
    taken: dict[tuple[object, ...], str] = {}
    labels: dict[str, set[str]] = {}
    for face in faces:
        labels.setdefault(face.source, set()).add(f"{face.expression} of {face.subject}")
    kept = []
    for face in faces:
        claims: list[tuple[tuple[object, ...], str]] = [
            (("name", face.sequence, face.frame), f"have one name, {face.sequence}_{face.frame:08d}"),
            (("image", face.source), "are one image"),
        ]
        if face.role == "neutral":
            claims.append((("neutral", face.subject), f"are both the neutral face of {face.subject}"))
        with bad.guard(face.source):
            if len(labels[face.source]) > 1:  # the true label is unknown
                raise UserError(
                    f"{FACES} lists {face.source} with conflicting labels, "
                    f"{' and '.join(sorted(labels[face.source]))}; keep the right line."
                )
            for claim, what in claims:
                if claim in taken:
                    raise UserError(
                        f"{taken[claim]} and {face.source} {what}; "
                        f"rename or remove one, or name them in {FACES}."
                    )
            if taken.setdefault(("sequence", face.sequence), face.subject) != face.subject:
                raise UserError(
                    f"{face.source} of {face.subject} is in the sequence {face.sequence}, which is one of "
                    f"{taken['sequence', face.sequence]}'s; give each subject's sequences names of their own."
                )
            taken |= dict.fromkeys((claim for claim, _ in claims), face.source)
            kept.append(face)
    return kept


# --- the tree -----------------------------------------------------------------------------------------


def _faces_of_tree(root: Path, classes: ClassNames, bad: BadItems) -> Iterator[_Face]:
    subjects = _folders(root, root, bad)
    if subjects and all(name.casefold() in EXPRESSIONS for name in subjects):
        raise UserError(
            f"{root} looks like expression/subject/images ({', '.join(subjects)} are expressions), but "
            f"subject/expression/images is expected; turn the folders round, or write {FACES}."
        )
    for subject in subjects:
        for folder in _folders(root, root / subject, bad):
            with bad.guard(f"{subject}/{folder}"):
                try:
                    expression = classes.meant(folder)
                except UserError as error:
                    raise UserError(f"{root / subject / folder}: {error}") from None
                yield from _faces_of_folder(root, subject, folder, expression, bad)


def _faces_of_folder(
    root: Path, subject: str, folder: str, expression: str, bad: BadItems
) -> Iterator[_Face]:
    for name in visible_names(root / subject / folder):
        source = f"{subject}/{folder}/{name}"
        with bad.guard(source):
            _check_image(root, source)
            sequence, frame = _name_of(subject, expression, source)
            yield _Face(
                source=source, subject=subject, expression=expression, sequence=sequence, frame=frame,
                role="", landmarks=None,
            )  # fmt: skip


def _folders(root: Path, folder: Path, bad: BadItems) -> list[str]:
    """The folders in `folder`; an image beside them is an error."""
    names = []
    for name in visible_names(folder):
        if (folder / name).is_dir():
            names.append(name)
        elif name.lower().endswith(IMAGE_TYPES):
            path = (folder / name).relative_to(root).as_posix()
            with bad.guard(path):
                raise UserError(
                    f"{folder / name} lies outside the folders subject/expression; move it into one."
                )
    return names


def _check_image(root: Path, source: str) -> None:
    path = source_path(root, source)
    if not path.is_file():
        near = _in_another_case(path)
        raise UserError(
            f"{path} is no file; "
            + (
                f"did you mean {near}?"
                if near
                else f"images lie in subject/expression, or where {FACES} says."
            )
        )
    if not source.lower().endswith(IMAGE_TYPES):
        raise UserError(f"{path} is not an image ({', '.join(IMAGE_TYPES)}); move it away.")


def _in_another_case(path: Path) -> str | None:
    """A name in the folder of `path` that differs from it only in case."""
    names = visible_names(path.parent) if path.parent.is_dir() else ()
    return next((name for name in names if name.casefold() == path.name.casefold()), None)


def _name_of(subject: str, expression: str, source: str) -> tuple[str, int]:
    """Sequence and frame of an image without given ones."""
    return image_key(f"{subject}_{expression}_{PurePosixPath(source).name}")


# --- the table ----------------------------------------------------------------------------------------


def _faces_of_table(root: Path, name: str, classes: ClassNames, bad: BadItems) -> Iterator[_Face]:
    path = source_path(root, name)
    table = read_table(path, KNOWN_COLUMNS, remedy=RESTORE)
    groups = [{"image"}, {"subject"}, {"expression"}]
    groups += [
        group for group in ({"sequence", "frame"}, set(COLUMNS)) if group & set(table.columns) - {"image"}
    ]
    missing = table.missing(sorted(set().union(*groups)))
    if missing:
        raise UserError(
            f"{path} lacks the columns {', '.join(missing)}; needed are image, subject and expression; "
            f"sequence and frame go together, and so do the ten landmark columns. Its columns are "
            f"{', '.join(table.columns)[:200]}."
        )
    names = NamesOnDisk(root)
    for row in table.rows():
        with bad.guard(f"{FACES}, line {row.line}"):
            cells = row.cells()
            try:
                face = _face_of_row(root, names, cells, classes)
            except (ValueError, UserError) as error:
                remedy = "; correct that line." if isinstance(error, ValueError) else ""
                raise UserError(f"{row.where}: {error}{remedy}") from error
            yield face


def _face_of_row(root: Path, names: NamesOnDisk, cells: Mapping[str, str], classes: ClassNames) -> _Face:
    """The face of one line. Raises ValueError or UserError without file and line."""
    if not cells["image"] or not cells["subject"]:
        raise ValueError("its image or subject is missing")
    if set(cells["subject"]) & set("/\\"):
        raise ValueError(f"the subject is {cells['subject']!r}, but must not have / or \\ in it")
    source = names.find(with_slashes(cells["image"]))
    _check_image(root, source)
    expression, role = classes.meant(cells["expression"]), cells.get("role", "").casefold()
    if role not in ("", "expressive", "neutral", "context"):
        raise ValueError(f"the role is {role!r}, but must be expressive, neutral or context")
    if role not in ("", "context") and (role == "neutral") != (expression == "neutral"):
        raise ValueError(f"the role {role} does not go with the expression {expression}")
    sequence, frame = cells.get("sequence", ""), cells.get("frame", "")
    if bool(sequence) != bool(frame):
        raise ValueError("sequence and frame go together, but one of them is missing")
    if frame and not (frame.isdecimal() and len(frame) <= 9):
        raise ValueError(f"the frame is {frame!r}, but must be a whole number from 0")
    has_points = COLUMNS[1] in cells and any(cells[column] for column in COLUMNS[1:])
    name = (sequence, int(frame)) if sequence else _name_of(cells["subject"], expression, source)
    return _Face(
        source=source,
        subject=cells["subject"],
        expression=expression,
        sequence=name[0],
        frame=name[1],
        role=role,
        landmarks=read_points(cells) if has_points else None,
    )
