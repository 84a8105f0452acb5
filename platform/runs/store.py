"""The results store: one folder per result, named by its identity.

`<root>/<kind>/<identity>/manifest.json` exists only when everything it names is in place, so readers trust
manifests only, and a command killed at any moment can simply be run again. A complete result is written
once: of several writers the first one's result stays.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import Any

from platform.errors import UserError
from platform.files.abilities import Unable
from platform.files.json_files import parse_json, parse_own_json
from platform.files.local_storage import READABLE, LocalStorage
from platform.files.opening import MissingFile
from platform.files.storage import Storage
from platform.files.writing import cannot_write
from platform.runs.identity import canonical_json

Kind = str
"""Folder of the store: `fold_runs`, or an artifact's."""
LARGEST_FILE_BYTES = 16 * 2**30
"""Limit for one file of a result: files are read whole."""
REMOVED = ".removed-"
"""After an identity: the folder of a result that is being removed. A random number follows."""
LONGEST_NAME = 200
"""Characters of an experiment's name, which becomes a folder name: most file systems allow 255."""


_IDENTITY = re.compile(r"[0-9a-f]{8,64}")


def results_storage(may_write: Callable[[], None]) -> Storage:
    """Storage of a results store whose writes `may_write` can refuse (as LocalStorage's)."""
    return LocalStorage(file_mode=0o644, may_write=may_write)


