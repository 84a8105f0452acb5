"""Complete commands for the `next:` lines; they work as printed, from the same folder."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from platform.errors import UserError
from platform.host.launcher import command_words, default_folder

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore
    from datasets.records import DatasetDescription, FrameRecord

LANDMARK_FILES = ("landmarks.csv", "bbox_landmark_mtcnn.pkl")
"""Landmark files in a folder of faces: that of `synthesize`, and FMPN's."""
MANY_SUBJECTS = 500
"""From this number on, every division into folds is assumed to have all classes in training."""


def command(module: str, *words: str) -> str:
    """`./fer MODULE WORDS`, quoted for a shell, as it works in the working directory."""
    return shlex.join([*command_words(module), *words])


def again_at(argv: Sequence[str], size_pixels: int) -> str:
    """The `prepare` command with the arguments `argv`, for another size."""
    words, skip = [], False
    for word in argv:
        if not skip and word != "--size" and not word.startswith("--size="):
            words.append(word)
        skip = word == "--size"
    return command("prepare", *words, "--size", str(size_pixels))


def preparation_command(
    description: DatasetDescription,
    source: Path,
    records: Sequence[FrameRecord] | None = None,
    *,
    skip_bad: bool = False,
    further: Sequence[str] = (),
) -> str:
    """The command that prepares the faces in `source`.

    records: what was read there; None: assume the data set's standard layout. skip_bad: add --skip-bad.
    """
    words = [
        "--dataset",
        description.name,
        "--source",
        str(source),
        *_alignment(description, source, records),
    ]
    return command("prepare", *words, *(["--skip-bad"] if skip_bad else []), *further)


def _alignment(
    description: DatasetDescription, source: Path, records: Sequence[FrameRecord] | None
) -> list[str]:
    """Flags for the source of landmarks, if frames have none."""
    lacks = records is None or any(record.landmarks is None for record in records)
    if description.alignment_flag == "--aligned":
        return ["--aligned"]
    if not lacks or (records is None and not description.alignment_flag):
        return []
    found = [source / name for name in LANDMARK_FILES if (source / name).is_file()]
    return ["--landmarks", str(found[0]) if found else "detect"]


def training_command(store: PreparedStore, data_root: Path) -> str | None:
    """The command that trains on these faces; None if no division of their subjects into folds is valid.

    It is a search where the data allow one, otherwise a cross-validation: without masks if subjects lack
    the one neutral face that motion masks need, and with fewer folds if there are few subjects.
    """
    classes: dict[str, Counter[str]] = {}
    neutral: Counter[str] = Counter()
    for subject, role, expression in zip(
        store.subjects.tolist(), store.roles.tolist(), store.expressions.tolist(), strict=True
    ):
        if role == "expressive":
            classes.setdefault(subject, Counter())[expression] += 1
        neutral[subject] += role == "neutral"
    words = ["--dataset", store.dataset]
    words += [] if data_root == default_folder("data") else ["--data-root", str(data_root)]
    words += _size_words(store.size_pixels)
    complete = all(neutral[subject] == 1 for subject in classes)
    for search in (True, False) if complete else (False,):
        folds = _folds(classes, search=search)
        if folds is not None:
            without = [] if complete else ["--method", "cnn", "--baselines", ""]
            fewer = [] if folds == _default_folds() else ["--folds", str(folds)]
            return command("tune" if search else "crossval", *words, *without, *fewer)
    return None


def _size_words(size_pixels: int) -> list[str]:
    """The preset for faces of this size, or `quick` adapted to it."""
    from platform.config.presets import preset, preset_names
    from platform.models.options.faces import Faces

    for name in preset_names():
        if preset(name).get("load_size_pixels", Faces.load_size_pixels) == size_pixels:
            return ["--preset", name]
    quick = preset("quick")
    crop = size_pixels * quick["image_size_pixels"] // quick["load_size_pixels"]
    sizes = ["--load-size-pixels", str(size_pixels), "--image-size-pixels", str(max(16, crop))]
    return ["--preset", "quick", *sizes]


def _default_folds() -> int:
    from platform.config.configuration import Plan

    return Plan.folds


def _folds(classes: Mapping[str, Counter[str]], *, search: bool) -> int | None:
    """The largest number of folds, up to the default, that all train on every class; None: no number."""
    from datasets.folds.rules import check_training_classes, inner_parts, paper_folds
    from platform.config.selection import INNER_PARTS

    if len(classes) >= MANY_SUBJECTS:
        return _default_folds()
    for count in range(min(_default_folds(), len(classes)), 1, -1):
        try:
            folds = paper_folds(classes, count)
            check_training_classes(folds, classes)
            for fold in folds.folds if search else ():
                inner_parts(fold.train_subjects, classes, seed=0, part_count=INNER_PARTS)
        except UserError:
            continue
        return count
    return None
