"""A table of texts with a caption, and its rendering as Markdown and as plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from platform.tables.column import wrapped

# Inside a word an underscore is literal; an ampersand needs escaping only where it starts an entity.
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")

_GAP = "  "
TEXT_WIDTH = 20
"""Characters of a line of text in a grid that is too wide for the screen."""
NUMBER_WIDTH = 10
"""The same of headings of numbers."""


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Header and rows of equally many cells; the first `left_columns` are text, the others numbers."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left_columns: int

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows):
            raise ValueError(f"every row of {self.caption!r} must have {len(self.header)} cells")


def markdown_grid(grid: Grid) -> list[str]:
    """Lines of a GitHub table without the caption. Cells are plain text, or bold within `**`."""
    rule = ["---" if index < grid.left_columns else "---:" for index in range(len(grid.header))]
    header, *rows = ([_cell(cell) for cell in cells] for cells in (grid.header, *grid.rows))
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *rows)]


def _cell(cell: str) -> str:
    bold = cell.startswith("**") and cell.endswith("**") and len(cell) > 4
    return f"**{markdown_escape(cell[2:-2])}**" if bold else markdown_escape(cell)


def markdown_escape(text: str) -> str:
    """`text` in one line, escaped so that Markdown renders it literally and within its column."""
    return _MARKDOWN.sub(r"\\\g<0>", text).replace("<", "&lt;").replace("\n", " ")


def screen_grid(grid: Grid, width: int | None = None) -> list[str]:
    """The caption and aligned lines of plain text.

    width: of the screen; where the lines would be longer, headings and text are broken between words, which
    shortens them as far as numbers and single words allow.
    """
    header = [name.replace("\n", " ") for name in grid.header]
    cells = [header, *(list(row) for row in grid.rows)]
    if width is not None and sum(_widths(cells)) + len(_GAP) * (len(header) - 1) > width:
        cells = [_broken(row, grid.left_columns, heading=row is header) for row in cells]
    widths = _widths(cells)
    first, *rest = cells
    lines = stacked(first, widths, grid.left_columns, at_bottom=True)
    lines.append("-" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    for row in rest:
        lines += stacked(row, widths, grid.left_columns, at_bottom=False)
    return [grid.caption, *lines]


def stacked(row: Sequence[str], widths: Sequence[int], left: int, *, at_bottom: bool) -> list[str]:
    """The lines of one row of cells, the first `left` aligned left.

    at_bottom: cells end on the last line, not start on the first.
    """
    cells = [cell.split("\n") for cell in row]
    height = max(len(cell) for cell in cells)
    padding = [[""] * (height - len(cell)) for cell in cells]
    filled = [empty + cell if at_bottom else cell + empty for cell, empty in zip(cells, padding, strict=True)]
    return [
        _GAP.join(
            cell[level].ljust(width) if index < left else cell[level].rjust(width)
            for index, (cell, width) in enumerate(zip(filled, widths, strict=True))
        ).rstrip()
        for level in range(height)
    ]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """The longest line of each column."""
    return [
        max(len(line) for cell in column for line in cell.split("\n")) for column in zip(*rows, strict=True)
    ]


def _broken(row: Sequence[str], left: int, *, heading: bool) -> list[str]:
    """Text in lines of TEXT_WIDTH, headings of numbers in lines of NUMBER_WIDTH, brackets below numbers."""
    widths = [TEXT_WIDTH if index < left else NUMBER_WIDTH for index in range(len(row))]
    return [
        wrapped(cell, width) if heading or index < left else cell.replace(" (", "\n(")
        for index, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
