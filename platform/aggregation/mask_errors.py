"""Mask quality of a row's folds, recomputed from the stored errors of single faces, and what it shows.

Whether predicted masks are closer to the mask of the true class than the constant mean training mask, which
knows nothing of the face, is a mean over faces with an interval over subjects.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from platform.aggregation.row_runs import FinishedRun, RowRuns
from platform.errors import UserError
from platform.evaluation.measured_values import file_name, from_bytes
from platform.evaluation.predictions import Predictions
from platform.evaluation.subject_interval import StatisticInterval, subject_interval
from platform.models.masks.face_errors import MASK_QUALITY, MaskErrors
from platform.models.masks.quality import MaskQuality

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

FILE = file_name(MASK_QUALITY)
TOLERANCE = 1e-12
"""Covers summing in another order; any change of an error that could matter is far larger."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskSums:
    """Errors of a row's predicted masks minus those of the constant mask, summed over the faces of C cells.

    A cell is a subject in a fold. K classes.
    """

    subject: tuple[str, ...]
    """Of each cell."""
    fold: np.ndarray
    """int64 [C]"""
    class_names: tuple[str, ...]
    excess: np.ndarray
    """float64 [C, K]: sums of squared errors (means over pixels) minus those of the constant mask."""
    faces: np.ndarray
    """int64 [C, K]"""


@dataclass(frozen=True, kw_only=True)
class MaskDifference:
    """Mean error of predicted masks minus that of the constant mask, over faces and seeds; in [-1, 1]."""

    difference: float
    """Below 0 the predicted masks are closer to those of the true classes."""
    interval: StatisticInterval | None
    """95 %, over subjects (and seeds). None with one subject."""
    face_count: int
    subject_count: int
    seed_count: int

    @property
    def verdict(self) -> str:
        """`closer`, `farther`, or `undecided` where the interval holds 0 or there is none."""
        if self.interval is None or self.interval.low <= 0.0 <= self.interval.high:
            return "undecided"
        return "closer" if self.difference < 0.0 else "farther"


@dataclass(frozen=True, kw_only=True)
class MaskComparison:
    """Predicted masks against the constant mask: over all faces, in each fold, and in each class."""

    pooled: MaskDifference
    folds: Mapping[int, MaskDifference]
    classes: Mapping[str, MaskDifference]
    """Classes with a face, in the order of the predictions' classes."""


@dataclass(frozen=True, kw_only=True)
class RowMasks:
    """The mask quality of a row's finished folds."""

    quality: dict[int, MaskQuality]
    """Empty for a method without predicted masks."""
    recomputed: tuple[int, ...]
    """The folds whose quality was recomputed from stored errors; the others are of an earlier version, or of
    a method that stores none, and have what was measured when they ended."""
    sums: MaskSums | None
    """None unless every fold that has a mask quality was recomputed."""


def row_masks(store: ResultsStore, runs: RowRuns, predictions: Predictions | None) -> RowMasks:
    """Mask quality of the finished folds; predictions: theirs, in the order of the folds' files.

    UserError: a file of errors was changed, or is not of these faces, or does not give the quality that the
    manifest states.
    """
    quality: dict[int, MaskQuality] = {}
    errors: dict[int, MaskErrors] = {}
    for run in runs.finished:
        stated = run.mask_quality
        if stated is None:
            continue
        quality[run.fold] = stated
        if FILE in run.manifest["sha256"] and predictions is not None:
            errors[run.fold] = _errors(store, run, predictions, runs.name)
            quality[run.fold] = _checked(errors[run.fold], stated, f"{runs.name}, fold {run.fold}")
    complete = bool(errors) and len(errors) == len(quality) and predictions is not None
    return RowMasks(
        quality=quality,
        recomputed=tuple(errors),
        sums=_sums(errors, predictions) if complete and predictions is not None else None,
    )


def mask_comparison(seeds: Sequence[MaskSums]) -> MaskComparison:
    """The comparison of one row, or of rows that differ only in the seed (of the same faces).

    ValueError: no row, or rows of other faces.
    """
    first = seeds[0]
    for one in seeds[1:]:
        if one.subject != first.subject or not np.array_equal(one.faces, first.faces):
            raise ValueError("masks of several seeds are compared on the same faces, but these are others")
    everything = np.ones(len(first.subject), dtype=bool)
    of_class = range(len(first.class_names))
    return MaskComparison(
        pooled=_difference(seeds, everything, list(of_class)),
        folds={
            int(fold): _difference(seeds, first.fold == fold, list(of_class))
            for fold in np.unique(first.fold)
        },
        classes={
            first.class_names[k]: _difference(seeds, everything, [k])
            for k in of_class
            if first.faces[:, k].any()
        },
    )


