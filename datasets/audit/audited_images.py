"""Images named by fold lists: files below a folder, or faces of a prepared store."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from datasets.fold_lists.listed_images import stem
from datasets.prepared.store import PreparedStore
from datasets.raw.image_key import listed_key
from datasets.raw.sources import read_image, source_path
from platform.errors import UserError
from platform.files.junk import is_junk
from platform.files.names import check_names, composed

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")


class Images(Protocol):
    """A collection of images that lists refer to."""

    where: str
    """Its location, for messages."""

    def names(self) -> set[str]:
        """The collection's own names of all images."""

    def find(self, name: str) -> str | None:
        """The own name of the image that a list calls `name`; None if it is missing."""

    def read(self, found: str) -> np.ndarray:
        """The image with that own name, uint8 (H, W, 3), RGB. Raises UserError if it is unusable."""


class FolderImages:
    """Image files below a folder."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UserError(f"{root} is not a folder; pass --images the folder that holds the images.")
        self.where = str(root)
        self._root = root
        self._names = {
            path.relative_to(root).as_posix()
            for path in root.rglob("*")
            if path.suffix.lower() in EXTENSIONS
            and path.is_file()
            and not any(map(is_junk, path.relative_to(root).parts))
        }
        check_names(root, self._names)
        self._on_disk = {composed(path): path for path in self._names}
        if not self._names:
            raise UserError(f"{root} holds no image files; pass --images the folder that holds them.")
        self._paths_of_base: dict[str, list[str]] = {}
        for path in self._names:
            self._paths_of_base.setdefault(composed(path.rsplit("/", 1)[-1]), []).append(path)

    def names(self) -> set[str]:
        """Paths relative to the folder, with `/`."""
        return self._names

    def find(self, name: str) -> str | None:
        """The path of `name`, with or without the file's extension; in a subfolder if the name is unique."""
        candidates = (name, *(name + extension for extension in EXTENSIONS))
        for candidate in candidates:
            if (found := self._on_disk.get(composed(candidate))) is not None:
                return found
        # Native layouts keep S005_001_00000011.png in S005/001/, while lists give the bare name.
        for candidate in candidates:
            paths = self._paths_of_base.get(composed(candidate), [])
            if len(paths) == 1:
                return paths[0]
        return None

    def read(self, found: str) -> np.ndarray:
        """The file, uint8 (H, W, 3), RGB."""
        return read_image(source_path(self._root, found))


class StoreImages:
    """The aligned expressive faces of a prepared store; others do not belong in fold lists."""

    def __init__(self, store: PreparedStore) -> None:
        self.where = str(store.folder)
        self._store = store
        rows = np.flatnonzero(store.roles == "expressive").tolist()
        self._row_of_name = {str(store.image_names[row]): row for row in rows}
        self._name_of_key = {listed_key(name): name for name in self._row_of_name}
        self._names_of_sequence: dict[str, list[str]] = {}
        for name, row in self._row_of_name.items():
            self._names_of_sequence.setdefault(str(store.sequences[row]), []).append(name)

    def names(self) -> set[str]:
        """The store's image names."""
        return set(self._row_of_name)

    def find(self, name: str) -> str | None:
        """Look up by sequence and frame number: `S001_100_040.png` is `S001_100_00000040`. In data sets
        without sequences the file name is the sequence."""
        try:
            found = self._name_of_key.get(listed_key(name))
        except ValueError:
            found = None
        names = self._names_of_sequence.get(stem(name), [])
        return found or (names[0] if len(names) == 1 else None)

    def read(self, found: str) -> np.ndarray:
        """The aligned face, uint8 (size, size, 3), RGB."""
        return np.asarray(self._store.images[self._row_of_name[found]])

    def expression(self, name: str) -> str | None:
        """The class of the image that a list calls `name`; None if it is missing."""
        found = self.find(name)
        return None if found is None else str(self._store.expressions[self._row_of_name[found]])
