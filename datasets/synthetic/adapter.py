"""The data set `synthetic`: drawn faces in a laboratory, read through CK+'s adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import ckplus
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.records import DatasetDescription, FrameRecord

DATASET = DatasetDescription(
    name="synthetic",
    title="Synthetic faces",
    request_from="Nothing to request: the set is drawn by this repository (docs/synthetic.md).",
    native_layout=ckplus.DATASET.native_layout,
    embedded=True,
)


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """As `datasets.ckplus.read_records`."""
    return ckplus.read_records(root, choices, bad)


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """As `datasets.ckplus.read_frame`."""
    return ckplus.read_frame(root, record)


def ensure_written(root: Path) -> None:
    """Draw the set into `root` unless it is there; about ten seconds."""
    from datasets.synthetic.sets import ensure_set_written

    ensure_set_written(DATASET.name, root)


def undrawn_records() -> list[FrameRecord]:
    """What `read_records` finds once the set is drawn, without sources and landmarks."""
    from datasets.synthetic.sets import SYNTHETIC_SETS
    from datasets.synthetic.undrawn import ckplus_records

    return ckplus_records(SYNTHETIC_SETS[DATASET.name])
