"""The data sets by name, and their adapters.

An adapter is a module with DATASET, `read_records(root, choices, bad)` and `read_frame(root, record)`;
one whose data set this repository makes itself (`DATASET.embedded`) also has `ensure_written(root)` and
`undrawn_records()`.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np

from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import unknown_name

ADAPTERS = {
    "affectnet": "datasets.affectnet",
    "bu3dfe": "datasets.bu3dfe",
    "ckplus": "datasets.ckplus",
    "fmpn_release": "datasets.fmpn_release",
    "folder": "datasets.folder",
    "mmi": "datasets.mmi",
    "oulu_casia": "datasets.oulu_casia",
    "synthetic": "datasets.synthetic.adapter",
    "synthetic_mmi": "datasets.synthetic.adapter_mmi",
    "synthetic_wild": "datasets.synthetic.adapter_wild",
}
"""The adapter's module of each data set; imported when asked for."""


class Adapter(Protocol):
    """What every adapter module offers."""

    DATASET: DatasetDescription

    def read_records(
        self, root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
    ) -> list[FrameRecord]:
        """The frames wanted from the raw data set in `root`: expressive ones, neutral ones, and what
        `choices` adds. `bad` (None: strict) says what becomes of a sequence or image that is bad."""

    def read_frame(self, root: Path, record: FrameRecord) -> np.ndarray:
        """The image of `record`, uint8 (H, W, 3), RGB."""


def dataset_names() -> list[str]:
    """All names, sorted."""
    return sorted(ADAPTERS)


def load_adapter(name: str) -> Adapter:
    """The adapter of the data set `name`. Raises UserError for an unknown name."""
    if name not in ADAPTERS:
        raise unknown_name("data set", name, ADAPTERS)
    return cast(Adapter, import_module(ADAPTERS[name]))


def describe(name: str) -> DatasetDescription:
    """What is known of the data set `name`. Raises UserError for an unknown name."""
    return load_adapter(name).DATASET


def share_people(one: str, other: str) -> bool:
    """Whether people of a data set may be people of another one too. Raises UserError for an unknown name."""
    return other in describe(one).same_people_as or one in describe(other).same_people_as


def raw_folder(data_root: Path, name: str) -> Path:
    """Where an embedded data set is written before it is prepared."""
    return data_root / "raw" / name


def ensure_embedded(name: str, folder: Path) -> None:
    """Write the embedded data set `name` to `folder`, in its native layout, if it is not there."""
    adapter = load_adapter(name)
    if not adapter.DATASET.embedded:
        raise ValueError(f"{name} is not embedded: its licence lets nobody write it but its owners")
    import_module(ADAPTERS[name]).ensure_written(folder)


def undrawn_records(name: str) -> list[FrameRecord]:
    """The records of the embedded data set `name`, known before it is drawn; no sources, no landmarks."""
    records: list[FrameRecord] = import_module(ADAPTERS[name]).undrawn_records()
    return records


def paper_image_counts(name: str) -> dict[str, int]:
    """Expressive images of each class in the paper's experiments; empty where it did not use the set."""
    return dict(getattr(load_adapter(name), "PAPER_IMAGE_COUNTS", {}))
