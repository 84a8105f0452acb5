"""Lists of frames to take exactly, as FMPN releases them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from datasets.fold_lists.read import read_fold_lists
from datasets.raw.image_key import ImageKey, listed_key
from platform.errors import UserError
from platform.files.tables import read_rows


def read_frame_list(path: Path) -> frozenset[ImageKey]:
    """The frames that `path` names: a CSV or text file with an image name first in each line, or in its
    column `image`; or a folder of FMPN's lists, whose test lists are taken together.

    Raises UserError that names the file, and the line where one is wrong or a frame is named twice.
    """
    if not path.is_dir():
        return frozenset(_read_one(path))
    names = [name for fold in read_fold_lists(path).folds for name in fold.test]
    tested = Counter(map(listed_key, names))
    (sequence, frame), times = tested.most_common(1)[0]
    if times > 1:
        raise UserError(f"{path} tests {sequence}_{frame:08d} {times} times; a frame is tested once.")
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
                f"{path}: {','.join(row)[:60]!r} names no frame; each line begins with an image name like "
                "S005_001_00000009.png."
            ) from None
    if not keys:
        raise UserError(f"{path} lists no frames; write one image name a line.")
    (sequence, frame), times = Counter(keys).most_common(1)[0]
    if times > 1:
        raise UserError(f"{path} lists {sequence}_{frame:08d} {times} times; keep one of the lines.")
    return keys
