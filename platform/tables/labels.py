"""Names of rows and lines that differ wherever the rows do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.tables.formatting import row_label, seeds_text

Fact = Callable[[TableRow], str]

FACTS: tuple[Fact, ...] = (
    lambda row: f"fold rule {row.fold_rule}",
    lambda row: f"selected by {row.selection_rule}",
    lambda row: row.variation or "as published",
    lambda row: f"{row.fold_count} fold{'' if row.fold_count == 1 else 's'}",
    lambda row: f"version {row.result_version}",
    lambda row: f"{row.kind}",
)
LAST_FACTS: tuple[Fact, ...] = (
    lambda row: f"of {row.experiment}",
    lambda row: f"configuration {(row.configurations or 'unknown')[:6]}",
    lambda row: f"data {(row.data_hash or 'unknown')[:6]}",
    lambda row: f"fold runs {row.fold_runs[:6]}",
)
"""What sets rows of equal label apart, in this order; the seed between the two."""


def row_labels(rows: Sequence[TableRow]) -> tuple[str, ...]:
    """A label for each row; with its seed and other facts where labels would be equal."""
    return _told_apart(
        [row_label(row) for row in rows],
        [[fact(row) for row in rows] for fact in (*FACTS, _seed, *LAST_FACTS)],
    )


def line_labels(lines: Sequence[SeedGroup]) -> tuple[str, ...]:
    """A label for each line; with the facts that differ where labels would be equal."""
    firsts = [line.first for line in lines]
    seeds = [seeds_text(line.seeds) for line in lines]
    return _told_apart(
        [row_label(row) for row in firsts],
        [
            *([fact(row) for row in firsts] for fact in FACTS),
            seeds,
            *([fact(row) for row in firsts] for fact in LAST_FACTS),
        ],
    )


def _seed(row: TableRow) -> str:
    return f"seed {row.seed}"


def _told_apart(labels: list[str], facts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The labels, with those facts appended in which items of equal label differ."""
    for texts in facts:
        alike: dict[str, set[str]] = defaultdict(set)
        for label, text in zip(labels, texts, strict=True):
            alike[label].add(text)
        labels = [
            f"{label}, {text}" if len(alike[label]) > 1 else label
            for label, text in zip(labels, texts, strict=True)
        ]
    return tuple(labels)
