"""The comparison table as aligned plain text for the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from platform.evaluation.reported import ReportedResult
from platform.results.aggregate import TableRow
from platform.results.formatting import (
    ABSENT,
    NOT_STATED_MARK,
    folds_text,
    interval,
    masks_text,
    percent,
    reported_value,
    selection_text,
)
from platform.results.table import Section, Table

SCREEN_WIDTH = 118
_GAP = "  "
_TITLE_WIDTH = 26
HEADER = (
    "Method",
    "Backbone",
    "Selected\nby",
    "Masks",
    "Images/seq./\nsubjects/folds",
    "Mean of\nfolds %",
    "Pooled\nimages %",
    "95 % of\npooled",
    "Pooled\nseq. %",
    "Macro\nF1",
)
LEFT_COLUMNS = 4
POOLED_COLUMN = 6
"""Holds the best row's mark."""
BEST_MARK = "*"


def render_screen(table: Table) -> str:
    """Aligned plain text, at most about 118 columns unless a name is longer."""
    lines: list[str] = []
    for section in table.sections:
        body, headings = section_cells(section)
        lines += [f"Accuracy on {section.dataset}, of final runs on test folds", ""]
        lines += _align(body, headings)
        lines.append("")
        for note in section.notes:
            lines += textwrap.wrap(note, SCREEN_WIDTH, initial_indent="- ", subsequent_indent="  ")
        lines.append("")
    for note in table.definitions:
        lines += textwrap.wrap(note, SCREEN_WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def section_cells(section: Section) -> tuple[list[list[str]], dict[int, str]]:
    """The header (row 0) and rows as cells, whose line breaks are kept; and headings that precede rows."""
    body = [[*HEADER]]
    headings: dict[int, str] = {}
    for block in section.blocks:
        headings[len(body)] = f"Ours: {block.experiment} (preset {block.preset})"
        body.extend(_screen_cells(row, row is block.best) for row in block.rows)
    if section.reported:
        headings[len(body)] = "Reported: FMPN paper, Table I"
        body.extend(_screen_reported(result) for result in section.reported)
    return body, headings


def _screen_cells(row: TableRow, best: bool) -> list[str]:
    title = row.title + ("" if row.complete else " INCOMPLETE")
    start = [
        "\n".join(textwrap.wrap(title, _TITLE_WIDTH)) or title,
        row.backbone,
        selection_text(row.selection_rule),
        masks_text(row),
    ]
    scores = row.scores
    if scores is None:
        return [*start, f"0/0/0/{folds_text(row)}", *[ABSENT] * 5]
    return [
        *start,
        f"{scores.image_count}/{scores.sequence_count}/{scores.subject_count}/{folds_text(row)}",
        percent(scores.mean_of_folds),
        percent(scores.pooled_image_accuracy) + (BEST_MARK if best else ""),
        interval(scores.pooled_image_interval),
        percent(scores.pooled_sequence_accuracy),
        f"{scores.macro_f1:.3f}",
    ]


def _screen_reported(result: ReportedResult) -> list[str]:
    rule = ABSENT if result.selection_rule == "not stated" else result.selection_rule
    return [result.method, ABSENT, rule, ABSENT, result.protocol, reported_value(result), *[ABSENT] * 4]


def _align(body: Sequence[Sequence[str]], headings: Mapping[int, str]) -> list[str]:
    """Columns padded to their widest line, cells of several lines stacked, a heading before some rows."""
    columns = [_room_for_marks(column) for column in zip(*body, strict=True)]
    widths = [max(len(line) for cell in column for line in cell.split("\n")) for column in columns]
    lines: list[str] = []
    for number, row in enumerate(zip(*columns, strict=True)):
        if number in headings:
            lines += ([""] if number > 1 else []) + [headings[number]]
        cells = [cell.split("\n") for cell in row]
        height = max(len(cell) for cell in cells)
        for level in range(height):
            # A header's last line stands on the rule; a row's first line carries its numbers.
            stacked = [
                [""] * (height - len(cell)) + cell if number == 0 else cell + [""] * (height - len(cell))
                for cell in cells
            ]
            texts = [
                cell[level].ljust(width) if index < LEFT_COLUMNS else cell[level].rjust(width)
                for index, (cell, width) in enumerate(zip(stacked, widths, strict=True))
            ]
            lines.append(_GAP.join(texts).rstrip())
        if number == 0:
            lines.append("-" * (sum(widths) + len(_GAP) * (len(widths) - 1)))
    return lines


def _room_for_marks(column: Sequence[str]) -> list[str]:
    """The column's cells, those without a mark one blank wider where another has one, so digits align."""
    marks = (BEST_MARK, NOT_STATED_MARK)
    if not any(cell.endswith(marks) for cell in column):
        return list(column)
    return [cell if cell.endswith(marks) or "\n" in cell else cell + " " for cell in column]
