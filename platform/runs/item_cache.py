"""The item cache: features that depend on one face alone, computed once for all folds and trials.

`<runs>/item_cache/<recipe>/<SHA-256>.features`. A recipe's folder is named by the hash of what its features
depend on beside the face: the function and the file that it is in, its parameters, the libraries. Each file
holds the features of the faces that one run had to compute, under the SHA-256 of each face's pixels, and is
named by the SHA-256 of its content. Files are never changed, so writers need no lock and readers none
either; two that compute the same face store it twice. The folder can be removed at any time.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from platform.errors import UserError
from platform.files.dry_run import is_dry_run
from platform.files.json_files import parse_own_json
from platform.files.local_storage import READABLE
from platform.files.opening import MissingFile
from platform.files.storage import Storage
from platform.models.recipe import KINDS, Recipe, same_bits
from platform.runs.identity import identity

FOLDER = "item_cache"
SUFFIX = ".features"
LARGEST_FILE_BYTES = 16 * 2**30
LIBRARIES = (
    "numpy", "scipy", "scikit-image", "scikit-learn", "opencv-python-headless", "torch", "torchvision",
)  # fmt: skip
"""Libraries with which features are computed; another version may compute other bits."""


class ItemCache:
    """The features of faces under one results folder; called as `Recipe.of`, with the same result.

    What cannot be read is computed, and what cannot be written is not kept; either is said once by a warning.
    """

    def __init__(
        self, root: Path, *, cpu_threads: int | None, writes: bool = True, storage: Storage = READABLE
    ) -> None:
        """root: of the results store. cpu_threads: threads of this process, if results depend on them.
        writes: whether this process stores what it computes."""
        self._root, self._cpu_threads, self._writes = root, cpu_threads, writes
        self._storage = storage
        self._read_count = self._computed_count = 0
        self._problems: dict[str, None] = {}

    def __call__(self, recipe: Recipe, images: np.ndarray) -> np.ndarray:
        """As `Recipe.of`, bit for bit."""
        names = [content_of(face) for face in images]
        folder = self._root / FOLDER / recipe_key(recipe, self._cpu_threads)
        known = self._stored(folder, set(names))
        usable = self._agrees(recipe, images, names, known)
        if not usable:
            known = {}
        first = {name: row for row, name in reversed(list(enumerate(names))) if name not in known}
        missing = sorted(first, key=first.__getitem__)
        self._read_count += sum(name in known for name in names)
        self._computed_count += len(missing)
        if missing:
            made = recipe.of(images[[first[name] for name in missing]])
            known |= dict(zip(missing, made, strict=True))
            if usable and self._writes and not is_dry_run():
                self._write(folder, missing, made)
        features = [known[name] for name in names]
        recipe.check_alike(features)
        return np.stack(features)

    def facts(self) -> dict[str, Any]:
        """For the manifest: how many features were read and computed, and problems; empty without any."""
        if not self._read_count + self._computed_count:
            return {}
        facts: dict[str, Any] = {"read": self._read_count, "computed": self._computed_count}
        return {FOLDER: {**facts, **({"problems": list(self._problems)} if self._problems else {})}}

    def _agrees(
        self, recipe: Recipe, images: np.ndarray, names: Sequence[str], known: dict[str, np.ndarray]
    ) -> bool:
        """Whether a face's stored features are those that this machine and this code compute."""
        row = next((row for row, name in enumerate(names) if name in known), None)
        if row is None or same_bits(known[names[row]], recipe.of(images[row : row + 1])[0]):
            return True
        self._say(
            f"the stored features of the recipe {recipe.name} are not those that this machine computes, so "
            "this run computes all of them"
        )
        return False

    def _stored(self, folder: Path, names: set[str]) -> dict[str, np.ndarray]:
        """The stored features of these faces, by content."""
        found: dict[str, np.ndarray] = {}
        try:
            files = [name for name in self._storage.names(folder) if name.endswith(SUFFIX)]
        except OSError as error:
            self._say(f"the item cache {folder} cannot be read ({error.strerror}), so features are computed")
            return found
        for file in files:
            if len(found) == len(names):
                break
            found |= self._read(folder / file, names - found.keys())
        return found

    def _read(self, path: Path, names: set[str]) -> dict[str, np.ndarray]:
        try:
            content = self._storage.read(path, largest_bytes=LARGEST_FILE_BYTES)
            if hashlib.sha256(content).hexdigest() != path.name.removesuffix(SUFFIX):
                raise UserError("it is damaged")
            return unpacked(content, names)
        except MissingFile:
            return {}  # removed in between
        except (UserError, KeyError, TypeError, ValueError) as error:
            self._say(f"features in {path} cannot be used ({error}) and are computed again; remove the file")
            return {}

    def _write(self, folder: Path, names: Sequence[str], features: np.ndarray) -> None:
        content = packed(names, features)
        try:
            self._storage.replace(folder / f"{hashlib.sha256(content).hexdigest()}{SUFFIX}", content)
        except OSError as error:
            self._say(f"features cannot be kept in {folder} ({error.strerror}), so other runs compute them")

    def _say(self, problem: str) -> None:
        if problem not in self._problems:
            self._problems[problem] = None
            warnings.warn(problem, stacklevel=4)


def packed(names: Sequence[str], features: np.ndarray) -> bytes:
    """The content of a file: a line of JSON, and the features [n, ...] of the n faces `names`."""
    header = {"faces": list(names), "shape": list(features.shape[1:]), "type": features.dtype.str}
    return json.dumps(header, sort_keys=True).encode() + b"\n" + features.tobytes()


def unpacked(content: bytes, names: set[str]) -> dict[str, np.ndarray]:
    """The features of those of these faces that a file's content has. UserError or ValueError: it has not the
    form of `packed`."""
    line, _, values = content.partition(b"\n")
    header = parse_own_json(line, "its first line")
    kind = np.dtype(header["type"])
    if kind.kind not in KINDS:
        raise ValueError(f"no type of features: {kind}")
    features = np.frombuffer(values, dtype=kind).reshape(len(header["faces"]), *header["shape"])
    # Copies, because a view would keep the whole file in memory.
    return {name: features[row].copy() for row, name in enumerate(header["faces"]) if name in names}


def content_of(face: np.ndarray) -> str:
    """The name of a face uint8 [S, S, 3]: SHA-256 of its size and pixels."""
    digest = hashlib.sha256(str(face.shape).encode())
    digest.update(face.tobytes())
    return digest.hexdigest()


def recipe_key(recipe: Recipe, cpu_threads: int | None) -> str:
    """The name of a recipe's folder: a hash of all that its features depend on beside the face."""
    module = sys.modules[recipe.function.__module__]
    return identity(
        {
            "name": recipe.name,
            "version": recipe.version,
            "parameters": dict(recipe.parameters),
            "function": f"{module.__name__}.{recipe.function.__qualname__}",
            "source": _source_hash(module),
            "libraries": _libraries(),
            "cpu_threads": cpu_threads,
        }
    )


@lru_cache
def _source_hash(module: ModuleType) -> str:
    """SHA-256 of a module's file."""
    loader: Any = module.__spec__.loader if module.__spec__ else None
    place = getattr(module, "__file__", None)
    if not hasattr(loader, "get_data") or place is None:
        raise TypeError(
            f"a recipe's function must be in a file that is imported, but {module.__name__} is none"
        )
    return hashlib.sha256(loader.get_data(place)).hexdigest()


@lru_cache
def _libraries() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found
