"""The comparison table as aligned plain text for the screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from platform.tables.column import SCREEN
from platform.tables.columns import definitions
from platform.tables.details import PARTS
from platform.tables.formatting import NOT_STATED_MARK
from platform.tables.grid import screen_grid, stacked
from platform.tables.notes import section_notes
from platform.tables.section_lines import TextTable, text_table, without_columns
from platform.tables.table import Section, Table

SCREEN_WIDTH = 118
NARROWEST = 60
"""Narrower terminals wrap the lines themselves."""
LEFT_OUT_FIRST = (
    "pooled_sequence_accuracy",
    "folds_seeds_and_repeats",
    "optimism_gap",
    "selection_rule",
    "images_and_subjects",
    "mean_of_folds_image_accuracy",
    "mean_of_folds_minus_reported",
    "net",
)
"""Columns that a narrow terminal has no room for, the first to go first."""
_NO_BREAK = "\0"
_TOGETHER = re.compile(r"`python -m [^`]*`\.?|\d %|\bp [=<] \d")
"""What no line break divides."""
BEST_MARK = "*"
"""Follows the pooled accuracy of the best row."""


def render_screen(
    table: Table, parts: Sequence[str] = (), *, brief: bool = False, width: int = SCREEN_WIDTH
) -> str:
    """Aligned plain text, at most about `width` characters wide unless a name is longer.

    parts: keys of details.PARTS, shown below the notes of their data set. brief: only the columns for the end
    of a command (`Column.brief`), without notes and definitions. width: at less than SCREEN_WIDTH columns are
    left out until the table fits, and a note names them.
    """
    lines: list[str] = []
    fitted = [_fitted(section, brief, width) for section in table.sections]
    tables = [shown for shown, _ in fitted]
    for section, (shown, left_out) in zip(table.sections, fitted, strict=True):
        lines += [*section_table(section, shown), ""]
        if not brief:
            lines += [*bullets([*left_out, *section_notes(section)], width), ""]
        for part in parts:
            for grid in PARTS[part](section):
                lines += [*screen_grid(grid, width), ""]
    defined = () if brief else definitions(column for shown in tables for column in shown.columns)
    return "\n".join([*lines, *bullets(defined, width)]) + "\n"


def _fitted(section: Section, brief: bool, width: int) -> tuple[TextTable, list[str]]:
    """The data set's table with the columns that `width` has room for, and a note on those left out."""
    table = text_table(section, SCREEN, brief=brief)
    if brief or width >= SCREEN_WIDTH:
        return table, []
    left_out: list[str] = []
    # The mean of folds is the only number of reported rows.
    kept = {"mean_of_folds_image_accuracy"} if section.reported else set()
    for key in (key for key in LEFT_OUT_FIRST if key not in kept):
        if max(map(len, _aligned(table))) <= width:
            break
        headings = [column.heading for column in table.columns if column.key == key]
        if headings:
            left_out += headings
            table = without_columns(table, [key])
    said = f"Left out, because the terminal is {width} characters wide: {', '.join(left_out)}."
    return table, [said] if left_out else []


def section_table(section: Section, table: TextTable) -> list[str]:
    """Lines of one data set's table under its title, without notes."""
    return [f"Accuracy on {section.title}, of final runs on test folds", "", *_aligned(table)]


def bullets(notes: Iterable[str], width: int = SCREEN_WIDTH) -> list[str]:
    """Notes as wrapped lines that begin with a dash; a command stays in one line, for copying."""
    return [
        line.replace(_NO_BREAK, " ")
        for note in notes
        for line in textwrap.wrap(
            _TOGETHER.sub(lambda found: found[0].replace(" ", _NO_BREAK), note),
            width,
            initial_indent="- ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def marked_cells(table: TextTable) -> list[list[str]]:
    """Cells of each line; the number that marks the best row carries BEST_MARK."""
    return [
        [
            cell + BEST_MARK if line.best and column.marks_best and not column.left else cell
            for column, cell in zip(table.columns, line.cells, strict=True)
        ]
        for line in table.lines
    ]


def _aligned(table: TextTable) -> list[str]:
    """Columns padded to their widest line, cells of several lines stacked, headings before their lines."""
    columns = [_room_for_marks(cells) for cells in zip(table.header, *marked_cells(table), strict=True)]
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    header, *rows = zip(*columns, strict=True)
    lines = stacked(header, widths, table.left_columns, at_bottom=True)
    lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
    for number, (line, row) in enumerate(zip(table.lines, rows, strict=True)):
        if line.heading:
            lines += ([""] if number else []) + [line.heading]
        lines += stacked(row, widths, table.left_columns, at_bottom=False)
    return lines


def _room_for_marks(column: Sequence[str]) -> list[str]:
    """The column's cells; where one carries a mark, the others end in a blank, so that digits align."""
    marks = (BEST_MARK, NOT_STATED_MARK)
    if not any(cell.endswith(marks) for cell in column):
        return list(column)
    return [cell if cell.endswith(marks) or "\n" in cell else cell + " " for cell in column]
