"""The comparison table as aligned plain text for the screen."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from platform.aggregation.aggregate import TableRow
from platform.aggregation.seeds import SeedGroup
from platform.evaluation.reported import ReportedResult
from platform.tables.definitions import definitions
from platform.tables.details import PARTS
from platform.tables.formatting import (
    ABSENT,
    NOT_STATED_MARK,
    folds_text,
    gap_text,
    interval,
    masks_name,
    masks_text,
    percent,
    points,
    reported_difference,
    reported_value,
    seed_mean_text,
    title_text,
)
from platform.tables.grid import screen_grid
from platform.tables.notes import section_notes
from platform.tables.table import Section, Table

SCREEN_WIDTH = 118
_GAP = "  "
_TITLE_WIDTH = 20
_GAP_WIDTH = 12
_NET_WIDTH = 13
HEADER = (
    "Method",
    "Backbone",
    "Selected\nby",
    "Images/\nsubjects",
    "Folds/\nseeds/\nrepeats",
    "Mean of\nfolds %",
    "Minus\nreported",
    "Pooled\nimages %",
    "95 % of\npooled",
    "Pooled\nseq. %",
    "Optimism\ngap",
)
LEFT_COLUMNS = 3
_REPORTED_COLUMN = HEADER.index("Minus\nreported")
_NOT_IN_BRIEF = ("Folds/\nseeds/\nrepeats", "Optimism\ngap")
"""Columns that the brief form leaves out, so that it fits into 100 columns."""
BEST_MARK = "*"
"""Ends the pooled accuracy of the best row."""


def render_screen(table: Table, parts: Sequence[str] = (), *, brief: bool = False) -> str:
    """Aligned plain text, at most about 118 columns unless a name is longer.

    parts: keys of details.PARTS, shown below the notes of their data set. brief: without notes, definitions
    and the columns _NOT_IN_BRIEF.
    """
    lines: list[str] = []
    columns: list[str] = []
    for section in table.sections:
        body, headings = section_cells(section)
        if brief:
            kept = [place for place, name in enumerate(body[0]) if name not in _NOT_IN_BRIEF]
            body = [[cells[place] for place in kept] for cells in body]
        columns += body[0]
        lines += [f"Accuracy on {section.title}, of final runs on test folds", ""]
        lines += _align(body, headings)
        lines.append("")
        for note in () if brief else section_notes(section):
            lines += textwrap.wrap(note, SCREEN_WIDTH, initial_indent="- ", subsequent_indent="  ")
        if not brief:
            lines.append("")
        for part in parts:
            for grid in PARTS[part](section):
                lines += [*screen_grid(grid), ""]
    for note in () if brief else definitions(columns):
        lines += textwrap.wrap(note, SCREEN_WIDTH, initial_indent="- ", subsequent_indent="  ")
    return "\n".join(lines) + "\n"


def section_cells(section: Section) -> tuple[list[list[str]], dict[int, str]]:
    """The header (row 0) and rows as cells, whose line breaks are kept; and headings that precede rows.

    The difference to the reported accuracy is left out where none is reported.
    """
    body = [[*HEADER]]
    headings: dict[int, str] = {}
    for block in section.blocks:
        headings[len(body)] = f"Ours: {block.experiment} (preset {block.preset_text})"
        body.extend(_screen_cells(row, row is section.best) for row in block.rows)
    if section.seed_groups:
        headings[len(body)] = "Ours, over seeds"
        body.extend(_screen_seeds(group) for group in section.seed_groups)
    if section.reported:
        headings[len(body)] = "Reported: FMPN paper, Table I"
        body.extend(_screen_reported(result) for result in section.reported)
    else:
        body = [[*cells[:_REPORTED_COLUMN], *cells[_REPORTED_COLUMN + 1 :]] for cells in body]
    return body, headings


def _screen_cells(row: TableRow, best: bool) -> list[str]:
    lent = "" if masks_text(row) in (ABSENT, "own") else f", {masks_name(row.masks)}"
    start = [_wrapped(title_text(row) + lent), _wrapped(row.net, _NET_WIDTH), row.selection_rule]
    counts = f"{folds_text(row)}/1/{row.repeat_count}"
    scores = row.scores
    if scores is None:
        return [*start, "0/0", counts, *[ABSENT] * 6]
    return [
        *start,
        f"{scores.image_count}/{scores.subject_count}",
        counts,
        percent(scores.mean_of_folds),
        points(reported_difference(row)),
        percent(scores.pooled_image_accuracy) + (BEST_MARK if best else ""),
        interval(scores.pooled_image_interval),
        percent(scores.pooled_sequence_accuracy),
        _wrapped(gap_text(row), _GAP_WIDTH),
    ]


def _screen_seeds(group: SeedGroup) -> list[str]:
    first = group.rows[0]
    means = (group.mean_of_folds, group.pooled_image_accuracy, group.pooled_sequence_accuracy)
    of_folds, of_images, of_sequences = (
        seed_mean_text(mean).replace(" (", "\n").rstrip(")") for mean in means
    )
    return [
        _wrapped(f"{title_text(first)}, seeds {', '.join(map(str, group.seeds))}"),
        _wrapped(first.net, _NET_WIDTH),
        first.selection_rule,
        ABSENT,
        f"{folds_text(first)}/{len(group.seeds)}/{first.repeat_count}",
        of_folds,
        ABSENT,
        of_images,
        ABSENT,
        of_sequences,
        ABSENT,
    ]


def _screen_reported(result: ReportedResult) -> list[str]:
    rule = ABSENT if result.selection_rule == "not stated" else result.selection_rule
    unit = result.protocol.removesuffix("-based") + "s"
    return [_wrapped(result.method), ABSENT, rule, unit, ABSENT, reported_value(result), *[ABSENT] * 5]


def _wrapped(text: str, width: int = _TITLE_WIDTH) -> str:
    return "\n".join(textwrap.wrap(text, width)) or text


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
