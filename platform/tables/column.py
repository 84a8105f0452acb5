"""A column of the comparison table: heading, cells, stored values, and the formats that show it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.evaluation.reported import ReportedResult
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
"""A line of the table: a row of ours, the mean of rows over seeds, or a published number."""
Record = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class PerLine(Generic[T]):
    """One function for each kind of line; None for kinds for which the column is empty."""

    row: Callable[[TableRow], T] | None = None
    seeds: Callable[[SeedGroup], T] | None = None
    reported: Callable[[ReportedResult], T] | None = None

    def of(self, line: Line) -> T | None:
        """The function's result for `line`; None where the column is empty."""
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
    marks_best: bool = False
    """Whether its cell carries the mark of the best row."""
    identifies: bool = False
    """Whether its stored keys say which row a line of `--parts` belongs to."""
    brief: bool = False
    """Whether the brief table at the end of a command has it; that table fits into 100 characters."""
    of_images: bool = False
    """Whether it counts images: a dash, and null in CSV and JSON, for a row that scores sequences."""
    for_sequences: bool = False
    """Shown to people only where a row scores sequences."""
    beside_reported: bool = False
    """Shown to people only where numbers are reported for the data set."""

    def __post_init__(self) -> None:
        unknown = set(self.formats) - set(ALL)
        if unknown or not self.formats:
            raise ValueError(f"formats of column {self.key!r} must be some of {ALL}, got {self.formats}")
        if set(self.formats) & set(READ) and not self.heading:
            raise ValueError(f"column {self.key!r} needs a heading, because people read it")

    def heading_in(self, form: str) -> str:
        """Its heading in `form`; lines of at most HEADING_WIDTH where `form` is narrow."""
        if form not in NARROW:
            return self.heading
        return wrapped(self.narrow_heading or self.heading, HEADING_WIDTH)

    def cell(self, line: Line, form: str) -> str:
        """Its cell for `line` in `form`, wrapped where `form` is narrow; a dash where it is empty."""
        text = None if self.of_images and _scores_sequences(line) else self.text.of(line)
        text = ABSENT if text is None else text
        return wrapped(text, self.width) if form in NARROW and self.width else text

    def stored(self, line: Line) -> Record:
        """Its stored keys and values for `line`; no value where it counts images and there are none."""
        record = self.record.of(line) or {}
        return dict.fromkeys(record) if self.of_images and _scores_sequences(line) else record


def _scores_sequences(line: Line) -> bool:
    row = line.rows[0] if isinstance(line, SeedGroup) else line
    return isinstance(row, TableRow) and row.scores_sequences


def wrapped(text: str, width: int) -> str:
    """`text` with line breaks between words; brackets stay in one line where they fit."""
    together = re.sub(r"\([^()]*\)", lambda found: _unbroken(found[0], width), text)
    lines = textwrap.wrap(together, width, break_long_words=False)
    return "\n".join(lines).replace(_NO_BREAK, " ") or text


_NO_BREAK = "\0"


def _unbroken(words: str, width: int) -> str:
    return words.replace(" ", _NO_BREAK) if len(words) <= width else words
