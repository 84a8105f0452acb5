"""Accuracies of groups of subjects, and the differences between them, as grids and as stored records."""

from __future__ import annotations

from typing import Any

from datasets.catalogue import knows_groups
from platform.aggregation.table_row import TableRow
from platform.evaluation.subject_groups import GroupDifference, GroupScores
from platform.tables.formatting import ABSENT, interval, p_value_text, percent, points, units_of
from platform.tables.grid import Grid
from platform.tables.stored_facts import interval_ends, rounded
from platform.tables.table import Section

NOTABLE_P = 0.05
"""A smallest possible p above this is shown: no difference could be significant."""


def group_grids(section: Section) -> list[Grid]:
    """For each row whose subjects have known groups: accuracy of each group, differences of all pairs."""
    return [grid for row in section.rows if row.scores for grid in _grids(section, row, row.scores.groups)]


def _grids(section: Section, row: TableRow, groups: GroupScores | None) -> list[Grid]:
    if groups is None:
        return []
    name = f"{section.label(row)} of {row.experiment} on {row.dataset}"
    unknown = "".join(
        f"; {grouping} of {count} subject{'' if count == 1 else 's'} not known"
        for grouping, count in groups.unknown_subjects.items()
    )
    accuracies = Grid(
        caption=f"Groups of subjects: {name}, pooled {units_of(row)}{unknown}",
        header=("Grouping", "Group", "Subjects", units_of(row).capitalize(), "Accuracy %", "95 % CI"),
        rows=tuple(
            (
                one.grouping,
                one.group,
                str(one.subject_count),
                str(one.item_count),
                percent(one.accuracy),
                interval(one.interval),
            )
            for one in groups.accuracies
        ),
        left_columns=2,
    )
    differences = Grid(
        caption=f"Differences between groups: {name}, permutation tests over subjects, one seed",
        header=("Grouping", "First minus second", "Points", "95 % CI", "p", "p (Holm)"),
        rows=tuple(map(_difference_line, groups.differences)),
        left_columns=2,
    )
    return [accuracies, *([differences] if groups.differences else [])]


def _difference_line(one: GroupDifference) -> tuple[str, ...]:
    ends = one.interval
    tested = "cannot be tested" if one.p_value is None else p_value_text(one.p_value)
    if one.smallest_p is not None and one.smallest_p > NOTABLE_P:
        tested += f" (smallest possible {p_value_text(one.smallest_p)})"
    return (
        one.grouping,
        f"{one.first} minus {one.second}",
        points(one.difference),
        ABSENT if ends is None else f"{points(ends.low)} to {points(ends.high)}",
        tested,
        ABSENT if one.holm_p_value is None else p_value_text(one.holm_p_value),
    )


def group_records(row: TableRow) -> list[dict[str, Any]]:
    """One record a group, then one a pair of groups, whose `group` is the first and `minus` the second."""
    groups = row.scores.groups if row.scores else None
    if groups is None:
        return []
    accuracies = [
        {
            "grouping": one.grouping,
            "group": one.group,
            "minus": None,
            "subjects": one.subject_count,
            "count": one.item_count,
            "accuracy": rounded(one.accuracy),
            **interval_ends("accuracy", one.interval),
            "difference": None,
            **interval_ends("difference", None),
            "p_value": None,
            "smallest_p_value": None,
            "holm_p_value": None,
        }
        for one in groups.accuracies
    ]
    blank = dict.fromkeys(accuracies[0])
    return accuracies + [
        {
            **blank,
            "grouping": one.grouping,
            "group": one.first,
            "minus": one.second,
            "difference": rounded(one.difference),
            **interval_ends("difference", one.interval),
            "p_value": _digits(one.p_value),
            "smallest_p_value": _digits(one.smallest_p),
            "holm_p_value": _digits(one.holm_p_value),
        }
        for one in groups.differences
    ]


def _digits(p_value: float | None) -> float | None:
    return None if p_value is None else float(f"{p_value:.6g}")


def group_notes(rows: list[TableRow]) -> list[str]:
    """Which rows lack the groups that their data set knows, and what adds them."""
    lacking = [
        row
        for row in rows
        if row.scores is not None and row.scores.groups is None and knows_groups(row.dataset)
    ]
    commands = dict.fromkeys((row.experiment, row.command) for row in lacking)
    return [
        f"Groups of subjects are not known for {experiment}, which was stored before they were. "
        f"`{command}` adds them; finished folds are kept."
        for experiment, command in commands
    ]
