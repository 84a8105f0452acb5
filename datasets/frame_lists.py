"""Lists of frames to take exactly, as FMPN releases them."""

from __future__ import annotations

from pathlib import Path

from datasets.landmarks import ImageKey, image_key
from datasets.sources import csv_rows
from platform.errors import UserError


def read_frame_list(path: Path) -> frozenset[ImageKey]:
    """The frames that `path` names: a CSV or text file with an image name first in each line, or in its
    column `image`; or a folder of FMPN's `test_ids_<fold>.csv`, of which all are taken together.

    Raises UserError that names the file, and the line where one is wrong or a frame is named twice.
    """
    if not path.is_dir():
        return frozenset(_read_one(path))
    files = sorted(path.glob("test_ids_*.csv"))
    if not files:
        raise UserError(
            f"the folder {path} holds no test_ids_<fold>.csv; pass --frames a list or that folder."
        )
    found: dict[ImageKey, Path] = {}
    for file in files:
        for key in _read_one(file):
            if key in found:
                raise UserError(
                    f"{key[0]}_{key[1]:08d} is listed in {found[key]} and in {file}; a frame is tested once."
                )
            found[key] = file
    return frozenset(found)


def _read_one(path: Path) -> list[ImageKey]:
    rows = [row for _, row in csv_rows(path) if any(cell.strip() for cell in row)]
    column = 0
    if rows and "image" in (header := [cell.strip().lower() for cell in rows[0]]):
        column, rows = header.index("image"), rows[1:]
    keys: list[ImageKey] = []
    for row in rows:
        try:
            keys.append(image_key(row[column]))
        except (ValueError, IndexError):
            raise UserError(
                f"{path}: {','.join(row)[:60]!r} names no frame; each line begins with an image name like "
                "S005_001_00000009.png."
            ) from None
    if not keys:
        raise UserError(f"{path} lists no frames; write one image name a line.")
    twice = next((key for key in keys if keys.count(key) > 1), None) if len(set(keys)) < len(keys) else None
    if twice is not None:
        raise UserError(f"{path} lists {twice[0]}_{twice[1]:08d} twice; remove one of the lines.")
    return keys
