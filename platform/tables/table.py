"""The comparison table as data: sections by data set, blocks by experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.comparisons import Comparison, best_row, compare, not_compared
from platform.aggregation.seeds import SeedGroup, seed_groups
from platform.aggregation.table_row import TableRow
from platform.evaluation.reported import ReportedResult, reported_results


@dataclass(frozen=True, kw_only=True)
class Block:
    """Our rows of one experiment on one data set."""

    experiment: str
    preset: str
    preset_text: str
    """The preset, and departures from it."""
    rows: tuple[TableRow, ...]
    comparisons: tuple[Comparison, ...]
    not_compared: tuple[TableRow, ...] = ()
    """Rows of another unit than the first row of FMPN, with other sequences."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """All rows on one data set."""

    dataset: str
    reported_as: str
    """The data set whose reported numbers are comparable."""
    blocks: tuple[Block, ...]
    seed_groups: tuple[SeedGroup, ...]
    reported: tuple[ReportedResult, ...]
    best: TableRow | None
    """The row that may be marked as best; None where intervals overlap."""

    @property
    def title(self) -> str:
        """`ckplus`, or `fmpn_release (ckplus)` for a release of that data set."""
        return self.dataset if self.dataset == self.reported_as else f"{self.dataset} ({self.reported_as})"

    @property
    def rows(self) -> tuple[TableRow, ...]:
        """Our rows of all blocks."""
        return tuple(row for block in self.blocks for row in block.rows)


@dataclass(frozen=True, kw_only=True)
class Table:
    """The input of the renderers in platform/tables/render.py."""

    sections: tuple[Section, ...]


def build_table(aggregated: Sequence[AggregatedRow]) -> Table:
    """The table of all rows; data sets, and experiments within them, in order of first appearance."""
    if not aggregated:
        raise ValueError("a table needs at least one row")
    found: dict[tuple[str, str], list[AggregatedRow]] = {}
    for row in aggregated:
        found.setdefault((row.row.dataset, row.row.reported_as), []).append(row)
    return Table(sections=tuple(_section(*names, rows) for names, rows in found.items()))


def _section(dataset: str, reported_as: str, aggregated: Sequence[AggregatedRow]) -> Section:
    blocks = []
    for name in dict.fromkeys(row.row.experiment for row in aggregated):
        members = [row for row in aggregated if row.row.experiment == name]
        rows = tuple(member.row for member in members)
        blocks.append(
            Block(
                experiment=name,
                preset=rows[0].preset,
                preset_text=rows[0].preset_text,
                rows=rows,
                comparisons=tuple(compare(members)),
                not_compared=tuple(not_compared(members)),
            )
        )
    all_rows = [row for block in blocks for row in block.rows]
    return Section(
        dataset=dataset,
        reported_as=reported_as,
        blocks=tuple(blocks),
        seed_groups=seed_groups(all_rows),
        reported=tuple(reported_results(reported_as)),
        best=best_row(all_rows),
    )
