"""An account of every file in a raw data set: data, known and not needed, junk, almost data, or none of it.

An adapter reads the files whose names its layout gives. A file whose name was changed by a copy (`x (1).txt`,
`x.TXT.bak`, `x.mp4` for `x.avi`) would be absent to it without a word. So every adapter states its layout
and has the folder accounted for by it before it reads: names that are almost those of data stop, all other
names are told.
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
"""Pattern for `FileKind.suspect`: files that hold an image, whatever the layout's own kind is."""
TEXT_LIKE = r"\.(txt|csv|tsv|dat|text)$"
VIDEO_LIKE = r"\.(avi|mp4|m4v|mov|mpe?g|mkv|wmv|webm|flv|3gp|ogv|ts|divx)$"

OURS = re.compile(r"synthetic\.json(\.part)?|orientation\.csv|landmarks\.csv")
"""What this repository writes, or tells a user to write, into a data set's folder."""

SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class FileKind:
    """One kind of data file in a layout. Patterns match whole names; those of files in any case."""

    what: str
    """For messages: `label`."""
    folder: str
    """Pattern of its folder, relative to the root with `/`; empty for the root."""
    name: str
    """Pattern of its name."""
    example: str
    """A name of its kind, for messages."""
    suspect: str
    """Pattern that is searched in the names of other files of that folder: it finds those that can only
    be data of this kind under another name."""
    elsewhere: str = r"(?!)"
    """Pattern of names that are data of this kind in any folder, so that they are misplaced in others."""

    @cached_property
    def patterns(self) -> dict[str, re.Pattern[str]]:
        """The patterns, compiled, by the name of their field."""
        texts = {"folder": self.folder, "name": self.name}
        texts |= {"suspect": self.suspect, "elsewhere": self.elsewhere}
        compiled = {key: re.compile(text, re.IGNORECASE) for key, text in texts.items()}
        return {"folder in any case": compiled["folder"], **compiled, "folder": re.compile(self.folder)}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """What lies where in a data set's folder."""

    title: str
    """The data set's, for messages."""
    tops: tuple[str, ...]
    """Patterns of the folders in the root that hold data; others are named and not looked into."""
    top_names: tuple[str, ...]
    """Names of such folders, where they are known; a folder named almost like one of these is proposed."""
    kinds: tuple[FileKind, ...]
    beside: tuple[str, ...] = ()
    """Patterns of paths that belong to the data set and are not needed; folders are not looked into."""
    depth: int | None = None
    """Levels of folders that are looked into; None: all."""
    keep: tuple[str, ...] = ()
    """The kinds (`what`) whose paths the account keeps."""

    @cached_property
    def top(self) -> re.Pattern[str]:
        """Matches every name of `tops`."""
        return re.compile("|".join(self.tops))

    @cached_property
    def not_needed(self) -> re.Pattern[str]:
        """Matches every path of `beside`."""
        return re.compile("|".join(f"(?:{text})" for text in self.beside) or r"(?!)", re.IGNORECASE)


@dataclass(kw_only=True)
class Account:
    """What was found."""

    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Files of each kind, by its `what`."""
    kept: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Paths, sorted by folder, of the kinds that the layout keeps."""
    near: list[tuple[str, str]] = field(default_factory=list)
    """(path, what it is almost) of the files and folders that seem to be data under another name."""
    others: list[str] = field(default_factory=list)
    """Files and folders (with `/` at the end) that are no part of the data set."""


def account_for(root: Path, layout: Layout, bad: BadItems) -> Account:
    """The account of `root`, whose every file has a place in it.

    Raises UserError where files are named almost like data, with their number and what they should be
    called; `bad` may leave them out instead. It is told of all files that are no part of the data set.
    """
    account = Account()
    _look(root, layout, account)
    if account.near:
        shown = "; ".join(f"{path} ({why})" for path, why in account.near[:SHOWN])
        more = f"; and {len(account.near) - SHOWN} more" if len(account.near) > SHOWN else ""
        count = (
            f"{len(account.near)} names in {root} are" if len(account.near) > 1 else f"a name in {root} is"
        )
        bad.leave_out_all(
            [(path, f"its name is not as in {layout.title}: {why}") for path, why in account.near],
            f"{count} almost as in {layout.title}, and would not be read: {shown}{more}; "
            "rename or move away what is not as it was delivered",
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
    """A folder in the root that is not one of the layout's."""
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
    """Account for `folder` and all folders in it; `above`: device and inode of those that it lies in."""
    state = os.stat(root / folder)
    identity = (state.st_dev, state.st_ino)
    if identity in above:  # a link in a circle
        return
    inside = _look_into(root, folder, layout, account)
    if layout.depth is None or folder.count("/") + 1 < layout.depth:
        for name in inside:
            _look_below(root, f"{folder}/{name}", layout, account, above | {identity})


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """(name, whether it is a folder) of what is in `folder` and no junk, sorted."""
    try:
        with os.scandir(folder) as entries:
            found = sorted((entry.name, entry.is_dir()) for entry in entries if not is_junk(entry.name))
    except OSError as error:
        raise UserError(
            f"cannot list the folder {folder}: {error.strerror}; let it be read, or restore it."
        ) from error
    check_names(folder, (name for name, _ in found))
    return found


def _look_into(root: Path, folder: str, layout: Layout, account: Account) -> list[str]:
    """Account for the files of one folder; the names of the folders in it, but of those not needed."""
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
    """What the file `path`, which is of no kind, seems to be; None where it seems to be no data.

    `originals`: names of the data files of each kind beside it, in lower case, without their endings.
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
            # Beside the original, a picture or clip in another format is somebody's own conversion.
            if PurePosixPath(plain_name).stem.casefold() in originals[kind.what]:
                return None
            return f"{kind.what}s are named like {PurePosixPath(kind.example).name}"
    return None
