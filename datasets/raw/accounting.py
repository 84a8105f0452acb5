"""An account of every file in a raw data set: data, known but not needed, junk, misnamed data, or foreign.

An adapter reads the files whose names match its layout. It would silently miss a file that a copy renamed
(`x (1).txt`, `x.TXT.bak`, `x.mp4` for `x.avi`). So every adapter declares its layout and has the whole folder
checked against it before reading: names that almost match a data file stop the run, all other unexpected
names are reported.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from datasets.raw.choices import BadItems
from datasets.raw.near_names import is_document, nearest, without_copy_marks
from platform.errors import UserError
from platform.files.junk import is_junk
from platform.files.names import check_names

IMAGE_LIKE = r"\.(png|jpe?g|jpe|jfif|bmp|dib|tiff?|gif|webp|heic|avif|p[gpn]m|pnm)$"
"""Pattern for `FileKind.suspect`: image files of any format."""
TEXT_LIKE = r"\.(txt|csv|tsv|dat|text)$"
VIDEO_LIKE = r"\.(avi|mp4|m4v|mov|mpe?g|mkv|wmv|webm|flv|3gp|ogv|ts|divx)$"

OURS = re.compile(r"synthetic\.json(\.part)?|orientation\.csv|landmarks\.csv")
"""Files that this repository writes, or asks a user to write, into a data set's folder."""

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """One kind of data file in a layout. Patterns match whole names; file names match in any case."""

    what: str
    """Name of the kind, for messages: `label`."""
    folder: str
    """Pattern of the folder that holds it, relative to the root, with `/`; empty for the root."""
    name: str
    """Pattern of the file name."""
    example: str
    """A file name of this kind, for messages."""
    suspect: str
    """Pattern searched in the other file names of that folder: a match can only be data of this kind under
    a wrong name."""
    elsewhere: str = r"(?!)"
    """Pattern of names that are data of this kind in any folder, and misplaced in all but `folder`."""

    @cached_property
    def patterns(self) -> dict[str, re.Pattern[str]]:
        """The compiled patterns, by field name."""
        texts = {"folder": self.folder, "name": self.name}
        texts |= {"suspect": self.suspect, "elsewhere": self.elsewhere}
        compiled = {key: re.compile(text, re.IGNORECASE) for key, text in texts.items()}
        return {"folder in any case": compiled["folder"], **compiled, "folder": re.compile(self.folder)}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The folders and files of a data set."""

    title: str
    """Title of the data set, for messages."""
    tops: tuple[str, ...]
    """Patterns of the folders in the root that hold data; other folders are reported and not searched."""
    top_names: tuple[str, ...]
    """Names of such folders, if known; messages suggest them for a folder with a similar name."""
    kinds: tuple[FileKind, ...]
    beside: tuple[str, ...] = ()
    """Patterns of paths that belong to the data set but are not needed; such folders are not searched."""
    depth: int | None = None
    """Number of folder levels searched; None: all."""
    keep: tuple[str, ...] = ()
    """Kinds (`what`) whose paths the account keeps."""

    @cached_property
    def top(self) -> re.Pattern[str]:
        """Pattern that matches every name of `tops`."""
        return re.compile("|".join(self.tops))

    @cached_property
    def not_needed(self) -> re.Pattern[str]:
        """Pattern that matches every path of `beside`."""
        return re.compile("|".join(f"(?:{text})" for text in self.beside) or r"(?!)", re.IGNORECASE)


@dataclass(kw_only=True)
class Account:
    """The files and folders found in a raw data set, by what they are."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Number of files of each kind, by `what`."""
    kept: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Paths of the kinds in `Layout.keep`, sorted by folder."""
    near: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of the files and folders that seem to be misnamed data."""
    others: list[str] = field(default_factory=list)
    """Files and folders (with a trailing `/`) that are not part of the data set."""


def account_for(root: Path, layout: Layout, bad: BadItems) -> Account:
    """Account for every file below `root`.

    Files that are not part of the data set are added to `bad.beside`. Raises UserError if names almost
    match those of data, with their number and the expected names; with `bad.skip` they are left out instead.
    """
    account = Account()
    _look(root, layout, account)
    if account.near:
        shown = "; ".join(f"{path} ({why})" for path, why in account.near[:SHOWN])
        more = f"; and {len(account.near) - SHOWN} more" if len(account.near) > SHOWN else ""
        count = (
            f"{len(account.near)} names in {root} resemble"
            if len(account.near) > 1
            else f"a name in {root} resembles"
        )
        bad.leave_out_all(
            [(path, f"its name is not as in {layout.title}: {why}") for path, why in account.near],
            f"{count} data of {layout.title} without matching it, and would not be read: {shown}{more}; "
            "restore the original names, or move these files away",
        )
    bad.beside += account.others
    return account


