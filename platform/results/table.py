"""The comparison table as data: sections by data set, blocks by experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.evaluation.reported import ReportedResult, reported_results
from platform.results.aggregate import AggregatedRow, TableRow
from platform.results.comparisons import Comparison, best_row, compare
from platform.results.notes import section_notes
from platform.results.seeds import SeedGroup, seed_groups


@dataclass(frozen=True, kw_only=True)
class Block:
    """Our rows of one experiment on one data set."""

    experiment: str
    preset: str
    rows: tuple[TableRow, ...]
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, kw_only=True)
class Section:
    """All rows on one data set."""

    dataset: str
    blocks: tuple[Block, ...]
    seed_groups: tuple[SeedGroup, ...]
    reported: tuple[ReportedResult, ...]
    best: TableRow | None
    """The one row that may be marked as best; None where intervals overlap."""

    @property
    def rows(self) -> tuple[TableRow, ...]:
        """Our rows of all blocks."""
        return tuple(row for block in self.blocks for row in block.rows)

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that say what each number is."""
        return section_notes(self)


@dataclass(frozen=True, kw_only=True)
class Table:
    """What the renderers of platform/results/render.py turn into text."""

    sections: tuple[Section, ...]


def build_table(aggregated: Sequence[AggregatedRow]) -> Table:
    """The table of all rows: data sets in the order of first appearance, then experiments likewise."""
    if not aggregated:
        raise ValueError("a table needs at least one row")
    datasets = list(dict.fromkeys(row.row.dataset for row in aggregated))
    return Table(
        sections=tuple(
            _section(dataset, [row for row in aggregated if row.row.dataset == dataset])
            for dataset in datasets
        )
    )


def _section(dataset: str, aggregated: Sequence[AggregatedRow]) -> Section:
    blocks = []
    for name in dict.fromkeys(row.row.experiment for row in aggregated):
        members = [row for row in aggregated if row.row.experiment == name]
        rows = tuple(member.row for member in members)
        blocks.append(
            Block(
                experiment=name,
                preset=rows[0].preset,
                rows=rows,
                comparisons=tuple(compare(members)),
            )
        )
    all_rows = [row for block in blocks for row in block.rows]
    return Section(
        dataset=dataset,
        blocks=tuple(blocks),
        seed_groups=seed_groups(all_rows),
        reported=tuple(reported_results(dataset)),
        best=best_row(all_rows),
    )
