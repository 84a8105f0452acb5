"""The data set `synthetic_wild`: other synthetic people in the wild, read through CK+'s adapter.

As in AffectNet, no person has a neutral face: neutral frames are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets import ckplus
from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.records import DatasetDescription, FrameRecord
from datasets.synthetic.parameters import SetParameters

DATASET = DatasetDescription(
    name="synthetic_wild",
    title="Synthetic faces in the wild",
    request_from="Nothing to request: the set is drawn by this repository (docs/synthetic.md).",
    native_layout=ckplus.DATASET.native_layout,
    no_sequences="each of its frames shows another place, light and pose, like a photograph",
    embedded=True,
)
PARAMETERS = SetParameters(subjects=24, frames=4, difficulty=0.5, seed=1, size_pixels=192, in_the_wild=True)
LAYOUT = "ckplus"
"""The native layout that the set is written in (datasets/synthetic/layouts/)."""


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """As `datasets.ckplus.read_records`, without the neutral frames."""
    found = ckplus.read_records(root, choices, bad)
    return [record for record in found if record.role != "neutral"]


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

    found = ckplus_records(PARAMETERS, choices)
    return [record for record in found if record.role != "neutral"]
