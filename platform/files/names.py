"""File names as written by people, lists and file systems: comparison and lookup.

A Mac stores `é` as two characters (NFD), most other systems and keyboards as one (NFC); Windows separates
folders by `\\`. Names that differ only in this look the same and mean the same file.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from platform.errors import UserError


def composed(text: str) -> str:
    """`text` in NFC: names that look the same become equal."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def with_slashes(text: str) -> str:
    """A path of another system, `imgs\\\\a.png` or `./imgs/a.png`, as `imgs/a.png`."""
    path = text.strip().replace("\\", "/")
    return PurePosixPath(path).as_posix() if path else ""


def is_utf8(name: str) -> bool:
    """Whether a name from the file system is valid text: old archives may contain names in Latin-1."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_names(folder: Path, names: Iterable[str]) -> None:
    """Raises UserError if one of the `names` in `folder` is not UTF-8: no table or store can hold it."""
    for name in names:
        if not is_utf8(name):
            raise UserError(
                f"{folder} has a name that is not text in UTF-8, {name} (archives of other systems contain "
                "such names); rename it."
            )


class NamesOnDisk:
    """Lookup of files whose names a list writes in another Unicode form; each folder is listed once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, dict[str, str]] = {}

    def find(self, relative: str) -> str:
        """`relative` (with `/`) as the disk writes it; unchanged if no such file exists."""
        if relative.isascii() or os.path.lexists(self._root / relative):
            return relative
        found = ""
        for part in PurePosixPath(relative).parts:
            found = f"{found}/{self._names(found).get(composed(part), part)}".lstrip("/")
        return found if os.path.lexists(self._root / found) else relative

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._known:
            try:
                names = os.listdir(self._root / folder)
            except (OSError, ValueError):  # whoever reads the file reports it
                names = []
            self._known[folder] = {composed(name): name for name in names}
        return self._known[folder]
