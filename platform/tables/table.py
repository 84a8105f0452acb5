"""The comparison table as data: sections by data set, their lines, and the comparisons between these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.comparisons import Comparison, Comparisons, check_reference, compare_lines
from platform.aggregation.seeds import SeedGroup, repeated_rows, seed_groups
from platform.aggregation.stability import Stability, stability_of
from platform.aggregation.table_row import TableRow
from platform.evaluation.reported.papers import reported_counterpart, reported_results
from platform.evaluation.reported.result import ReportedResult
from platform.tables.labels import line_labels, row_labels


@dataclass(frozen=True, kw_only=True)
class Block:
    """Our rows of one experiment on one data set."""

    experiment: str
    preset: str
    preset_text: str
    """The preset, and departures from it."""
    rows: tuple[TableRow, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """All rows on one data set."""

    dataset: str
    reported_as: str
    """The data set whose reported numbers are comparable."""
    blocks: tuple[Block, ...]
    lines: tuple[SeedGroup, ...]
    """What people read: the rows of all blocks, those that differ in the seed alone as one."""
    every_row: tuple[TableRow, ...]
    """Also those of further divisions of the subjects, which are in no block and no line."""
    stability: Stability | None
    """The order of lines under several divisions of the subjects; None without further divisions."""
    repeated: tuple[TableRow, ...]
    """Rows with the same fold runs as an earlier row, which stands for them in `lines`."""
    reported: tuple[ReportedResult, ...]
    comparisons: Comparisons

    @property
    def title(self) -> str:
        """`ckplus`, or `fmpn_release (ckplus)` for a release of that data set."""
        return self.dataset if self.dataset == self.reported_as else f"{self.dataset} ({self.reported_as})"

    @property
    def rows(self) -> tuple[TableRow, ...]:
        """Our rows of all blocks."""
        return tuple(row for block in self.blocks for row in block.rows)

    @property
    def has_counterparts(self) -> bool:
        """Whether one of our methods has a reported number here."""
        return any(reported_counterpart(row.method, self.reported_as) for row in self.rows)

    @property
    def seed_groups(self) -> tuple[SeedGroup, ...]:
        """The lines of several seeds."""
        return tuple(line for line in self.lines if len(line.members) > 1)

    @property
    def best(self) -> SeedGroup | None:
        """The line that is marked as best; None where none is."""
        return self.comparisons.best

    @property
    def reference(self) -> SeedGroup | None:
        """The line that others are compared with; None where nothing is compared."""
        return self.comparisons.reference if self.comparisons.to_reference else None

    def label(self, one: TableRow | SeedGroup) -> str:
        """The name of one of the rows or lines, which no other one has."""
        return self._labels[id(one)]

    @cached_property
    def _labels(self) -> dict[int, str]:
        rows = self.rows
        named = zip(map(id, rows), row_labels(rows), strict=True)
        divided = [one.line for one in self.stability.lines] if self.stability else []
        lines = [*self.lines, *(line for line in divided if line not in self.lines)]
        return {**dict(named), **dict(zip(map(id, lines), line_labels(lines), strict=True))}

    def comparison_of(self, row: TableRow) -> Comparison | None:
        """The comparison with the reference of a row that is a line of its own."""
        line = self._lines_of_one.get(id(row))
        return None if line is None else self.comparisons.of(line)

    @cached_property
    def _lines_of_one(self) -> dict[int, SeedGroup]:
        return {id(line.rows[0]): line for line in self.lines if len(line.members) == 1}


@dataclass(frozen=True, kw_only=True)
class Table:
    """The input of the renderers in platform/tables/render.py."""

    sections: tuple[Section, ...]


def build_table(aggregated: Sequence[AggregatedRow], reference: str | None = None) -> Table:
    """The table of all rows; data sets, and experiments within them, in order of first appearance.

    reference: names the line that others are compared with (`comparisons.named_reference`); on a data set
    without it, and for None, the first baseline. UserError if no data set has it.
    """
    if not aggregated:
        raise ValueError("a table needs at least one row")
    found: dict[tuple[str, str], list[AggregatedRow]] = {}
    for row in aggregated:
        found.setdefault((row.row.dataset, row.row.reported_as), []).append(row)
    lines = {names: seed_groups(rows) for names, rows in found.items()}
    if reference is not None:
        check_reference((line for of_set in lines.values() for line in of_set), reference)
    return Table(
        sections=tuple(_section(*names, rows, lines[names], reference) for names, rows in found.items())
    )


def _section(
    dataset: str,
    reported_as: str,
    aggregated: Sequence[AggregatedRow],
    every_line: tuple[SeedGroup, ...],
    reference: str | None,
) -> Section:
    # Rows of further divisions would be read as further seeds if they stood beside the others.
    lines = tuple(line for line in every_line if not line.first.repeat)
    undivided = [row for row in aggregated if not row.row.repeat]
    names = dict.fromkeys(row.row.experiment for row in aggregated)
    blocks = []
    for name in names:
        rows = tuple(row.row for row in undivided if row.row.experiment == name)
        blocks.append(
            Block(experiment=name, preset=rows[0].preset, preset_text=rows[0].preset_text, rows=rows)
        )
    return Section(
        dataset=dataset,
        reported_as=reported_as,
        blocks=tuple(blocks),
        lines=lines,
        every_row=tuple(row.row for name in names for row in aggregated if row.row.experiment == name),
        stability=stability_of(every_line),
        repeated=repeated_rows(undivided),
        reported=tuple(reported_results(reported_as)),
        comparisons=compare_lines(lines, reference),
    )
