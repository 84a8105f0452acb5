"""Catalogue of the data sets: one line each, the name and the module of its adapter.

An adapter is a module that offers what `Adapter` says. It may also have:

- `recognises(root)`: whether a folder has the data set's layout, for `prepare --inspect` and for the check
  that a folder is not another data set's. Every data set with a layout of its own has it;
- `label_codes(root)` and `inspection_notes(root)`: label codes with counts, and remarks, for `--inspect`;
- `ALSO_DECIDES`: files beside the images whose change asks for a new preparation;
- `PAPER_IMAGE_COUNTS`: images of each class in the paper's experiments;
- `dense_landmarks(root, record)`: the 68 landmarks that the data set has for a frame, float64 (68, 2) in its
  pixels, None if it has none for it (prepare --dense-landmarks);
- `subject_groups(subject, source)`: groups of a subject by grouping, e.g. `{"sex": "female"}`, from its name
  and that of a file, where the data set knows them;
- `no_sequences_in(root)`: why this copy has no sequences, empty if it has some, where copies differ in that;
- where this repository draws the data set (`DATASET.embedded`): `ensure_written(root)`, which draws it, and
  `undrawn_records(choices)`, the records that it will have.
"""

from __future__ import annotations

import dataclasses
import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from platform.errors import UserError, unknown_name

if TYPE_CHECKING:
    import numpy as np

    from datasets.records import DatasetDescription, FrameRecord

ADAPTERS = {
    "affectnet": "datasets.affectnet",
    "bu3dfe": "datasets.bu3dfe",
    "ckplus": "datasets.ckplus",
    "fmpn_release": "datasets.fmpn_release",
    "mmi": "datasets.mmi",
    "oulu_casia": "datasets.oulu_casia",
    "folder": "datasets.folder",
    "synthetic": "datasets.synthetic.adapter",
    "synthetic_mmi": "datasets.synthetic.adapter_mmi",
    "synthetic_wild": "datasets.synthetic.adapter_wild",
}
"""Name of the data set, the value of `--dataset`, to the module of its adapter, imported on first use. Where
a folder has several layouts, the first one here is proposed."""


OWN = "folder:"
"""Start of the names of the user's own sets: `folder:NAME`, a folder each, all read by one adapter."""


class Adapter(Protocol):
    """The interface of every adapter module."""

    DATASET: DatasetDescription

    def read_records(
        self, root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
    ) -> list[FrameRecord]:
        """The wanted frames of the raw data set in `root`: expressive and neutral ones, and what `choices`
        adds. `bad` (None: strict) decides what happens to a damaged sequence or image."""

    def read_frame(self, root: Path, record: FrameRecord) -> np.ndarray:
        """The image of `record`, uint8 (H, W, 3), RGB."""


def dataset_names() -> list[str]:
    """All names, sorted."""
    return sorted(ADAPTERS)


def recognisable_names() -> list[str]:
    """The data sets with a layout of their own, in the catalogue's order; drawn sets imitate another's."""
    return [name for name in ADAPTERS if hasattr(load_adapter(name), "recognises")]


def recognises(name: str, root: Path) -> bool:
    """Whether the folder `root` has the layout of the data set `name`."""
    return bool(_module(name).recognises(root))


def load_adapter(name: str) -> Adapter:
    """The adapter of the data set `name`. Raises UserError for an unknown name."""
    return cast(Adapter, _module(name))


def _module(name: str) -> Any:
    adapter = adapter_name(name)
    if adapter not in ADAPTERS:
        raise unknown_name("data set", name, [*ADAPTERS, f"{OWN}NAME"])
    return import_module(ADAPTERS[adapter])


def adapter_name(name: str) -> str:
    """The catalogue's name of the data set `name`: `folder` for `folder:NAME`."""
    return OWN.rstrip(":") if is_own(name) else name


def is_own(name: str) -> bool:
    """Whether `name` is `folder:NAME`. UserError: NAME could not be part of file names."""
    if not name.startswith(OWN):
        return False
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name.removeprefix(OWN)):
        raise UserError(
            f"the name of a set of your own consists of letters, digits, '.', '_' and '-', but got {name!r}; "
            f"pass --dataset {OWN}NAME."
        )
    return True


def describe(name: str) -> DatasetDescription:
    """The description of the data set `name`. Raises UserError for an unknown name."""
    found = load_adapter(name).DATASET
    return dataclasses.replace(found, name=name, title=name.removeprefix(OWN)) if is_own(name) else found


def file_name(dataset: str) -> str:
    """The name of a data set or merged set as part of file names: `folder-NAME` for `folder:NAME`."""
    return dataset.replace(":", "-")


def share_people(one: str, other: str) -> bool:
    """Whether people of one data set may also be in the other. Raises UserError for an unknown name."""
    return other in describe(one).same_people_as or one in describe(other).same_people_as


def raw_folder(data_root: Path, name: str) -> Path:
    """The folder that an embedded data set is drawn into before it is prepared."""
    return data_root / "raw" / name


def ensure_embedded(name: str, folder: Path) -> None:
    """Draw the embedded data set `name` into `folder`, in its native layout, unless it is there."""
    if not describe(name).embedded:
        raise ValueError(f"{name} is not a built-in data set and cannot be generated here")
    _module(name).ensure_written(folder)


def undrawn_records(name: str, choices: Choices = ALL_BY_THE_RULE) -> list[FrameRecord]:
    """The records of the embedded data set `name`, known before it is drawn; no sources, no landmarks."""
    records: list[FrameRecord] = _module(name).undrawn_records(choices)
    return records


def has_dense_landmarks(name: str) -> bool:
    """Whether the data set `name` comes with 68 landmarks per frame."""
    return hasattr(_module(name), "dense_landmarks")


def dense_landmarks(name: str, root: Path, record: FrameRecord) -> np.ndarray | None:
    """The 68 landmarks that the data set has for the frame, float64 (68, 2) in its pixels; None for none."""
    points: np.ndarray | None = _module(name).dense_landmarks(root, record)
    return points


def knows_groups(name: str) -> bool:
    """Whether the data set `name` knows groups of its subjects, such as sex and ancestry; an unknown one does
    not."""
    return adapter_name(name) in ADAPTERS and hasattr(_module(name), "subject_groups")


def names_with_groups() -> list[str]:
    """The data sets that know groups of their subjects, sorted."""
    return [name for name in dataset_names() if knows_groups(name)]


def subject_groups(name: str, subject: str, source: str) -> dict[str, str]:
    """Grouping to the group of the subject, as its name and that of one of its files say.

    source: as `FrameRecord.source`. Only for a data set that `knows_groups`.
    """
    groups: dict[str, str] = _module(name).subject_groups(subject, source)
    return groups


def no_sequences_in(name: str, root: Path) -> str:
    """Why the copy of the data set `name` in `root` has no sequences; empty if it has some."""
    why: str = describe(name).no_sequences
    module = _module(name)
    return why if why or not hasattr(module, "no_sequences_in") else str(module.no_sequences_in(root))


def names_with_sequences() -> list[str]:
    """The data sets that have sequences, sorted."""
    return [name for name in dataset_names() if not describe(name).no_sequences]


def paper_image_counts(name: str) -> dict[str, int]:
    """Expressive images of each class in the paper's experiments; empty for data sets that it did not use."""
    return dict(getattr(load_adapter(name), "PAPER_IMAGE_COUNTS", {}))
