"""The data set `synthetic_mmi`: clips of other synthetic people in MMI's layout, read through MMI's
adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import mmi
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.landmark_matching import attach_landmarks
from datasets.raw.landmarks import read_landmarks
from datasets.records import DatasetDescription, FrameRecord
from datasets.synthetic.layouts.mmi import LANDMARKS
from datasets.synthetic.parameters import SetParameters

DATASET = DatasetDescription(
    name="synthetic_mmi",
    title="Synthetic clips",
    request_from="Nothing to request: the set is drawn by this repository (docs/synthetic.md).",
    native_layout=mmi.DATASET.native_layout,
    course="there_and_back",
    embedded=True,
)
PARAMETERS = SetParameters(subjects=31, frames=4, difficulty=0.45, seed=2, size_pixels=160)
LAYOUT = "mmi"
"""The native layout that the set is written in (datasets/synthetic/layouts/)."""


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """As `datasets.mmi.read_records`, with the drawn landmarks."""
    return attach_landmarks(mmi.read_records(root, choices, bad), read_landmarks(root / LANDMARKS), bad)


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """As `datasets.mmi.read_frame`."""
    return mmi.read_frame(root, record)


def dense_landmarks(root: Path, record: FrameRecord) -> np.ndarray:
    """The frame's 68 landmarks, float64 (68, 2), in its pixels: drawn again, because `landmarks.csv` holds
    five. Raises UserError if `root` has no record of how it was drawn."""
    from datasets.synthetic.layouts.mmi import clip_landmarks
    from datasets.synthetic.set_writer import parameters_of

    return clip_landmarks(parameters_of(root), record.sequence_id, record.frame)


def ensure_written(root: Path) -> None:
    """Draw the set into `root` unless it is there; takes about twenty seconds."""
    from datasets.synthetic.set_writer import write_set

    write_set(root, PARAMETERS, layout=LAYOUT)


def undrawn_records(choices: Choices = ALL_BY_THE_RULE) -> list[FrameRecord]:
    """The records that `read_records` would return for the drawn set, without sources and landmarks."""
    from datasets.synthetic.undrawn import mmi_records

    return mmi_records(PARAMETERS, choices)
