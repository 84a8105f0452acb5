"""What lies in a folder, and which data set's layout it looks like: `prepare --inspect`."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from datasets.catalogue import load_adapter
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems
from datasets.raw.downloads import recognise_download
from datasets.raw.folder_files import table_name
from datasets.raw.sources import require_folder, visible_names
from datasets.records import EXPRESSIONS, FrameRecord
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
    """The data sets whose layout `root` has, by its folders and a few file names."""
    return [name for name, sign in SIGNS.items() if sign(root)]


def read_leniently(dataset: str, root: Path) -> tuple[list[FrameRecord], BadItems]:
    """What the adapter of `dataset` finds in `root`, and what it would leave out. Raises UserError
    where it can read nothing."""
    bad = BadItems(skip=True, root=root.absolute())
    return load_adapter(dataset).read_records(root.absolute(), ALL_BY_THE_RULE, bad), bad


def codes_and_notes(dataset: str, root: Path) -> tuple[str, list[str]]:
    """The label codes in `root` with how often each occurs, and what else the adapter has to say.

    Both are empty for data sets that have no codes of their own.
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
    if dataset not in SIGNS:
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


def _folders(root: Path) -> list[str]:
    return [name for name in visible_names(root) if (root / name).is_dir()]


def _some_files(root: Path, pattern: str) -> Iterable[Path]:
    return islice(root.glob(pattern), 1)


def _is_ckplus(root: Path) -> bool:
    return (root / "cohn-kanade-images").is_dir() and (root / "Emotion").is_dir()


def _is_mmi(root: Path) -> bool:
    return (root / "Sessions").is_dir()


def _is_affectnet(root: Path) -> bool:
    old = (root / "Manually_Annotated_Images").is_dir()
    return old or any((root / part / "annotations").is_dir() for part in ("train_set", "val_set"))


def _is_oulu_casia(root: Path) -> bool:
    cropped = re.compile(r"(VL|NI)_Acropped", re.IGNORECASE)
    below = [f"{top}/{name}" for top in _folders(root)[:50] for name in _folders(root / top)[:50]]
    return any(cropped.search(name) for name in (*_folders(root), *below))


def _is_bu3dfe(root: Path) -> bool:
    subjects = [name for name in _folders(root) if re.fullmatch(r"[FM]\d{4}", name, re.IGNORECASE)]
    return any(
        re.search(r"_F2D\.bmp$", name, re.IGNORECASE)
        for one in subjects[:3]
        for name in os.listdir(root / one)
    )


def _is_fmpn_release(root: Path) -> bool:
    return (root / "imgs").is_dir() and any(True for _ in _some_files(root, "t*_ids_*.csv"))


def _is_folder(root: Path) -> bool:
    if table_name(root) is not None:
        return True
    named = {name.lower() for subject in _folders(root)[:20] for name in _folders(root / subject)}
    return len(named & set(EXPRESSIONS)) >= 2


SIGNS: dict[str, Callable[[Path], bool]] = {
    "ckplus": _is_ckplus,
    "mmi": _is_mmi,
    "affectnet": _is_affectnet,
    "oulu_casia": _is_oulu_casia,
    "bu3dfe": _is_bu3dfe,
    "fmpn_release": _is_fmpn_release,
    "folder": _is_folder,
}
"""By which each layout is recognised."""
