"""The comparison table as aligned plain text for the screen."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from platform.tables.column import SCREEN
from platform.tables.columns import definitions
from platform.tables.details import PARTS
from platform.tables.formatting import NOT_STATED_MARK
from platform.tables.grid import screen_grid
from platform.tables.notes import section_notes
from platform.tables.section_lines import TextTable, text_table
from platform.tables.table import Section, Table

SCREEN_WIDTH = 118
_GAP = "  "
_NO_BREAK = "\0"
_COMMAND = re.compile(r"`python -m [^`]*`\.?")
BEST_MARK = "*"
"""Follows the pooled accuracy of the best row."""


def render_screen(table: Table, parts: Sequence[str] = (), *, brief: bool = False) -> str:
    """Aligned plain text, at most about 118 characters wide unless a name is longer.

    parts: keys of details.PARTS, shown below the notes of their data set. brief: only the columns for the end
    of a command (`Column.brief`), without notes and definitions.
    """
    lines: list[str] = []
    tables = [text_table(section, SCREEN, brief=brief) for section in table.sections]
    for section, shown in zip(table.sections, tables, strict=True):
        lines += [*section_table(section, shown), ""]
        if not brief:
            lines += [*bullets(section_notes(section)), ""]
        for part in parts:
            for grid in PARTS[part](section):
                lines += [*screen_grid(grid), ""]
    defined = () if brief else definitions(column for shown in tables for column in shown.columns)
    return "\n".join([*lines, *bullets(defined)]) + "\n"


def section_table(section: Section, table: TextTable) -> list[str]:
    """Lines of one data set's table under its title, without notes."""
    return [f"Accuracy on {section.title}, of final runs on test folds", "", *_aligned(table)]


def bullets(notes: Iterable[str]) -> list[str]:
    """Notes as wrapped lines that begin with a dash; a command stays in one line, for copying."""
    return [
        line.replace(_NO_BREAK, " ")
        for note in notes
        for line in textwrap.wrap(
            _COMMAND.sub(lambda found: found[0].replace(" ", _NO_BREAK), note),
            SCREEN_WIDTH,
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
    lines = _stacked(header, widths, table.left_columns, at_bottom=True)
    lines.append("-" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    for number, (line, row) in enumerate(zip(table.lines, rows, strict=True)):
        if line.heading:
            lines += ([""] if number else []) + [line.heading]
        lines += _stacked(row, widths, table.left_columns, at_bottom=False)
    return lines


def _stacked(row: Sequence[str], widths: Sequence[int], left: int, *, at_bottom: bool) -> list[str]:
    """The lines of one row of cells. at_bottom: cells end on the last line, not start on the first."""
    cells = [cell.split("\n") for cell in row]
    height = max(len(cell) for cell in cells)
    padding = [[""] * (height - len(cell)) for cell in cells]
    stacked = [
        empty + cell if at_bottom else cell + empty for cell, empty in zip(cells, padding, strict=True)
    ]
    return [
        _GAP.join(
            cell[level].ljust(width) if index < left else cell[level].rjust(width)
            for index, (cell, width) in enumerate(zip(stacked, widths, strict=True))
        ).rstrip()
        for level in range(height)
    ]


def _room_for_marks(column: Sequence[str]) -> list[str]:
    """The column's cells; where one carries a mark, the others end in a blank, so that digits align."""
    marks = (BEST_MARK, NOT_STATED_MARK)
    if not any(cell.endswith(marks) for cell in column):
        return list(column)
    return [cell if cell.endswith(marks) or "\n" in cell else cell + " " for cell in column]
