"""Reader of fold lists: our fold plans, FMPN's released lists, and tables of the user.

Three kinds are read:

    PLAN.json   a fold plan of ours; it lists subjects, and a prepared store gives their images
    FOLDER      FMPN's release: train_ids_K.csv and test_ids_K.csv, one image name per line, and optionally
                emotion_labels.pkl, the label code of each sequence
    TABLE.csv   one line per image with the columns image and fold (the fold that tests it), or one line
                per image and fold with the columns image, split (train or test) and fold
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.fold_lists.listed_images import (
    FoldLists,
    ListedFold,
    ListedImage,
    check_numbering,
    clean_name,
    parse_image_name,
    stem,
)
from datasets.fold_lists.tables import read_table
from datasets.folds.rules import FoldPlan
from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE, LABELS, read_codes
from datasets.raw.sources import found_in, read_text, require_folder
from platform.errors import UserError
from platform.files.tables import numbered_lines

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore

TITLE_OF_FRAME_DIGITS = {8: "CK+", 3: "MMI"}
"""FMPN's two releases, distinguished by the digits of the frame in image names: S005_001_00000011.png is from
CK+, S001_100_040.png from MMI."""

_LIST_NAME = re.compile(r"^(?P<side>train|test)_ids_(?P<fold>\d+)\.csv$", re.IGNORECASE)
_LIST_HEADERS = frozenset({"image", "images", "name", "names", "id", "ids", "img", "filename", "file"})


def read_fold_lists(path: Path, store: PreparedStore | None = None) -> FoldLists:
    """The lists in `path`, of any kind; `store` gives the images of a fold plan's subjects.

    Raises UserError, with file and line, for anything that is not a valid list.
    """
    if not path.exists():
        raise UserError(
            f"there are no fold lists at {path}; pass a fold plan (.json), a table (.csv) or a folder with "
            "train_ids_K.csv and test_ids_K.csv."
        )
    if path.is_dir():
        return _read_released(path)
    if path.suffix.lower() == ".json":
        return _read_plan(path, store)
    if path.suffix.lower() == ".csv":
        return read_table(path)
    raise UserError(
        f"fold lists are a .json file (a fold plan), a .csv file (a table) or a folder with train_ids_K.csv "
        f"and test_ids_K.csv, but got {path}; pass one of them."
    )


def fold_count(path: Path) -> int:
    """The number of folds in `path`, of any kind. UserError as `read_fold_lists`."""
    if path.suffix.lower() == ".json" and not path.is_dir():
        return len(_plan_in(path).folds)
    return len(read_fold_lists(path).folds)


# --- fold plans of ours -------------------------------------------------------------------------------


def _plan_in(path: Path) -> FoldPlan:
    try:
        return FoldPlan.from_json(read_text(path))
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _read_plan(path: Path, store: PreparedStore | None) -> FoldLists:
    plan = _plan_in(path)
    if store is None:
        raise UserError(
            f"{path} is a fold plan, which lists subjects and no images; pass --data the folder of the "
            "prepared store that it divides."
        )
    names_of: dict[str, list[str]] = {}
    images: dict[str, ListedImage] = {}
    columns = (store.image_names, store.subjects, store.sequences, store.expressions, store.roles)
    for name, subject, sequence, expression, role in zip(*(c.tolist() for c in columns), strict=True):
        if role != "expressive":
            continue
        names_of.setdefault(subject, []).append(name)
        images[name] = ListedImage(name=name, subject=subject, sequence=sequence, expression=expression)
    planned = {s for fold in plan.folds for s in (*fold.train_subjects, *fold.test_subjects)}
    absent = sorted(planned - set(names_of))
    if absent:
        raise UserError(
            f"{path} lists {len(absent)} subjects without images in {store.folder}, the first being "
            f"{', '.join(absent[:3])}; pass --data the store for which the plan was made."
        )
    folds = tuple(
        ListedFold(
            index=fold.index,
            train=tuple(name for subject in fold.train_subjects for name in names_of[subject]),
            test=tuple(name for subject in fold.test_subjects for name in names_of[subject]),
        )
        for fold in plan.folds
    )
    listed = {name: image for name, image in images.items() if image.subject in planned}
    return FoldLists(kind="fold plan", images=listed, folds=folds)


# --- FMPN's released lists ----------------------------------------------------------------------------


def _read_released(folder: Path) -> FoldLists:
    require_folder(folder)
    files: dict[tuple[str, int], Path] = {}
    for entry in sorted(folder.iterdir()):
        match = _LIST_NAME.match(entry.name)
        if match:
            key = match["side"].lower(), int(match["fold"])
            if key in files:
                raise UserError(
                    f"{folder} contains one list twice, {files[key].name} and {entry.name}; keep one."
                )
            files[key] = entry
    if not files:
        raise UserError(
            f"{folder} holds no fold lists: expected train_ids_K.csv and test_ids_K.csv, found "
            f"{found_in(folder)}; pass the folder that holds them."
        )
    indices = sorted({fold for _, fold in files})
    for side, other in (("train", "test"), ("test", "train")):
        for index in indices:
            if (side, index) not in files:
                raise UserError(
                    f"each fold needs two lists, but {folder} has {other}_ids_{index}.csv without "
                    f"{side}_ids_{index}.csv; add it."
                )
    check_numbering(folder, indices)
    images: dict[str, ListedImage] = {}
    folds = tuple(
        ListedFold(
            index=index,
            train=_read_names(files["train", index], images),
            test=_read_names(files["test", index], images),
        )
        for index in indices
    )
    lists = FoldLists(kind="released lists", images=images, folds=folds)
    return _with_codes(lists, folder / LABELS) if (folder / LABELS).exists() else lists


def _read_names(path: Path, images: dict[str, ListedImage]) -> tuple[str, ...]:
    """The names in `path`, one per line; new images are added to `images`."""
    names: list[str] = []
    for number, line in numbered_lines(path):
        text = line.strip().strip('"')
        if not text or (not names and text.lower() in _LIST_HEADERS):
            continue
        where = f"{path}, line {number}"
        name = clean_name(text, where)
        parsed = parse_image_name(name)
        if parsed is None:
            raise UserError(
                f"{where}: {text[:80]!r} is not an image name like S005_001_00000011.png; correct that line."
            )
        subject, sequence, _ = parsed
        images.setdefault(name, ListedImage(name=name, subject=subject, sequence=sequence, expression=None))
        names.append(name)
    if not names:
        raise UserError(f"{path} lists no images; write one image name per line.")
    return tuple(names)


def _with_codes(lists: FoldLists, path: Path) -> FoldLists:
    """`lists` with the label code of each sequence from FMPN's pickle, and its class."""
    codes_of = read_codes(path)
    digits = {len(re.sub(r".*_", "", stem(name))) for name in lists.images}
    title = TITLE_OF_FRAME_DIGITS.get(digits.pop()) if len(digits) == 1 else None
    codes = None if title is None else EXPRESSION_OF_CODE[title]
    images = {}
    for name, image in lists.images.items():
        label = None if image.sequence is None else codes_of.get(image.sequence)
        expression = codes.get(label) if codes is not None and label is not None else None
        images[name] = replace(image, label=label, expression=expression)
    return replace(lists, images=images, codes_title=title, codes=codes)
