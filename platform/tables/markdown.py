"""The comparison table as GitHub Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from platform.aggregation.aggregate import TableRow
from platform.aggregation.seeds import SeedGroup
from platform.evaluation.reported import ReportedResult
from platform.host.console import one_line
from platform.tables.definitions import definitions
from platform.tables.details import PARTS
from platform.tables.displayable import displayable
from platform.tables.formatting import (
    ABSENT,
    folds_text,
    gap_text,
    interval,
    masks_text,
    percent,
    points,
    reported_difference,
    reported_source,
    reported_value,
    seed_mean_text,
    title_text,
)
from platform.tables.grid import Grid, markdown_escape, markdown_grid
from platform.tables.notes import section_notes
from platform.tables.table import Section, Table

_HEADER = (
    "Method",
    "Source",
    "Backbone",
    "Selected by",
    "Masks",
    "Images",
    "Sequences",
    "Subjects",
    "Folds",
    "Seeds",
    "Repeats",
    "Mean of folds %",
    "95 % interval of mean of folds",
    "Fold SD (points)",
    "Minus reported (points)",
    "Pooled images %",
    "95 % interval of pooled images",
    "Errors (images)",
    "Sequences by mean score %",
    "Sequences by majority %",
    "Macro F1 (images)",
    "Optimism gap (points)",
)
_LEFT_COLUMNS = 5


def render_markdown(table: Table, parts: Sequence[str]) -> str:
    """GitHub Markdown: per data set the table, the notes, and `parts` (keys of details.PARTS)."""
    # A backtick in a name would end the code spans of our own sentences.
    table = displayable(table, lambda text: one_line(text).replace("`", "'"))
    lines = ["# Comparison", ""]
    for section in table.sections:
        lines += [f"## {markdown_escape(section.title)}", "", *markdown_grid(_main_grid(section)), ""]
        lines += [*(f"- {_sentence(note)}" for note in section_notes(section)), ""]
        for part in parts:
            for grid in PARTS[part](section):
                lines += [f"{markdown_escape(grid.caption)}:", "", *markdown_grid(grid), ""]
    lines += ["## What the numbers are", "", *(f"- {note}" for note in definitions(_HEADER))]
    return "\n".join(lines) + "\n"


def _sentence(note: str) -> str:
    """A note with its code spans, and everything around them as plain text."""
    parts = re.split(r"(`[^`]*`)", note)
    return "".join(part if part.startswith("`") else markdown_escape(part) for part in parts)


def _main_grid(section: Section) -> Grid:
    rows = [_cells(row, row is section.best) for row in section.rows]
    rows += [_seed_cells(group) for group in section.seed_groups]
    rows += [_reported_cells(result) for result in section.reported]
    return Grid(
        caption=f"Accuracy on {section.title}",
        header=_HEADER,
        rows=tuple(map(tuple, rows)),
        left_columns=_LEFT_COLUMNS,
    )


def _cells(row: TableRow, best: bool) -> list[str]:
    mark = "**" if best else ""
    start = [
        mark + title_text(row) + mark,
        f"ours: {row.experiment} (preset {row.preset_text}), seed {ABSENT if row.seed is None else row.seed}",
        row.net,
        row.selection_rule,
        masks_text(row),
    ]
    counted = [folds_text(row), "1", str(row.repeat_count)]
    scores = row.scores
    if scores is None:
        return [*start, "0", "0", "0", *counted, *[ABSENT] * (len(_HEADER) - len(start) - 6)]
    deviation = scores.fold_standard_deviation
    return [
        *start,
        str(scores.image_count),
        str(scores.sequence_count),
        str(scores.subject_count),
        *counted,
        percent(scores.mean_of_folds),
        interval(scores.mean_of_folds_interval),
        ABSENT if deviation is None else percent(deviation),
        points(reported_difference(row)),
        mark + percent(scores.pooled_image_accuracy) + mark,
        interval(scores.pooled_image_interval),
        str(scores.error_count),
        percent(scores.pooled_sequence_accuracy),
        percent(scores.majority_sequence_accuracy),
        f"{scores.macro_f1:.3f}",
        gap_text(row),
    ]


def _seed_cells(group: SeedGroup) -> list[str]:
    first = group.rows[0]
    cells = dict.fromkeys(_HEADER, ABSENT)
    cells |= {
        "Method": f"{title_text(first)}: mean over seeds",
        "Source": f"ours: seeds {', '.join(map(str, group.seeds))}",
        "Backbone": first.net,
        "Selected by": first.selection_rule,
        "Masks": masks_text(first),
        "Folds": folds_text(first),
        "Seeds": str(len(group.seeds)),
        "Repeats": str(first.repeat_count),
        "Mean of folds %": seed_mean_text(group.mean_of_folds),
        "Pooled images %": seed_mean_text(group.pooled_image_accuracy),
        "Sequences by mean score %": seed_mean_text(group.pooled_sequence_accuracy),
    }
    return list(cells.values())


def _reported_cells(result: ReportedResult) -> list[str]:
    cells = dict.fromkeys(_HEADER, ABSENT)
    cells |= {
        "Method": result.method,
        "Source": reported_source(result),
        "Selected by": result.selection_rule,
        "Mean of folds %": reported_value(result),
    }
    return list(cells.values())
