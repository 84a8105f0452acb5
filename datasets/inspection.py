"""Inspection of a folder: its files, and the data sets whose layout it has (`prepare --inspect`)."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from datasets.catalogue import adapter_name, load_adapter, recognisable_names, recognises
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems
from datasets.raw.downloads import recognise_download
from datasets.raw.folder_files import table_name
from datasets.raw.sources import require_folder
from datasets.records import FrameRecord
from platform.errors import UserError
from platform.files.junk import is_junk

EXAMPLES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A folder as it was found."""

    root: Path
    file_counts: dict[str, int]
    """Number of files by extension (`.png`; empty for none), the most frequent first."""
    examples: dict[str, list[str]]
    """The first few files of each extension, relative to `root`."""
    looks_like: list[str]
    """Data sets whose layout it has; empty where none is recognised."""


def inspect_folder(root: Path) -> Inspection:
    """Look at every file's name below `root`, opening none. Raises UserError where there is none."""
    require_folder(root)
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = {}
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not is_junk(name))
        for name in sorted(files):
            if is_junk(name):
                continue
            extension = os.path.splitext(name)[1].lower()
            counts[extension] += 1
            if len(examples.setdefault(extension, [])) < EXAMPLES_SHOWN:
                examples[extension].append(Path(folder, name).relative_to(root).as_posix())
    return Inspection(
        root=root,
        file_counts=dict(counts.most_common()),
        examples=examples,
        looks_like=layouts_of(root),
    )


def layouts_of(root: Path) -> list[str]:
    """The data sets whose adapter recognises `root`, in the order of the catalogue."""
    return [name for name in recognisable_names() if recognises(name, root)]


def read_leniently(dataset: str, root: Path) -> tuple[list[FrameRecord], BadItems]:
    """The records that the adapter of `dataset` finds in `root`, and the items that it would leave out.
    Raises UserError where it can read nothing."""
    bad = BadItems(skip=True, root=root.absolute())
    return load_adapter(dataset).read_records(root.absolute(), ALL_BY_THE_RULE, bad), bad


def codes_and_notes(dataset: str, root: Path) -> tuple[str, list[str]]:
    """The label codes in `root` with their counts, and the adapter's remarks.

    Both are empty for data sets without label codes.
    """
    adapter = load_adapter(dataset)
    codes, notes = "", []
    try:
        if hasattr(adapter, "label_codes"):
            counts = sorted(adapter.label_codes(root).items())
            codes = ", ".join(f"{code} ({count})" for code, count in counts)
        if hasattr(adapter, "inspection_notes"):
            notes = adapter.inspection_notes(root)
    except UserError as error:
        notes = [f"not all labels can be read: {error}"]
    return codes, notes


def check_looks_right(dataset: str, root: Path) -> None:
    """Raises UserError where `root` has the layout of other data sets and not that of `dataset`, or is a
    download that first has to be put in order."""
    dataset = adapter_name(dataset)
    if dataset not in recognisable_names():
        return
    found = layouts_of(root)
    # CK+48's folders of expressions in a folder look like the expressions of one person.
    is_own_tree = dataset == "folder" and table_name(root) is None
    download = recognise_download(root) if is_own_tree or dataset not in found else None
    if download is not None:
        raise UserError(
            f"{download.place} looks like {download.title} as it is downloaded, which no adapter reads. "
            f"{download.what_to_do}"
        )
    if found and dataset not in found:
        raise UserError(
            f"{root} is not in {load_adapter(dataset).DATASET.title}'s layout, it looks like "
            f"{load_adapter(found[0]).DATASET.title}'s; pass --dataset {found[0]}, "
            f"or --source the folder that holds {load_adapter(dataset).DATASET.native_layout}."
        )