def _difference(seeds: Sequence[MaskSums], cells: np.ndarray, classes: list[int]) -> MaskDifference:
    """Of the faces in some cells and of some classes."""
    names, group = np.unique(np.array(seeds[0].subject)[cells], return_inverse=True)
    sums = np.zeros((len(seeds), len(names), 2))
    for seed, one in enumerate(seeds):
        for column, values in enumerate((one.excess, one.faces)):
            np.add.at(sums[seed, :, column], group, values[cells][:, classes].sum(axis=1))
    sums = sums[:, sums[0, :, 1] > 0]  # a subject without a face of the class says nothing of it
    totals = sums.sum(axis=1)
    return MaskDifference(
        difference=float(np.mean(totals[:, 0] / totals[:, 1])),
        interval=subject_interval(sums, _mean_excess, limits=(-1.0, 1.0)),
        face_count=int(totals[0, 1]),
        subject_count=sums.shape[1],
        seed_count=len(seeds),
    )


def _mean_excess(sums: np.ndarray) -> np.ndarray:
    """Of (sum of excess errors, faces), float (..., 2); NaN without a face."""
    faces = sums[..., 1]
    found: np.ndarray = np.where(faces > 0, sums[..., 0] / np.maximum(faces, 1), np.nan)
    return found


def _errors(store: ResultsStore, run: FinishedRun, predictions: Predictions, name: str) -> MaskErrors:
    """Those that the fold run stored of the faces that it predicted."""
    path = store.folder("fold_runs", run.identity) / FILE
    stored = from_bytes(store.read("fold_runs", run.identity, FILE, run.manifest), str(path))
    inside = predictions.fold == run.fold
    for column in ("fold", "subject", "image", "true"):
        if not np.array_equal(getattr(stored, column), getattr(predictions, column)[inside]):
            raise UserError(
                f"{name}, fold {run.fold}: {path} must be of the faces in predictions.parquet, in their "
                f"order, but its column {column} differs; remove its folder and run the "
                "experiment's command again."
            )
    number = {one: k for k, one in enumerate(predictions.class_names)}
    labels = np.array([number[one] for one in stored.true.tolist()], dtype=np.int64)
    try:
        return MaskErrors.of_values(stored.values, labels, predictions.class_names)
    except ValueError as error:
        raise UserError(f"{path}: {error}; remove its folder to compute the result again.") from error


def _checked(errors: MaskErrors, stated: MaskQuality, where: str) -> MaskQuality:
    """The quality of the stored errors, which must be the stated one."""
    try:
        found = errors.quality()
    except ValueError as error:
        raise UserError(f"{where}: {FILE}: {error}; remove its folder and run it again.") from error
    theirs = stated.to_dict()
    for key, value in found.to_dict().items():
        other = theirs[key]
        if value is None or other is None:
            equal = value is other
        else:
            equal = math.isclose(value, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        if not equal:
            raise UserError(
                f"{where}: the {key} of its masks must be that of its stored faces, {value}, but its "
                f"manifest states {other}; remove its folder and run the experiment's command again."
            )
    return found


def _sums(errors: Mapping[int, MaskErrors], predictions: Predictions) -> MaskSums:
    subjects: list[str] = []
    folds, excess, faces = [], [], []
    classes = len(predictions.class_names)
    for fold, one in errors.items():
        names, group = np.unique(predictions.subject[predictions.fold == fold], return_inverse=True)
        cells = group * classes + one.labels
        size = len(names) * classes
        subjects += names.tolist()
        folds.append(np.full(len(names), fold, dtype=np.int64))
        excess.append(np.bincount(cells, weights=one.excess, minlength=size).reshape(-1, classes))
        faces.append(np.bincount(cells, minlength=size).reshape(-1, classes))
    return MaskSums(
        subject=tuple(subjects),
        fold=np.concatenate(folds),
        class_names=predictions.class_names,
        excess=np.concatenate(excess),
        faces=np.concatenate(faces),
    )
