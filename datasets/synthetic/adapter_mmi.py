"""The data set `synthetic_mmi`: other drawn people in MMI's layout of clips, read through MMI's adapter."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import mmi
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.landmark_matching import attach_landmarks
from datasets.raw.landmarks import read_landmarks
from datasets.records import DatasetDescription, FrameRecord
from datasets.synthetic.layouts.mmi import LANDMARKS

DATASET = DatasetDescription(
    name="synthetic_mmi",
    title="Synthetic clips",
    request_from="Nothing to request: the set is drawn by this repository (docs/synthetic.md).",
    native_layout=mmi.DATASET.native_layout,
    embedded=True,
)


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """As `datasets.mmi.read_records`, with the drawn landmarks."""
    return attach_landmarks(mmi.read_records(root, choices, bad), read_landmarks(root / LANDMARKS), bad)


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """As `datasets.mmi.read_frame`."""
    return mmi.read_frame(root, record)


def ensure_written(root: Path) -> None:
    """Draw the set into `root` unless it is there; about twenty seconds."""
    from datasets.synthetic.sets import ensure_set_written

    ensure_set_written(DATASET.name, root)


def undrawn_records() -> list[FrameRecord]:
    """What `read_records` finds once the set is drawn, without sources and landmarks."""
    from datasets.synthetic.sets import SYNTHETIC_SETS
    from datasets.synthetic.undrawn import mmi_records

    return mmi_records(SYNTHETIC_SETS[DATASET.name])