class ResultsStore:
    """Results under one root folder (`--runs`), which all nodes of a cluster must see."""

    def __init__(self, root: Path, storage: Storage = READABLE) -> None:
        self.root = Path(root).absolute()
        self._storage = storage
        self._complete: dict[tuple[Kind, str], Hashable] = {}
        """Complete results to the version of the manifest that said so."""

    def __reduce__(self) -> tuple[type[ResultsStore], tuple[Path, Storage]]:
        """What this process has seen stays in it."""
        return ResultsStore, (self.root, self._storage)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same results, so that what was read through one is known to the other."""
        return isinstance(other, ResultsStore) and (self.root, self._storage) == (other.root, other._storage)

    def __hash__(self) -> int:
        return hash((self.root, self._storage))

    def folder(self, kind: Kind, identity: str) -> Path:
        """The folder of the result with that identity, whether or not it exists."""
        return Path(self._place(kind, identity))

    def _place(self, kind: Kind, identity: str) -> str:
        """`folder` as text: joining paths takes longer than reading a manifest."""
        if not _IDENTITY.fullmatch(identity):
            raise UserError(f"an identity is 8 to 64 hexadecimal digits, but got {identity!r}.")
        return f"{self.root}/{kind}/{identity}"

    def manifest(self, kind: Kind, identity: str) -> dict[str, Any] | None:
        """The manifest; None while the result is unfinished. UserError: damaged, or another result's."""
        return self._manifest(self._manifest_path(kind, identity), identity)

    def _manifest_path(self, kind: Kind, identity: str) -> Path:
        return Path(f"{self._place(kind, identity)}/manifest.json")

    def _manifest(self, path: Path, identity: str) -> dict[str, Any] | None:
        try:
            content = self._storage.read(path, remedy="make it readable.")
        except MissingFile:
            return None
        try:
            manifest: dict[str, Any] = parse_own_json(content, str(path))
            stated = manifest.pop("hash")
            actual = _hash(canonical_json(manifest).encode())
        # ValueError: NaN, which canonical JSON refuses. RecursionError: nested too deeply for it.
        except (UserError, KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
            raise UserError(
                f"{path} is not a valid manifest; remove its folder to compute the result again."
            ) from error
        if stated != actual:
            raise UserError(
                f"{path} was changed after it was written (its hash does not match); remove its folder to "
                "compute the result again."
            )
        if manifest["identity"] != identity:
            raise UserError(
                f"{path} belongs to the result {manifest['identity']}, so its folder was copied or renamed; "
                "remove the folder to compute its own result again."
            )
        return manifest

    def is_complete(self, kind: Kind, identity: str) -> bool:
        """Whether the result is finished and did not fail. UserError as `manifest`.

        The manifest of a complete result is read again only after a change of the file.
        """
        known = self._complete.get((kind, identity))
        if known is not None and self._storage.version(self._manifest_path(kind, identity)) == known:
            return True
        return self.complete_manifest(kind, identity) is not None

    def complete_manifest(self, kind: Kind, identity: str) -> dict[str, Any] | None:
        """As `manifest`, but None also for a result that failed."""
        path = self._manifest_path(kind, identity)
        version = self._storage.version(path)
        manifest = self._manifest(path, identity)
        if manifest is None or manifest["status"] != "complete":
            return None
        if version is not None:
            self._complete[kind, identity] = version
        return manifest

    def record(self, kind: Kind, identity: str) -> dict[str, Any]:
        """The record that the identity is the hash of."""
        path = self.folder(kind, identity) / "record.json"
        record: dict[str, Any] = parse_own_json(self.read(kind, identity, path.name), str(path))
        return record

    def read(self, kind: Kind, identity: str, name: str, manifest: Mapping[str, Any] | None = None) -> bytes:
        """One file of a finished result, checked against its manifest's hash.

        manifest: what `manifest` returned, if the caller has it; otherwise it is read. UserError: the
        result has no such file, or the file is damaged.
        """
        manifest = manifest or self.manifest(kind, identity)
        if manifest is None or name not in manifest["sha256"]:
            raise UserError(f"{kind} {identity} has no file {name}; run the command that made it again.")
        path = Path(f"{self._place(kind, identity)}/{name}")
        try:
            content = self._storage.read(path, largest_bytes=LARGEST_FILE_BYTES, remedy="make it readable.")
        except MissingFile:
            content = b""
        if _hash(content) != manifest["sha256"][name]:
            raise UserError(
                f"{path} does not match its manifest; remove its folder to compute the result again."
            )
        return content

    def write(
        self,
        kind: Kind,
        identity: str,
        record: Mapping[str, Any],
        files: Mapping[str, bytes],
        **facts: Any,
    ) -> dict[str, Any]:
        """Store a finished result: its files, and the manifest with `facts` (JSON values).

        Returns the stored manifest, which is the earlier one if a complete result exists. UserError: it
        cannot be written.
        """
        return self._write(kind, identity, record, files, {"status": "complete", **facts})

    def write_failure(
        self, kind: Kind, identity: str, record: Mapping[str, Any], traceback: str, **facts: Any
    ) -> dict[str, Any]:
        """Store a failed result, so that it is shown as failed and never averaged in.

        It replaces an earlier failed result. A complete one stays, and its manifest is returned.
        """
        return self._write(kind, identity, record, {}, {"status": "failed", "traceback": traceback, **facts})

    def remove(self, kind: Kind, identity: str) -> None:
        """Remove a result; a missing one is no error.

        The manifest goes first, and the rest under another name: neither a kill in between nor a writer of
        the same result leaves part of one that counts. UserError: the folder is a link, which may lead
        anywhere, or cannot be removed.
        """
        folder = self.folder(kind, identity)
        if folder.is_symlink() or folder.parent.is_symlink():
            raise UserError(
                f"{folder} is reached through a link and is not removed; remove the link yourself."
            )
        aside = folder.with_name(f"{identity}{REMOVED}{uuid.uuid4().hex}")
        try:
            self._storage.remove(folder / "manifest.json")
            self._storage.move(folder, aside)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(
                f"cannot remove {folder}: {error.strerror}; make it writable and run the command again."
            ) from error
        self._storage.remove(aside)
        if self._storage.exists(aside):
            raise UserError(f"cannot remove all of {aside}; make it writable and run the command again.")

    def _write(
        self,
        kind: Kind,
        identity: str,
        record: Mapping[str, Any],
        files: Mapping[str, bytes],
        facts: dict[str, Any],
    ) -> dict[str, Any]:
        folder = self.folder(kind, identity)
        contents = {"record.json": canonical_json(record).encode(), **files}
        manifest = {
            "identity": identity,
            **facts,
            "sha256": {name: _hash(content) for name, content in sorted(contents.items())},
        }
        stated = {**manifest, "hash": _hash(canonical_json(manifest).encode())}
        contents["manifest.json"] = (json.dumps(stated, indent=1, sort_keys=True) + "\n").encode()
        if not self.is_complete(kind, identity):
            try:
                if self._storage.write_once(folder, contents, self._is_final):
                    return manifest
            except OSError as error:
                raise cannot_write(error) from error
        standing = self.manifest(kind, identity)
        assert standing is not None
        return standing

    def _is_final(self, folder: Path) -> bool:
        """Whether the folder holds a result that stays: a complete one, or a damaged one that a person must
        look at. Only the stated status counts."""
        path = folder / "manifest.json"
        if not self._storage.exists(path):
            return False
        try:
            return bool(parse_json(self._storage.read(path), str(path))["status"] != "failed")
        except MissingFile:
            return False
        except (UserError, KeyError, TypeError):
            return True

    def experiment_folder(self, name: str) -> Path:
        """The folder for tables, figures and logs of that experiment. UserError: no valid name."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise UserError(
                f"an experiment's name consists of letters, digits, '.', '_' and '-', but got {name!r}; "
                "change --name."
            )
        if len(name) > LONGEST_NAME:
            raise UserError(
                f"an experiment's name has at most {LONGEST_NAME} characters, but got {len(name)} "
                f"({name[:20]}...); pass a shorter --name."
            )
        return self.root / "experiments" / name

    def check_writable(self) -> None:
        """Raises UserError where nothing can be stored under the root, or its file system lacks what results
        need; leaves nothing behind."""
        try:
            self._storage.check_writable(self.root)
        except Unable as lack:
            raise UserError(
                f"a runs folder needs a file system that can {lack.what}, but that of {self.root} cannot "
                f"({lack.strerror}); pass --runs a folder on a local disk, or on NFS, EFS or FSx: a mounted "
                "object store will not do."
            ) from lack
        except OSError as error:
            raise UserError(
                f"results cannot be written to {self.root} ({error.filename}: {error.strerror}); "
                "pass --runs a folder that you may write to."
            ) from error

    def experiments(self) -> list[str]:
        """Sorted names of the experiments with an experiment.json. UserError: the folder is unreadable."""
        folder, storage = self.root / "experiments", self._storage
        try:
            names = storage.names(folder)
            return [name for name in names if storage.exists(folder / name / "experiment.json")]
        except OSError as error:
            raise UserError(
                f"cannot list the experiments in {folder}: {error.strerror}; make it readable, or pass "
                "another --runs."
            ) from error


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
