"""A column of the comparison table: heading, cells, stored values, and the formats that show it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.evaluation.reported.result import ReportedResult
from platform.tables.formatting import ABSENT

SCREEN, HTML, MARKDOWN, LATEX, CSV, JSON = "screen", "html", "markdown", "latex", "csv", "json"
NARROW = (SCREEN, HTML)
"""Formats of limited width: headings and cells wrap."""
WIDE = (MARKDOWN, LATEX)
READ = (*NARROW, *WIDE)
"""Formats for people: cells of text."""
STORED = (CSV, JSON)
"""Formats for programs: values under keys."""
ALL = (*READ, *STORED)

HEADING_WIDTH = 9
"""Characters after which a heading wraps in the narrow formats."""

Line = TableRow | SeedGroup | ReportedResult
"""A line of the table: a row of ours, the mean of rows over several seeds, or a published number."""
REFERENCE = "reference"
"""Cell of the line that others are compared with."""
ONE_SEED = "one seed"
"""Beside every p value and interval of a single training seed."""
Record = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PerLine(Generic[T]):
    """One function for each kind of line; None for kinds for which the column is empty."""

    row: Callable[[TableRow], T] | None = None
    seeds: Callable[[SeedGroup], T] | None = None
    reported: Callable[[ReportedResult], T] | None = None
    compared: Callable[[Comparison], T] | None = None
    """Of the line's difference from the reference, in place of the others."""

    def of(self, line: Line, comparison: Comparison | None = None) -> T | None:
        """The function's result for `line`; None where the column is empty."""
        if self.compared is not None:
            return None if comparison is None else self.compared(comparison)
        if isinstance(line, TableRow):
            return None if self.row is None else self.row(line)
        if isinstance(line, SeedGroup):
            return None if self.seeds is None else self.seeds(line)
        return None if self.reported is None else self.reported(line)


@dataclass(frozen=True, kw_only=True)
class Column:
    """One entry of `platform.tables.columns.COLUMNS`."""

    key: str
    """Unique name of the column."""
    formats: tuple[str, ...]
    """The formats that show it, out of ALL."""
    heading: str = ""
    """In formats for people."""
    narrow_heading: str = ""
    """In the narrow formats, where it differs from `heading`."""
    definition: str = ""
    """One sentence below the table; empty where the heading says it all."""
    text: PerLine[str] = PerLine()
    """Cells in formats for people; a dash for None."""
    record: PerLine[Record] = PerLine()
    """Stored keys and values in CSV and JSON; no key for None or an empty record."""
    left: bool = False
    """Text, aligned left and placed before all numbers, which are aligned right."""
    width: int | None = None
    """Characters after which a cell wraps in the narrow formats."""
    brief_width: int | None = None
    """The same in the brief table, which has fewer columns, where no reported numbers take their room."""
    marks_best: bool = False
    """Whether its cell carries the mark of the best row."""
    marks_reference: bool = False
    """Whether its cell names the line that others are compared with."""
    identifies: bool = False
    """Whether its stored keys say which row a line of `--parts` belongs to."""
    brief: bool = False
    """Whether the brief table at the end of a command has it; that table fits into 100 characters."""
    brief_for_sequences: bool = False
    """Whether the brief table has it only where a row scores sequences."""
    of_images: bool = False
    """Whether it counts images: a dash, and null in CSV and JSON, for a row that scores sequences."""
    for_sequences: bool = False
    """Shown to people only where a row scores sequences."""
    beside_reported: bool = False
    """Shown to people only where a number is reported for one of our methods on the data set."""
    if_reported: bool = False
    """Shown to people only where a reported row has it."""
    if_various: bool = False
    """Shown in the narrow formats only where our lines differ in it; a note says what they have in common."""
    if_filled: bool = False
    """Shown in the narrow formats only where one of our lines has it."""
    of_differences: bool = False
    """Shown to people only where lines are compared with a reference."""
    of_one_seed: bool = False
    """Whether it says `one seed` where only one was trained: intervals and p values."""

    def __post_init__(self) -> None:
        unknown = set(self.formats) - set(ALL)
        if unknown or not self.formats:
            raise ValueError(f"formats of column {self.key!r} must be some of {ALL}, got {self.formats}")
        if set(self.formats) & set(READ) and not self.heading:
            raise ValueError(f"column {self.key!r} needs a heading, because people read it")

    def heading_in(self, form: str, *, one_seed: bool = False) -> str:
        """Its heading in `form`; lines of at most HEADING_WIDTH where `form` is narrow.

        one_seed: every line has a single seed, so that the heading says so and not the cells.
        """
        said = one_seed and self.of_one_seed
        if form not in NARROW:
            return self.heading + (f", {ONE_SEED}" if said else "")
        heading = self.narrow_heading or self.heading
        return wrapped(heading + (f" {ONE_SEED}" if said else ""), HEADING_WIDTH)

    def cell(
        self,
        line: Line,
        form: str,
        comparison: Comparison | None = None,
        *,
        is_reference: bool = False,
        roomy: bool = False,
    ) -> str:
        """Its cell for `line` in `form`, wrapped where `form` is narrow; a dash where it is empty.

        comparison: of the line with the reference; None where there is none. roomy: `brief_width` applies.
        """
        text = None if self.of_images and _scores_sequences(line) else self.text.of(line, comparison)
        if is_reference and self.marks_reference:
            text = REFERENCE
        text = ABSENT if text is None else text
        width = self.brief_width if roomy and self.brief_width else self.width
        return wrapped(text, width) if form in NARROW and width else text

    def stored(self, line: Line, comparison: Comparison | None = None) -> Record:
        """Its stored keys and values for `line`; no value where it counts images and there are none."""
        record = self.record.of(line, comparison) or {}
        return dict.fromkeys(record) if self.of_images and _scores_sequences(line) else record


def _scores_sequences(line: Line) -> bool:
    row = line.rows[0] if isinstance(line, SeedGroup) else line
    return isinstance(row, TableRow) and row.scores_sequences


def wrapped(text: str, width: int) -> str:
    """`text` with line breaks between words; brackets stay in one line where they fit."""
    together = re.sub(r"\([^()]*\)|\[[^\[\]]*\]", lambda found: _unbroken(found[0], width), text)
    lines = textwrap.wrap(together, width, break_long_words=False)
    return "\n".join(lines).replace(_NO_BREAK, " ") or text


_NO_BREAK = "\0"


def _unbroken(words: str, width: int) -> str:
    return words.replace(" ", _NO_BREAK) if len(words) <= width else words
