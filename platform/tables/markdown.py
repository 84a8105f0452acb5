"""The comparison table as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from platform.host.console import one_line
from platform.tables.column import MARKDOWN
from platform.tables.columns import definitions
from platform.tables.details import PARTS
from platform.tables.displayable import displayable
from platform.tables.grid import markdown_escape, markdown_grid
from platform.tables.notes import section_notes
from platform.tables.section_lines import TextLine, TextTable, text_table, wide_grid
from platform.tables.table import Table


def render_markdown(table: Table, parts: Sequence[str]) -> str:
    """GitHub Markdown: for each data set the table, its notes, and `parts` (keys of details.PARTS)."""
    # A backtick in a name would end the code spans of the notes.
    table = displayable(table, lambda text: one_line(text).replace("`", "'"))
    lines = ["# Comparison", ""]
    tables = [text_table(section, MARKDOWN) for section in table.sections]
    for section, shown in zip(table.sections, tables, strict=True):
        grid = wide_grid(section.title, _with_bold_best(shown))
        lines += [f"## {markdown_escape(section.title)}", "", *markdown_grid(grid), ""]
        lines += [*(f"- {_sentence(note)}" for note in section_notes(section)), ""]
        for part in parts:
            for grid in PARTS[part](section):
                lines += [f"{markdown_escape(grid.caption)}:", "", *markdown_grid(grid), ""]
    defined = definitions(column for shown in tables for column in shown.columns)
    lines += ["## Definitions", "", *(f"- {note}" for note in defined)]
    return "\n".join(lines) + "\n"


def _with_bold_best(table: TextTable) -> TextTable:
    """The marked cells of the best row within `**`, as `markdown_grid` reads them."""
    lines = tuple(
        TextLine(
            cells=tuple(
                f"**{cell}**" if line.best and column.marks_best else cell
                for column, cell in zip(table.columns, line.cells, strict=True)
            )
        )
        for line in table.lines
    )
    return TextTable(columns=table.columns, header=table.header, lines=lines, ours=table.ours)


def _sentence(note: str) -> str:
    """A note with its code spans, and everything around them as plain text."""
    parts = re.split(r"(`[^`]*`)", note)
    return "".join(part if part.startswith("`") else markdown_escape(part) for part in parts)
