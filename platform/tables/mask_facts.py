"""Mask quality as stored keys and values of CSV and JSON: of a row, of its folds and of its classes."""

from __future__ import annotations

from platform.aggregation.mask_errors import MaskDifference
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.models.masks.quality import MaskQuality, average_over_folds
from platform.tables.column import Record

NAMES = {
    "mask_error": "error",
    "constant_mask_error": "constant_error",
    "mask_nearest_share": "nearest_share",
    "constant_mask_nearest_share": "constant_nearest_share",
    "stage1_mask_error": "stage1_error",
    "stage1_mask_nearest_share": "stage1_nearest_share",
    "mask_drift": "drift",
}
"""Stored key to the field of `MaskQuality`."""


def of_row(row: TableRow) -> Record:
    """Means over folds, and the pooled difference from the constant mask; no keys without masks."""
    if not row.mask_quality:
        return {}
    found = row.mask_comparison
    return {
        "mask_folds": len(row.mask_quality),
        "mask_folds_recomputed": len(row.masks_recomputed),
        **_quality(average_over_folds(list(row.mask_quality.values()))),
        **_difference(None if found is None else found.pooled),
    }


def of_fold(row: TableRow, fold: int) -> Record:
    """Of one fold."""
    if fold not in row.mask_quality:
        return {}
    found = row.mask_comparison
    return {
        **_quality(row.mask_quality[fold]),
        **_difference(None if found is None else found.folds.get(fold)),
    }


def of_class(row: TableRow, name: str) -> Record:
    """Of the faces of one class."""
    if row.mask_comparison is None:
        return {}
    return _difference(row.mask_comparison.classes.get(name))


def over_seeds(line: SeedGroup) -> Record:
    """The difference over the seeds of a line; no keys unless all have stored errors."""
    found = line.mask_comparison
    return {} if found is None else _difference(found.pooled)


def _quality(quality: MaskQuality) -> Record:
    return {
        "mask_faces": quality.face_count,
        **{key: _digits(getattr(quality, field)) for key, field in NAMES.items()},
    }


def _difference(found: MaskDifference | None) -> Record:
    interval = None if found is None else found.interval
    return {
        "mask_error_difference": None if found is None else _digits(found.difference),
        "mask_error_difference_95_percent_low": None if interval is None else _digits(interval.low),
        "mask_error_difference_95_percent_high": None if interval is None else _digits(interval.high),
    }


def _digits(value: float | None) -> float | None:
    """Six significant digits: errors of masks are small."""
    return None if value is None else float(f"{value:.6g}")
