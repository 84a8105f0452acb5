"""The data set `synthetic`: synthetic faces in a laboratory, read through CK+'s adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import ckplus
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.records import DatasetDescription, FrameRecord
from datasets.synthetic.parameters import SetParameters

DATASET = DatasetDescription(
    name="synthetic",
    title="Synthetic faces",
    request_from="Nothing to request: the set is drawn by this repository (docs/synthetic.md).",
    native_layout=ckplus.DATASET.native_layout,
    course="to_apex",
    embedded=True,
)
PARAMETERS = SetParameters(subjects=20, frames=6, difficulty=0.4, seed=0, size_pixels=192)
LAYOUT = "ckplus"
"""The native layout that the set is written in (datasets/synthetic/layouts/)."""


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """As `datasets.ckplus.read_records`."""
    return ckplus.read_records(root, choices, bad)


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """As `datasets.ckplus.read_frame`."""
    return ckplus.read_frame(root, record)


def dense_landmarks(root: Path, record: FrameRecord) -> np.ndarray | None:
    """As `datasets.ckplus.dense_landmarks`."""
    return ckplus.dense_landmarks(root, record)


def ensure_written(root: Path) -> None:
    """Draw the set into `root` unless it is there; takes about ten seconds."""
    from datasets.synthetic.set_writer import write_set

    write_set(root, PARAMETERS, layout=LAYOUT)


def undrawn_records(choices: Choices = ALL_BY_THE_RULE) -> list[FrameRecord]:
    """The records that `read_records` would return for the drawn set, without sources and landmarks."""
    from datasets.synthetic.undrawn import ckplus_records

    return ckplus_records(PARAMETERS, choices)
