"""Rules for a start from FMPN's released checkpoint: no test subject that it has seen, and its classes."""

from __future__ import annotations

from collections.abc import Sequence

from datasets.catalogue import describe, share_people
from datasets.prepared.merged_names import sets_of
from datasets.raw.fmpn_labels import EXPRESSION_OF_CODE
from platform.errors import UserError
from platform.runs.tasks import DataReference

RELEASES = {"ckplus": "CK+", "mmi": "MMI"}
"""Data sets that the released checkpoints were trained on, and their titles in the release."""


def check_released_start(data: Sequence[DataReference], folds_only: Sequence[int]) -> None:
    """UserError unless every data set of the experiment may start from a released checkpoint.

    Each checkpoint was trained on the training subjects of one fold, and no file says which. So a data set
    with the same people may run one named fold only, which the user thereby declares to be the one that the
    checkpoint left out. The classes must be those of the release, whose files name none.
    """
    for one in data:
        _check_people(one.dataset, folds_only)
        _check_classes(one)


def _check_people(dataset: str, folds_only: Sequence[int]) -> None:
    seen = [
        name
        for name in sets_of(dataset)
        if any(name == released or share_people(name, released) for released in RELEASES)
    ]
    if seen and len(folds_only) != 1:
        raise UserError(
            f"a released checkpoint has seen people of {describe(seen[0]).title}, so fold runs would test "
            "subjects that it was trained on; run the one fold that the checkpoint left out (python -m "
            "platform.crossval --folds-only K), or pass another --dataset."
        )


def _check_classes(data: DataReference) -> None:
    release = "mmi" if "mmi" in (data.dataset, data.stands_for) else "ckplus"
    expected = tuple(EXPRESSION_OF_CODE[RELEASES[release]].values())
    if tuple(data.class_names) != expected:
        raise UserError(
            f"the released classifier has an output for each of {', '.join(expected)}, but the labels of "
            f"{data.dataset} are {', '.join(data.class_names)}; pass a --dataset with those classes, or "
            "--weights imagenet."
        )
