"""The lines of one data set's table as cells of text, for every format that people read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.evaluation.reported.result import ReportedResult
from platform.tables.column import NARROW, ONE_SEED, Column, Line
from platform.tables.columns import columns_of
from platform.tables.formatting import ABSENT
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
    ours: int
    """Number of our lines, which come first."""

    @property
    def left_columns(self) -> int:
        """Number of columns of text, which come first."""
        return sum(column.left for column in self.columns)


def text_table(section: Section, form: str, *, brief: bool = False) -> TextTable:
    """Our lines by experiment, then the reported numbers by paper. A line may have several seeds.

    brief: only the columns for the end of a command.
    """
    columns = columns_of(
        form,
        reported=section.has_counterparts,
        sequences=any(row.scores_sequences for row in section.rows),
        differences=bool(section.comparisons.to_reference),
    )
    if brief:
        sequences = any(row.scores_sequences for row in section.rows)
        columns = tuple(one for one in columns if one.brief and (sequences or not one.brief_for_sequences))
    columns = tuple(column for column in columns if _shown(section, column, form))
    one_seed = all(len(line.members) == 1 for line in section.lines)
    roomy = brief and not section.reported
    lines = []
    for heading, group in _groups(section):
        for number, line in enumerate(group):
            cells = tuple(
                _cell(section, column, line, form, one_seed=one_seed, roomy=roomy) for column in columns
            )
            shown = "" if number else heading
            lines.append(TextLine(cells=cells, heading=shown, best=line is section.best))
    last = None
    for result in _reported(section, brief):
        cells = tuple(column.cell(result, form) for column in columns)
        heading = "" if result.paper is last else f"Reported: {result.paper.heading}"
        lines.append(TextLine(cells=cells, heading=heading))
        last = result.paper
    return TextTable(
        columns=columns,
        header=tuple(column.heading_in(form, one_seed=one_seed) for column in columns),
        lines=tuple(lines),
        ours=len(section.lines),
    )


def without_columns(table: TextTable, keys: Collection[str]) -> TextTable:
    """The table without the columns of these keys."""
    kept = [place for place, column in enumerate(table.columns) if column.key not in keys]
    return replace(
        table,
        columns=tuple(table.columns[place] for place in kept),
        header=tuple(table.header[place] for place in kept),
        lines=tuple(replace(line, cells=tuple(line.cells[place] for place in kept)) for line in table.lines),
    )


def _shown(section: Section, column: Column, form: str) -> bool:
    """Whether a reported row has what only such rows can have, and whether a narrow format has room for the
    column: not if it says the same of all our lines."""
    if column.if_reported:
        return any(column.cell(result, form) != ABSENT for result in section.reported)
    if form not in NARROW or not (column.if_various or column.if_filled):
        return True
    cells = {column.cell(shown_line(line), form) for line in section.lines}
    return len(cells) > 1 or not (column.if_various or cells == {ABSENT})


def _reported(section: Section, brief: bool) -> Sequence[ReportedResult]:
    """brief: without rows that tested composites, with which nothing can be compared."""
    return [result for result in section.reported if not (brief and result.of_composites)]


def shown_line(line: SeedGroup) -> Line:
    """What the columns read: the row itself where there is one seed."""
    return line.rows[0] if len(line.members) == 1 else line


def _groups(section: Section) -> list[tuple[str, Sequence[SeedGroup]]]:
    """Heading and lines of each experiment, or of the experiments that share lines."""
    found: dict[tuple[str, ...], list[SeedGroup]] = {}
    for line in section.lines:
        found.setdefault(line.experiments, []).append(line)
    presets = {block.experiment: block.preset_text for block in section.blocks}
    return [
        ("Ours: " + " and ".join(f"{name} (preset {presets[name]})" for name in names), lines)
        for names, lines in found.items()
    ]


def _cell(
    section: Section, column: Column, line: SeedGroup, form: str, *, one_seed: bool, roomy: bool
) -> str:
    comparison = section.comparisons.of(line)
    text = column.cell(
        shown_line(line), form, comparison, is_reference=line is section.comparisons.reference, roomy=roomy
    )
    if one_seed or not column.of_one_seed or text == ABSENT or _seeds(column, line, comparison) != 1:
        return text
    return f"{text}\n{ONE_SEED}" if form in NARROW else f"{text}, {ONE_SEED}"


def _seeds(column: Column, line: SeedGroup, comparison: Comparison | None) -> int:
    """Seeds behind the cell; 0 for the name of the reference."""
    if not column.of_differences:
        return len(line.members)
    return 0 if comparison is None else comparison.found.seed_count


def wide_grid(caption: str, table: TextTable) -> Grid:
    """The table as a grid without group headings."""
    return Grid(
        caption=caption,
        header=table.header,
        rows=tuple(line.cells for line in table.lines),
        left_columns=table.left_columns,
    )
