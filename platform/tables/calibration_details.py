"""Calibration of the class scores of each row, as grids and as stored records."""

from __future__ import annotations

from typing import Any

from platform.aggregation.table_row import TableRow
from platform.evaluation.unit_metrics import MeasuredBin
from platform.tables.formatting import ABSENT, interval, interval_of_numbers, percent, units_of
from platform.tables.grid import Grid
from platform.tables.stored_facts import interval_ends, rounded
from platform.tables.table import Section

NUMBERS = {"overconfidence": "Overconfidence", "brier_score": "Brier"}
"""Keys of the entries of `unit_metrics.UNIT_METRICS` that have an interval to their headings."""


def calibration_grids(section: Section) -> list[Grid]:
    """The calibration of all rows, and for each the bins of its reliability figure that are not empty."""
    rows = [row for row in section.rows if row.scores is not None]
    summary = Grid(
        caption=f"Calibration on {section.title}, by the class scores of pooled test images or sequences",
        header=(
            "Row",
            "Experiment",
            "ECE",
            *(text for name in NUMBERS.values() for text in (name, "95 % CI")),
        ),
        rows=tuple((section.label(row), row.experiment, *_numbers(row)) for row in rows),
        left_columns=2,
    )
    return [*([summary] if rows else []), *(_bin_grid(section, row) for row in rows if _bins(row))]


def _numbers(row: TableRow) -> list[str]:
    assert row.scores is not None
    values = row.scores.measures.values
    error = values["expected_calibration_error"]
    cells = [ABSENT if error is None else f"{error.value:.3f}"]
    for key in NUMBERS:
        found = values[key]
        cells += [
            ABSENT if found is None else f"{found.value:.3f}",
            interval_of_numbers(None if found is None else found.interval),
        ]
    return cells


def _bins(row: TableRow) -> list[MeasuredBin]:
    return [one for one in row.scores.measures.bins if one.bin.count] if row.scores else []


def _bin_grid(section: Section, row: TableRow) -> Grid:
    return Grid(
        caption=f"Reliability: {section.label(row)} of {row.experiment} on {row.dataset}, bins of confidence",
        header=("Confidence", units_of(row).capitalize(), "Mean confidence %", "Accuracy %", "95 % CI"),
        rows=tuple(
            (
                f"{one.bin.low:.3f} to {one.bin.high:.3f}",
                str(one.bin.count),
                percent(one.bin.mean_confidence or 0.0),
                percent(one.bin.accuracy or 0.0),
                interval(one.interval),
            )
            for one in _bins(row)
        ),
        left_columns=1,
    )


def bin_records(row: TableRow) -> list[dict[str, Any]]:
    """Each bin of a row, also the empty ones; none for scores that are no probabilities."""
    return [
        {
            "confidence_above": rounded(one.bin.low),
            "confidence_to": rounded(one.bin.high),
            "count": one.bin.count,
            "mean_confidence": rounded(one.bin.mean_confidence),
            "accuracy": rounded(one.bin.accuracy),
            **interval_ends("accuracy", one.interval),
        }
        for one in (row.scores.measures.bins if row.scores else ())
    ]
