"""A table of texts with a caption, and its rendering as Markdown and as plain text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# Inside a word an underscore is literal; an ampersand needs escaping only where it starts an entity.
_MARKDOWN = re.compile(r"[\\`*\[\]|~]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|&(?=#?\w+;)")


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


def screen_grid(grid: Grid) -> list[str]:
    """The caption and aligned lines of plain text."""
    header = [name.replace("\n", " ") for name in grid.header]
    columns = list(zip(header, *grid.rows, strict=True))
    widths = [max(map(len, column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.ljust(width) if index < grid.left_columns else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    return [grid.caption, line(header), "-" * (sum(widths) + 2 * len(widths) - 2), *map(line, grid.rows)]