def _look(root: Path, layout: Layout, account: Account) -> None:
    for name in _look_into(root, "", layout, account):
        if layout.top.fullmatch(name):
            _look_below(root, name, layout, account, frozenset())
        elif not OURS.fullmatch(name):
            _account_for_top(root, name, layout, account)


def _account_for_top(root: Path, name: str, layout: Layout, account: Account) -> None:
    """Account for a folder in the root that is not one of the layout's."""
    plain = without_copy_marks(name)
    like = nearest(name, layout.top_names)
    is_copy = re.fullmatch(layout.top.pattern, plain, re.IGNORECASE) is not None
    if is_copy or (like is not None and not (root / like).is_dir()):
        account.near.append((f"{name}/", f"did you mean {like or plain}?"))
    else:
        account.others.append(f"{name}/")


def _look_below(
    root: Path, folder: str, layout: Layout, account: Account, above: frozenset[tuple[int, int]]
) -> None:
    """Account for `folder` and all its subfolders; `above`: device and inode of its parent folders."""
    state = os.stat(root / folder)
    identity = (state.st_dev, state.st_ino)
    if identity in above:  # a link in a circle
        return
    inside = _look_into(root, folder, layout, account)
    if layout.depth is None or folder.count("/") + 1 < layout.depth:
        for name in inside:
            _look_below(root, f"{folder}/{name}", layout, account, above | {identity})


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of everything in `folder` except junk, sorted."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if not is_junk(entry.name))
    except OSError as error:
        raise UserError(
            f"cannot list the folder {folder}: {error.strerror}; grant read permission, or restore it."
        ) from error
    check_names(folder, (name for name, _ in found))
    return found


def _look_into(root: Path, folder: str, layout: Layout, account: Account) -> list[str]:
    """Account for the files of one folder; returns the names of its subfolders that are to be searched."""
    here = [kind for kind in layout.kinds if kind.patterns["folder"].fullmatch(folder)]
    matches = [(kind.what, kind.patterns["name"].fullmatch, kind.what in layout.keep) for kind in here]
    is_not_needed, above = layout.not_needed.fullmatch, f"{folder}/" if folder else ""
    entries = _entries(root / folder)
    unknown, folders = [], []
    for name, is_folder in entries:
        if is_folder:
            if not is_not_needed(above + name):
                folders.append(name)
            continue
        for what, match, is_kept in matches:
            if match(name):
                account.counts[what] += 1
                if is_kept:
                    account.kept[what].append(above + name)
                break
        else:
            if not (is_not_needed(above + name) or (not folder and OURS.fullmatch(name))):
                unknown.append(name)
    if unknown:
        originals = {
            what: {PurePosixPath(name).stem.casefold() for name, _ in entries if match(name)}
            for what, match, _ in matches
        }
        for name in unknown:
            why = _almost(above + name, here, layout.kinds, originals)
            if why is None:
                account.others.append(above + name)
            else:
                account.near.append((above + name, why))
    return folders


def _almost(
    path: str, here: Iterable[FileKind], kinds: Iterable[FileKind], originals: Mapping[str, Collection[str]]
) -> str | None:
    """Why `path`, which matches no kind, seems to be misnamed data; None if it does not.

    `originals`: for each kind, names of the data files in the same folder, in lower case, without extension.
    """
    folder, _, name = path.rpartition("/")
    plain = without_copy_marks(path)
    plain_folder, _, plain_name = plain.rpartition("/")
    for kind in kinds:
        patterns = kind.patterns
        if patterns["folder in any case"].fullmatch(plain_folder) and patterns["name"].fullmatch(plain_name):
            return f"did you mean {plain_name if plain_name != name else kind.example}?"
    if folder:
        for kind in kinds:
            if kind.patterns["elsewhere"].fullmatch(plain_name):
                return f"a {kind.what} in another folder than {kind.example}"
    if is_document(name):
        return None
    for kind in here:
        if kind.patterns["suspect"].search(name):
            # Next to the original, an image or clip in another format is a user's own conversion.
            if PurePosixPath(plain_name).stem.casefold() in originals[kind.what]:
                return None
            return f"{kind.what}s are named like {PurePosixPath(kind.example).name}"
    return None
