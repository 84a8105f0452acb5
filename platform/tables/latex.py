"""The comparison table as a complete LaTeX document, for plain pdflatex and booktabs.

A comment line precedes each table, so that tables can be copied into a paper one by one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from platform.evaluation import row_metrics, unit_metrics
from platform.tables.column import LATEX
from platform.tables.columns import definitions
from platform.tables.details import PARTS
from platform.tables.grid import Grid
from platform.tables.notes import section_notes
from platform.tables.section_lines import TextTable, text_table, wide_grid, without_columns
from platform.tables.table import Section, Table

_PREAMBLE = (
    r"\documentclass{article}",
    r"\usepackage[T1]{fontenc}",
    r"\usepackage[a4paper,landscape,margin=15mm]{geometry}",
    r"\usepackage{booktabs}",
    r"\usepackage{graphicx}",
    r"\begin{document}",
)
_MOST_COLUMNS_OF_A_PAGE = 16
_NAMES = ("title_in_latex", "net")
"""Columns that name a line."""
_MOST_COLUMNS_UNSCALED = 9
"""Wider grids are scaled to the width of the page."""
# [ and * in braces: at the start of a line they would be arguments of the \\ before them.
_SYMBOLS = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": "'",
    "–": "--", "—": "---", "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "†": r"$^{\dagger}$",
    "λ": r"$\lambda$", "[": "{[}", "]": "{]}", "*": "{*}", "\n": " ",
}  # fmt: skip


def render_latex(table: Table, parts: Sequence[str]) -> str:
    """The document: for each data set the table, its notes, and `parts` (keys of details.PARTS)."""
    lines = [*_PREAMBLE]
    tables = [text_table(section, LATEX) for section in table.sections]
    for section, shown in zip(table.sections, tables, strict=True):
        lines += [rf"\section*{{{escape(section.dataset)}}}"]
        for caption, page in _pages(section, shown).items():
            lines += _table(caption, page)
        lines += _notes(section_notes(section))
        for part in parts:
            for grid in PARTS[part](section):
                lines += _detail(grid)
    defined = definitions(column for shown in tables for column in shown.columns)
    lines += [r"\section*{Definitions}", *_notes(defined), r"\end{document}"]
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """`text` for LaTeX in ASCII: accents are removed, and other characters become their code point."""
    return "".join(_escaped(character) for character in unicodedata.normalize("NFC", text))


def _escaped(character: str) -> str:
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    if character.isascii():
        return character
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    return "".join(_SYMBOLS.get(one, one) for one in plain) or f"U+{ord(character):04X}"


def _pages(section: Section, table: TextTable) -> dict[str, TextTable]:
    """Caption to table; where one would be too small to read on a page, the measures beyond accuracy are a
    second one."""
    title = f"Accuracy on {section.title}, of final runs on test folds"
    metrics = {one.key for one in row_metrics.METRICS} | {one.key for one in unit_metrics.UNIT_METRICS}
    metrics.add("reported_measures")
    measures = {column.key for column in table.columns} & metrics
    if len(table.columns) <= _MOST_COLUMNS_OF_A_PAGE or not measures:
        return {title: table}
    others = {column.key for column in table.columns} - measures - set(_NAMES)
    return {
        title: without_columns(table, measures),
        f"Measures beyond accuracy on {section.title}": without_columns(table, others),
    }


def _table(caption: str, table: TextTable) -> list[str]:
    """A floating table as wide as the page; the best row is bold, and rules precede each paper's rows."""
    grid = wide_grid(caption, table)
    body = []
    for number, line in enumerate(table.lines):
        if number >= table.ours and line.heading:
            body.append(r"\midrule")
        cells = map(escape, line.cells)
        body.append(_line(rf"\textbf{{{cell}}}" if line.best else cell for cell in cells))
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
    """A table that does not float, because LaTeX limits the number of pending floats."""
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
