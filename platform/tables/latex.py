"""The comparison table as LaTeX: a document of its own that plain pdflatex compiles, with booktabs.

Its tables can be copied into a paper one by one: a comment line opens each.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from platform.aggregation.aggregate import TableRow
from platform.aggregation.seeds import SeedGroup
from platform.evaluation.reported import ReportedResult
from platform.tables.definitions import definitions
from platform.tables.details import PARTS
from platform.tables.formatting import (
    ABSENT,
    folds_text,
    gap_text,
    interval,
    percent,
    points,
    reported_difference,
    reported_value,
    seed_mean_text,
    title_text,
)
from platform.tables.grid import Grid
from platform.tables.notes import section_notes
from platform.tables.table import Section, Table

_PREAMBLE = (
    r"\documentclass{article}",
    r"\usepackage[T1]{fontenc}",
    r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
    r"\usepackage{booktabs}",
    r"\usepackage{graphicx}",
    r"\begin{document}",
)
_HEADER = (
    "Method",
    "Backbone",
    "Selected by",
    "Images",
    "Subjects",
    "Folds",
    "Seeds",
    "Repeats",
    "Mean of folds %",
    "Minus reported",
    "Pooled images %",
    "95 % interval",
    "Sequences %",
    "Macro F1",
    "Optimism gap",
)
_LEFT_COLUMNS = 3
_MOST_COLUMNS_UNSCALED = 9
"""Wider grids are scaled to the width of the page."""
# [ and * in braces: after the end of a line they would be arguments of \\.
_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": "'",
    "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "†": r"$^{\dagger}$",
    "λ": r"$\lambda$", "[": "{[}", "]": "{]}", "*": "{*}", "\n": " ",
}  # fmt: skip


def render_latex(table: Table, parts: Sequence[str]) -> str:
    """The document: per data set the table, the notes, and `parts` (keys of details.PARTS)."""
    lines = [*_PREAMBLE]
    for section in table.sections:
        lines += [rf"\section*{{{escape(section.dataset)}}}"]
        lines += _table(_main_grid(section), section.best, section.rows)
        lines += _notes(section_notes(section))
        for part in parts:
            for grid in PARTS[part](section):
                lines += _detail(grid)
    lines += [r"\section*{What the numbers are}", *_notes(definitions(_HEADER)), r"\end{document}"]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """`text` for LaTeX, in ASCII: accents are taken off, and what then is left is written as its code."""
    return "".join(_escaped(character) for character in unicodedata.normalize("NFC", text))


def _escaped(character: str) -> str:
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if character.isascii():
        return character
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_SYMBOLS.get(one, one) for one in plain) or f"U+{ord(character):04X}"


def _main_grid(section: Section) -> Grid:
    rows = [_cells(row) for row in section.rows]
    rows += [_seed_cells(group) for group in section.seed_groups]
    rows += [_reported_cells(result) for result in section.reported]
    return Grid(
        caption=f"Accuracy on {section.title}, of final runs on test folds",
        header=_HEADER,
        rows=tuple(tuple(row[name] for name in _HEADER) for row in rows),
        left_columns=_LEFT_COLUMNS,
    )


def _cells(row: TableRow) -> dict[str, str]:
    cells = dict.fromkeys(_HEADER, ABSENT) | {
        "Method": title_text(row),
        "Backbone": row.net,
        "Selected by": row.selection_rule,
        "Folds": folds_text(row),
        "Seeds": "1",
        "Repeats": str(row.repeat_count),
    }
    scores = row.scores
    if scores is None:
        return cells
    return cells | {
        "Images": str(scores.image_count),
        "Subjects": str(scores.subject_count),
        "Mean of folds %": percent(scores.mean_of_folds),
        "Minus reported": points(reported_difference(row)),
        "Pooled images %": percent(scores.pooled_image_accuracy),
        "95 % interval": interval(scores.pooled_image_interval),
        "Sequences %": percent(scores.pooled_sequence_accuracy),
        "Macro F1": f"{scores.macro_f1:.3f}",
        "Optimism gap": gap_text(row),
    }


def _seed_cells(group: SeedGroup) -> dict[str, str]:
    first = group.rows[0]
    return dict.fromkeys(_HEADER, ABSENT) | {
        "Method": f"{title_text(first)}: mean over seeds {', '.join(map(str, group.seeds))}",
        "Backbone": first.net,
        "Selected by": first.selection_rule,
        "Folds": folds_text(first),
        "Seeds": str(len(group.seeds)),
        "Repeats": str(first.repeat_count),
        "Mean of folds %": seed_mean_text(group.mean_of_folds),
        "Pooled images %": seed_mean_text(group.pooled_image_accuracy),
        "Sequences %": seed_mean_text(group.pooled_sequence_accuracy),
    }


def _reported_cells(result: ReportedResult) -> dict[str, str]:
    return dict.fromkeys(_HEADER, ABSENT) | {
        "Method": f"{result.method} (reported, {result.protocol})",
        "Selected by": result.selection_rule,
        "Mean of folds %": reported_value(result),
    }


def _table(grid: Grid, best: TableRow | None, rows: Sequence[TableRow]) -> list[str]:
    """A floating table as wide as the page. Its first lines are `rows`; that of `best` is bold."""
    body = []
    for number, cells in enumerate(grid.rows):
        if number == len(rows):
            body.append(r"\midrule")  # ours above, means over seeds and reported rows below
        bold = best is not None and number < len(rows) and rows[number] is best
        body.append(_line([rf"\textbf{{{escape(cell)}}}" if bold else escape(cell) for cell in cells]))
    return [
        f"% table: {escape(grid.caption)}",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{escape(grid.caption)}}}",
        r"\resizebox{\linewidth}{!}{%",
        *_tabular(grid, body),
        "}",
        r"\end{table}",
        r"\clearpage",
    ]


def _detail(grid: Grid) -> list[str]:
    """A table that stays where it is: LaTeX holds only so many floating ones."""
    wide = len(grid.header) > _MOST_COLUMNS_UNSCALED
    return [
        f"% table: {escape(grid.caption)}",
        r"\begin{center}",
        rf"{escape(grid.caption)}\\[1ex]",
        *([r"\resizebox{\linewidth}{!}{%"] if wide else []),
        *_tabular(grid, [_line(map(escape, cells)) for cells in grid.rows]),
        *(["}"] if wide else []),
        r"\end{center}",
    ]


def _tabular(grid: Grid, body: Sequence[str]) -> list[str]:
    alignment = "l" * grid.left_columns + "r" * (len(grid.header) - grid.left_columns)
    header = _line(map(escape, grid.header))
    start = [rf"\begin{{tabular}}{{{alignment}}}", r"\toprule", header, r"\midrule"]
    return [*start, *body, r"\bottomrule", r"\end{tabular}"]


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _notes(notes: Sequence[str]) -> list[str]:
    return [r"\begin{itemize}", *(rf"\item {escape(note)}" for note in notes), r"\end{itemize}"]
