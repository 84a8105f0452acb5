"""The comparison table as GitHub Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from platform.evaluation.reported import ReportedResult
from platform.results.aggregate import TableRow
from platform.results.formatting import (
    ABSENT,
    folds_text,
    interval,
    masks_text,
    percent,
    reported_value,
    row_label,
    selection_text,
)
from platform.results.table import Block, Section, Table

_MARKDOWN_HEADER = (
    "Method",
    "Source",
    "Backbone",
    "Selected by",
    "Masks",
    "Images",
    "Sequences",
    "Subjects",
    "Folds",
    "Mean of folds %",
    "95 % interval of mean of folds",
    "Fold SD (points)",
    "Pooled images %",
    "95 % interval of pooled images",
    "Errors (images)",
    "Pooled sequences %",
    "Macro F1 (images)",
)


def render_markdown(table: Table) -> str:
    """GitHub Markdown: per data set the table, the accuracy of each fold, and the notes."""
    lines = ["# Comparison", ""]
    for section in table.sections:
        lines += [f"## {section.dataset}", ""]
        rows = [
            _markdown_cells(row, block, row is block.best) for block in section.blocks for row in block.rows
        ] + [_markdown_reported(result) for result in section.reported]
        lines += _markdown_table(_MARKDOWN_HEADER, rows, left_columns=5)
        lines += ["", "Accuracy % of each fold (images tested):", ""]
        lines += _markdown_folds(section)
        lines += ["", *(f"- {note}" for note in section.notes), ""]
    lines += ["## What the numbers are", "", *(f"- {note}" for note in table.definitions)]
    return "\n".join(lines) + "\n"


def _markdown_cells(row: TableRow, block: Block, best: bool) -> list[str]:
    mark = "**" if best else ""
    start = [
        mark + row.title + mark + ("" if row.complete else " (INCOMPLETE)"),
        f"ours: {block.experiment} (preset {block.preset})",
        row.backbone,
        selection_text(row.selection_rule),
        masks_text(row),
    ]
    scores = row.scores
    if scores is None:
        return [*start, "0", "0", "0", folds_text(row), *[ABSENT] * 8]
    deviation = scores.fold_standard_deviation
    return [
        *start,
        str(scores.image_count),
        str(scores.sequence_count),
        str(scores.subject_count),
        folds_text(row),
        percent(scores.mean_of_folds),
        interval(scores.mean_of_folds_interval),
        ABSENT if deviation is None else percent(deviation),
        mark + percent(scores.pooled_image_accuracy) + mark,
        interval(scores.pooled_image_interval),
        str(scores.error_count),
        percent(scores.pooled_sequence_accuracy),
        f"{scores.macro_f1:.3f}",
    ]


def _markdown_reported(result: ReportedResult) -> list[str]:
    source = f"reported: {result.source}, {result.protocol}"
    return [
        result.method,
        source,
        ABSENT,
        result.selection_rule,
        *[ABSENT] * 5,
        reported_value(result),
        *[ABSENT] * 7,
    ]


def _markdown_folds(section: Section) -> list[str]:
    rows = [row for block in section.blocks for row in block.rows]
    folds = range(max(row.fold_count for row in rows))
    body = []
    for row in rows:
        scores = {score.fold: score for score in row.scores.folds} if row.scores else {}
        body.append(
            [
                row_label(row),
                row.experiment,
                *(
                    f"{percent(scores[f].accuracy)} ({scores[f].image_count})" if f in scores else ABSENT
                    for f in folds
                ),
            ]
        )
    return _markdown_table(("Row", "Experiment", *(f"Fold {fold}" for fold in folds)), body, left_columns=2)


def _markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]], *, left_columns: int) -> list[str]:
    rule = ["---" if index < left_columns else "---:" for index in range(len(header))]
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return ["| " + " | ".join(cells) + " |" for cells in (header, rule, *escaped)]
