"""Lists of the exact frames to prepare, as FMPN releases them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from datasets.fold_lists.read import read_fold_lists
from datasets.raw.image_key import ImageKey, listed_key
from platform.errors import UserError
from platform.files.tables import read_rows


def read_frame_list(path: Path) -> frozenset[ImageKey]:
    """The frames listed in `path`: a CSV or text file with image names in the first column or the column
    `image`, or a folder of FMPN's lists, whose test lists are combined.

    Raises UserError, with file and line, for an invalid line or a frame listed twice.
    """
    if not path.is_dir():
        return frozenset(_read_one(path))
    names = [name for fold in read_fold_lists(path).folds for name in fold.test]
    tested = Counter(map(listed_key, names))
    (sequence, frame), times = tested.most_common(1)[0]
    if times > 1:
        raise UserError(
            f"each frame must be tested once, but {path} tests {sequence}_{frame:08d} {times} times; "
            "remove it from all test lists but one."
        )
    return frozenset(tested)


def _read_one(path: Path) -> list[ImageKey]:
    rows = [row for _, row in read_rows(path) if any(cell.strip() for cell in row)]
    column = 0
    if rows and "image" in (header := [cell.strip().lower() for cell in rows[0]]):
        column, rows = header.index("image"), rows[1:]
    keys: list[ImageKey] = []
    for row in rows:
        try:
            keys.append(listed_key(row[column]))
        except (ValueError, IndexError):
            raise UserError(
                f"each line of {path} must begin with an image name like S005_001_00000009.png, but one is "
                f"{','.join(row)[:60]!r}; correct it."
            ) from None
    if not keys:
        raise UserError(f"{path} lists no frames; write one image name per line.")
    (sequence, frame), times = Counter(keys).most_common(1)[0]
    if times > 1:
        raise UserError(f"{path} lists {sequence}_{frame:08d} {times} times; keep one of the lines.")
    return keys
