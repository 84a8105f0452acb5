"""The lines of one data set's table as cells of text, for every format that people read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.tables.column import Column, Line
from platform.tables.columns import columns_of
from platform.tables.grid import Grid
from platform.tables.table import Section


@dataclass(frozen=True, kw_only=True)
class TextLine:
    """One line of the table."""

    cells: tuple[str, ...]
    heading: str = ""
    """Precedes the line; empty for all but the first line of a group."""
    best: bool = False
    """Whether it may be marked as the best row."""


@dataclass(frozen=True, kw_only=True)
class TextTable:
    """One data set's table in one format."""

    columns: tuple[Column, ...]
    header: tuple[str, ...]
    lines: tuple[TextLine, ...]

    @property
    def left_columns(self) -> int:
        """Number of columns of text, which come first."""
        return sum(column.left for column in self.columns)


def text_table(section: Section, form: str, *, brief: bool = False) -> TextTable:
    """Our rows by experiment, then the means over seeds, then the reported numbers.

    brief: only the columns for the end of a command.
    """
    columns = columns_of(
        form,
        reported=bool(section.reported),
        sequences=any(row.scores_sequences for row in section.rows),
    )
    if brief:
        columns = tuple(column for column in columns if column.brief)
    groups: list[tuple[str, Sequence[Line]]] = [
        (f"Ours: {block.experiment} (preset {block.preset_text})", block.rows) for block in section.blocks
    ]
    groups.append(("Ours, over seeds", section.seed_groups))
    groups.append(("Reported: FMPN paper, Table I", section.reported))
    return TextTable(
        columns=columns,
        header=tuple(column.heading_in(form) for column in columns),
        lines=tuple(
            TextLine(
                cells=tuple(column.cell(line, form) for column in columns),
                heading="" if number else heading,
                best=line is section.best,
            )
            for heading, lines in groups
            for number, line in enumerate(lines)
        ),
    )


def wide_grid(section: Section, table: TextTable) -> Grid:
    """The table as a grid without group headings."""
    return Grid(
        caption=f"Accuracy on {section.title}, of final runs on test folds",
        header=table.header,
        rows=tuple(line.cells for line in table.lines),
        left_columns=table.left_columns,
    )
