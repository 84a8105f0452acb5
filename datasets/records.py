"""Descriptions of data sets, and records of their frames: what every adapter returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""The field's class names. All our files store classes by name, never by bare number."""

Role = Literal["expressive", "neutral", "context"]

Course = Literal["to_apex", "there_and_back", "unknown"]
"""Course of a data set's sequences: from neutral to the apex, or over the apex back to neutral."""


@dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """Facts of a data set that a user needs before preparing it."""

    name: str
    """The registry key: the name of the adapter's file, and the value of `--dataset`."""
    title: str
    """Name in papers, for tables and messages."""
    request_from: str
    """Where to request a licensed copy; a sentence."""
    native_layout: str
    """One line with the folders and files that the adapter reads, relative to `--source`."""
    alignment_flag: str = ""
    """Flag that `prepare` needs beside --source for a data set without landmarks: `--landmarks detect` or
    `--aligned`."""
    same_people_as: tuple[str, ...] = ()
    """Data sets whose people may be in this one too: neither may be the source or the test set of the
    other."""
    released_crops: bool = False
    """Whether face crops are by default scaled as FMPN's released code does it."""
    course: Course = "unknown"
    """Course of its sequences; with `to_apex` the last frame is the apex, with `there_and_back` the central
    one."""
    no_sequences: str = ""
    """Why the data set has no sequences, for messages; empty if it has some."""
    embedded: bool = False
    """Whether commands can write and prepare the set themselves: true for the synthetic sets."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameRecord:
    """One frame of a raw data set that goes into the prepared set."""

    subject_id: str
    sequence_id: str
    """Unique in the data set, e.g. `S005_001`."""
    frame: int
    """Number of the frame in its sequence, as the data set numbers it."""
    expression: str
    """One of EXPRESSIONS; `neutral` for a neutral frame."""
    role: Role
    """`expressive`: trained on and scored. `neutral`: the subject's neutral face, from which masks are made.
    `context`: another frame of a labelled sequence, for sequence methods, never scored."""
    source: str
    """Path of the file relative to the data set's root, with `/`."""
    landmarks: np.ndarray | None
    """float64 (5, 2), x and y in pixels of the source frame: left eye, right eye, nose, left and right mouth
    corner, where left means left in the image. None if the data set comes without landmarks."""

    @property
    def image_name(self) -> str:
        """`S005_001_00000011`: unique in the data set, and the image's name in FMPN's lists."""
        return f"{self.sequence_id}_{self.frame:08d}"
