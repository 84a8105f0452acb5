"""Fold lists as CSV tables of the user: one line per image, or one line per image and fold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from datasets.fold_lists.listed_images import (
    FoldLists,
    ListedFold,
    ListedImage,
    check_numbering,
    clean_name,
    parse_image_name,
)
from platform.errors import UserError, unknown_name
from platform.files import tables

COLUMNS = (
    "image", "subject", "sequence", "frame", "expression", "label", "split", "fold", "released_test_fold",
)  # fmt: skip
"""Columns of a table. Any other is refused, because a misspelt `subject` would change the verdict. `label` is
a class number, `expression` a class name; without a column `subject`, subjects are read from image names."""


def read_table(path: Path) -> FoldLists:
    """The folds in the table `path`. Raises UserError, with the line, if it is invalid."""
    table = tables.read_table(path, COLUMNS)
    columns = list(table.columns)
    fold_column = _check_columns(path, columns)
    images: dict[str, ListedImage] = {}
    sides: dict[int, tuple[list[str], list[str]]] = {}
    tested: list[tuple[str, int]] = []
    for row in table.rows():
        where, cells = row.where, row.cells()
        image = _read_row(cells, where)
        if images.setdefault(image.name, image) != image:
            raise UserError(
                f"{where}: {image.name} has another subject, sequence or class than in an earlier line; "
                "make them equal."
            )
        index = _whole_number(cells[fold_column], where, fold_column) if fold_column else 0
        if "split" not in columns:
            tested.append((image.name, index))
            continue
        split = cells["split"].lower()
        if split not in ("train", "test"):
            raise UserError(f"{where}: split must be train or test, but is {cells['split']!r}; correct it.")
        sides.setdefault(index, ([], []))[split == "test"].append(image.name)
    if not images:
        raise UserError(f"{path} lists no images; write one line per image below the header.")
    folds = _folds_of_split(path, sides) if sides else _folds_of_tested(path, tested)
    return FoldLists(kind="table", images=images, folds=folds)


def _check_columns(path: Path, columns: list[str]) -> str | None:
    """The column that holds the fold; None for a table of a single split.

    Raises UserError for unknown, missing or conflicting columns.
    """
    for column in columns:
        if column not in COLUMNS:
            raise UserError(f"{path}: {unknown_name('column', column, COLUMNS)} Remove or rename it.")
    given = [column for column in ("fold", "released_test_fold") if column in columns]
    if "image" not in columns or len(given) > 1 or not (given or "split" in columns):
        raise UserError(
            f"{path} needs the columns image and fold (the fold that tests it), or image, split and fold, "
            f"but has {', '.join(columns) or 'none'}; add them."
        )
    if given == ["released_test_fold"] and "split" in columns:
        raise UserError(f"{path} has both released_test_fold and split; name the column of split rows fold.")
    return given[0] if given else None


def _read_row(row: Mapping[str, str], where: str) -> ListedImage:
    name = clean_name(row["image"], where)
    parsed = parse_image_name(name)
    subject = row.get("subject") or (parsed[0] if parsed else "")
    if not subject:
        raise UserError(
            f"{where}: the subject is missing, and {name!r} is not an image name like S005_001_00000011.png "
            "that contains it; add a column subject."
        )
    # A table may number the sequences of each subject from 1, so the number alone is not unique.
    sequence = f"{subject}_{row['sequence']}" if row.get("sequence") else None
    expression, number = row.get("expression", ""), row.get("label", "")
    if not number and re.fullmatch(r"-?\d+", expression):
        expression, number = "", expression
    return ListedImage(
        name=name,
        subject=subject,
        sequence=parsed[1] if parsed else sequence,
        expression=expression.lower() or None,
        label=_whole_number(number, where, "label") if number else None,
    )


def _folds_of_split(path: Path, sides: Mapping[int, tuple[list[str], list[str]]]) -> tuple[ListedFold, ...]:
    for index, (train, test) in sorted(sides.items()):
        if not train or not test:
            raise UserError(
                f"each fold needs training and test images, but fold {index} in {path} has "
                f"{len(train)} and {len(test)}; add its lines."
            )
    check_numbering(path, sorted(sides))
    return tuple(
        ListedFold(index=index, train=tuple(train), test=tuple(test))
        for index, (train, test) in sorted(sides.items())
    )


def _folds_of_tested(path: Path, tested: list[tuple[str, int]]) -> tuple[ListedFold, ...]:
    """The folds of a table without `split`: each trains on all images that it does not test."""
    indices = sorted({index for _, index in tested})
    if len(indices) < 2:
        raise UserError(
            f"without a column split, the column fold gives the fold that tests an image, but {path} has "
            f"only fold {indices[0]}; add a column split with train or test."
        )
    check_numbering(path, indices)
    folds = []
    for index in indices:
        test = tuple(name for name, fold in tested if fold == index)
        train = dict.fromkeys(name for name, _ in tested)
        for name in test:
            train.pop(name, None)
        folds.append(ListedFold(index=index, train=tuple(train), test=test))
    return tuple(folds)


def _whole_number(text: str, where: str, column: str) -> int:
    if not re.fullmatch(r"-?\d{1,9}", text.strip()):
        raise UserError(f"{where}: {column} must be a whole number, but is {text!r}; correct it.")
    return int(text)
