"""A whole adapter, as a contributor would write it: faces named `anna-anger.png` in one folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from datasets.raw.choices import ALL_BY_THE_RULE, BadItems, Choices
from datasets.raw.sources import found_in, read_image, require_folder, source_path, visible_names
from datasets.records import DatasetDescription, FrameRecord
from platform.errors import UserError

DATASET = DatasetDescription(
    name="toy",
    title="Toy faces",
    request_from="Nothing to request: the test paints them.",
    native_layout="<subject>-<expression>.png",
    alignment_flag="--aligned",
    no_sequences="each of its images is a painting",
)


def recognises(root: Path) -> bool:
    """Whether `root` holds images named by subject and expression."""
    return any(name.endswith("-neutral.png") for name in visible_names(root))


def read_records(
    root: Path, choices: Choices = ALL_BY_THE_RULE, bad: BadItems | None = None
) -> list[FrameRecord]:
    """A record for each image; a subject's one neutral face is its reference."""
    if not recognises(require_folder(root)):
        raise UserError(f"{root} has another layout than {DATASET.native_layout}: it holds {found_in(root)}.")
    records = []
    for name in visible_names(root):
        subject, expression = Path(name).stem.split("-")
        records.append(
            FrameRecord(
                subject_id=subject,
                sequence_id=f"{subject}-{expression}",
                frame=0,
                expression=expression,
                role="neutral" if expression == "neutral" else "expressive",
                source=name,
                landmarks=None,
            )
        )
    return records


def read_frame(root: Path, record: FrameRecord) -> np.ndarray:
    """The image of `record`, uint8 (H, W, 3), RGB."""
    return read_image(source_path(root, record.source))
