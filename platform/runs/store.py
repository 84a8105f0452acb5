"""The results store: one folder a result, under its identity, manifest last.

`<root>/<kind>/<identity>/manifest.json` exists only when everything it names is in place, so
readers trust manifests only, and a command killed anywhere can simply be run again. A complete result is
written once: of several writers the first one's stays.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from platform.errors import UserError
from platform.files.dry_run import is_dry_run
from platform.files.json_files import parse_own_json, read_json
from platform.files.opening import MissingFile, read_bytes
from platform.runs.atomic_files import write_atomically
from platform.runs.identity import canonical_json
from platform.runs.write_once import put_in_place, remove_parts, written_aside

Kind = Literal["fold_runs", "stage1", "masks"]
LARGEST_FILE_BYTES = 16 * 2**30
"""Of one file of a result: weights or masks, read whole."""
LONGEST_NAME = 200
"""Letters of an experiment's name, which becomes a folder's: most file systems allow 255."""
KINDS: tuple[Kind, ...] = ("fold_runs", "stage1", "masks")


class ResultsStore:
    """Results under one root folder (`--runs`), which all nodes of a cluster must see."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()

    def folder(self, kind: Kind, identity: str) -> Path:
        """Where the result of that identity is, or will be."""
        if not re.fullmatch(r"[0-9a-f]{8,64}", identity):
            raise UserError(f"an identity is 8 to 64 hexadecimal digits, but got {identity!r}.")
        return self.root / kind / identity

    def manifest(self, kind: Kind, identity: str) -> dict[str, Any] | None:
        """The manifest, or None when the result is not finished. UserError: edited, or another result's."""
        path = self.folder(kind, identity) / "manifest.json"
        try:
            content = read_bytes(path, remedy="let it be read.")
        except MissingFile:
            return None
        try:
            manifest: dict[str, Any] = parse_own_json(content, str(path))
            stated = manifest.pop("hash")
            actual = _hash(canonical_json(manifest).encode())
        # ValueError: NaN, which canonical JSON has not. What is nested too deeply can fail there only.
        except (UserError, KeyError, AttributeError, TypeError, ValueError, RecursionError) as error:
            raise UserError(
                f"{path} is not a manifest of ours; remove its folder to compute it again."
            ) from error
        if stated != actual:
            raise UserError(
                f"{path} was changed after it was written; remove its folder to compute it again "
                "(the hash in it does not match the rest)."
            )
        if manifest["identity"] != identity:
            raise UserError(
                f"{path} is of the result {manifest['identity']}, so its folder was copied or renamed; "
                "remove the folder to compute its own result again."
            )
        return manifest

    def is_complete(self, kind: Kind, identity: str) -> bool:
        """Whether the result is there and did not fail."""
        manifest = self.manifest(kind, identity)
        return manifest is not None and manifest["status"] == "complete"

    def record(self, kind: Kind, identity: str) -> dict[str, Any]:
        """The record that the identity is the hash of."""
        path = self.folder(kind, identity) / "record.json"
        record: dict[str, Any] = parse_own_json(self.read(kind, identity, path.name), str(path))
        return record

    def read(self, kind: Kind, identity: str, name: str, manifest: Mapping[str, Any] | None = None) -> bytes:
        """One file of a finished result, checked against its manifest's hash.

        manifest: what `manifest` returned, for a caller that has it; it is read otherwise.
        """
        manifest = manifest or self.manifest(kind, identity)
        if manifest is None or name not in manifest["sha256"]:
            raise UserError(f"{kind} {identity} has no file {name}; run the command that made it again.")
        path = self.folder(kind, identity) / name
        try:
            content = read_bytes(path, largest_bytes=LARGEST_FILE_BYTES, remedy="let it be read.")
        except MissingFile:
            content = b""
        if _hash(content) != manifest["sha256"][name]:
            raise UserError(f"{path} does not match its manifest; remove its folder to compute it again.")
        return content

    def write(
        self,
        kind: Kind,
        identity: str,
        record: Mapping[str, Any],
        files: Mapping[str, bytes],
        **facts: Any,
    ) -> dict[str, Any]:
        """Store a finished result: files first, then the manifest with `facts` (JSON values).

        Returns the manifest that is stored: another one's where a complete result is there already.
        """
        return self._write(kind, identity, record, files, {"status": "complete", **facts})

    def write_failure(
        self, kind: Kind, identity: str, record: Mapping[str, Any], traceback: str
    ) -> dict[str, Any]:
        """Store a failed result, so that it is shown as failed and never averaged in.

        It replaces a failed one, and never a complete one, whose manifest is then returned.
        """
        return self._write(kind, identity, record, {}, {"status": "failed", "traceback": traceback})

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
            with written_aside(folder) as aside:
                try:
                    for name, content in contents.items():
                        write_atomically(aside / name, content)
                except UserError:
                    # Another writer was first, and has removed what lay aside.
                    if not self.is_complete(kind, identity):
                        raise
                else:
                    if put_in_place(aside, folder, _is_complete):
                        if facts["status"] == "complete":
                            remove_parts(folder)
                        return manifest
        standing = self.manifest(kind, identity)
        assert standing is not None
        return standing

    def experiment_folder(self, name: str) -> Path:
        """Where the tables, figures and logs of that experiment are."""
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            raise UserError(
                f"an experiment's name is letters, digits, '.', '_' and '-', but got {name!r}; change --name."
            )
        if len(name) > LONGEST_NAME:
            raise UserError(
                f"an experiment's name has at most {LONGEST_NAME} letters, but got {len(name)} "
                f"({name[:20]}...); pass a shorter --name."
            )
        return self.root / "experiments" / name

    def check_writable(self) -> None:
        """Raises UserError where nothing can be stored under the root; leaves nothing behind."""
        existing = next(folder for folder in (self.root, *self.root.parents) if folder.exists())
        try:
            if not existing.is_dir():
                raise NotADirectoryError(20, "Not a directory", str(existing))
            if is_dry_run():
                if not os.access(existing, os.W_OK | os.X_OK):
                    raise PermissionError(13, "Permission denied")
            else:
                with tempfile.TemporaryFile(dir=existing):
                    pass
        except OSError as error:
            raise UserError(
                f"results cannot be written to {self.root} ({existing}: {error.strerror}); "
                "pass --runs a folder that you may write to."
            ) from error

    def experiments(self) -> list[str]:
        """Names of the experiments that have an experiment.json, sorted. UserError: a folder unreadable."""
        folder = self.root / "experiments"
        try:
            return sorted(
                name for name in os.listdir(folder) if os.path.lexists(folder / name / "experiment.json")
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise UserError(
                f"cannot list the experiments in {folder}: {error.strerror}; let it be read, or pass another "
                "--runs."
            ) from error


def _is_complete(folder: Path) -> bool:
    """Whether a complete result is there. Only written files are asked: a damaged one is not replaced."""
    try:
        return (folder / "manifest.json").exists() and _stated_status(folder) != "failed"
    except MissingFile:
        return False


def _stated_status(folder: Path) -> str:
    try:
        return str(read_json(folder / "manifest.json")["status"])
    except MissingFile:
        raise
    except (UserError, KeyError, TypeError):
        return "damaged"


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
