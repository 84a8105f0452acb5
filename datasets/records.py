"""Descriptions of data sets, and records of their frames: what every adapter returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

EXPRESSIONS = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""The field's class names. Classes are names in every file of ours, never bare numbers."""

Role = Literal["expressive", "neutral", "context"]


@dataclass(frozen=True, kw_only=True)
class DatasetDescription:
    """Facts of a data set that a user needs before preparing it."""

    name: str
    """The registry key: the name of the adapter's file, and the value of `--dataset`."""
    title: str
    """As written in papers, for tables and messages."""
    request_from: str
    """Where a licensed copy is requested; a sentence."""
    native_layout: str
    """One line that shows the folders and files the adapter reads, relative to `--source`."""
    alignment_flag: str = ""
    """Flag that `prepare` needs beside --source for a data set without landmarks: `--landmarks detect` or
    `--aligned`."""
    same_people_as: tuple[str, ...] = ()
    """Data sets whose people may be in this one too: neither may be the source or the test set of the
    other."""
    released_crops: bool = False
    """Face crops are scaled as FMPN's released code does it, where nothing else is asked for."""
    embedded: bool = False
    """True for the synthetic sets, which a command may write and prepare by itself."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FrameRecord:
    """One frame of a raw data set that is wanted in the prepared store."""

    subject_id: str
    sequence_id: str
    """Unique in the data set, e.g. `S005_001`."""
    frame: int
    """Number of the frame in its sequence, as the data set counts."""
    expression: str
    """One of EXPRESSIONS; `neutral` for a neutral frame."""
    role: Role
    """`expressive`: trained on and scored. `neutral`: the subject's reference face for masks.
    `context`: another frame of a labelled sequence, there for sequence methods and never scored."""
    source: str
    """Path of the file relative to the data set's root, with `/`."""
    landmarks: np.ndarray | None
    """float64 (5, 2), x and y in pixels of the source frame: left eye, right eye, nose, left and
    right mouth corner, left meaning left in the image. None where the data set brings none."""

    @property
    def image_name(self) -> str:
        """`S005_001_00000011`: unique in the data set, and FMPN's key of the image."""
        return f"{self.sequence_id}_{self.frame:08d}"
