"""A small table of texts with a caption, which each form of output writes in its own way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


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
    """Lines of a GitHub table, without the caption."""
    rule = ["---" if index < grid.left_columns else "---:" for index in range(len(grid.header))]
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in grid.rows]
    return ["| " + " | ".join(cells) + " |" for cells in (grid.header, rule, *escaped)]


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
