"""CSV tables written by any program, read strictly and one line at a time.

Cells are separated by commas, semicolons (Excel where the comma is the decimal sign) or tabs, as the header
shows; the encoding is UTF-8, or UTF-16 with a byte order mark. Column names match in any case and with
spaces around them. Ambiguous content is refused with its line: duplicate columns, quotes not closed on their
line, a number of cells other than the header's.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError
from platform.files.opening import REMEDY, open_regular

LONGEST_LINE = 2**20
"""In characters; AffectNet's lines have about a thousand."""
SEPARATORS = (",", ";", "\t")
_SEPARATOR_LINE = re.compile(r"sep=([,;\t])")
"""First line that Excel writes to state the separator."""


@dataclass(frozen=True)
class Row:
    """One line of a table, split into cells on request."""

    where: str
    """`/path/faces.csv, line 7`, for messages."""
    line: int
    columns: tuple[str, ...]
    separator: str
    text: str

    def cells(self) -> dict[str, str]:
        """Cells by column, without surrounding spaces.

        Raises UserError for an unclosed quote, and unless the line has one cell for each column.
        """
        parts = split_cells(self.text, self.separator, self.where)
        if len(parts) < len(self.columns) or any(parts[len(self.columns) :]):
            raise UserError(
                f"{self.where}: it has {len(parts)} cells, but its header has {len(self.columns)}; "
                "correct that line."
            )
        found = dict(zip(self.columns, parts, strict=False))
        if found.pop("", ""):
            raise UserError(f"{self.where}: a cell has no column name above it; correct that line.")
        return found


@dataclass(frozen=True)
class Table:
    """A table whose header has been read; rows are read on request."""

    path: Path
    columns: tuple[str, ...]
    """Spelled as the known names, others as in the file; without duplicates."""
    header_line: int
    separator: str

    def missing(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that are not columns."""
        return [name for name in names if name not in self.columns]

    def rows(self) -> Iterator[Row]:
        """The non-empty lines below the header, read on request.

        Raises UserError as `numbered_lines`; an invalid line raises it from its `Row.cells`.
        """
        for line, text in numbered_lines(self.path):
            if line > self.header_line and text.strip(f"{self.separator} \t"):
                yield Row(f"{self.path}, line {line}", line, self.columns, self.separator, text)


def read_table(path: Path, known: Iterable[str] = (), *, remedy: str = REMEDY) -> Table:
    """The table in `path`. known: names of the columns that have a meaning.

    Raises UserError where the file cannot be read, is empty, or has duplicate columns.
    """
    known = tuple(known)
    separator = None
    for line, text in numbered_lines(path, remedy=remedy):
        if not text.strip():
            continue
        told = _SEPARATOR_LINE.fullmatch(text.strip(" ").lower())
        if told and separator is None:
            separator = told[1]
            continue
        where = f"{path}, line {line}"
        separator = separator or _separator(text, known, where)
        columns = _columns(split_cells(text, separator, where), known, where)
        return Table(path=path, columns=columns, header_line=line, separator=separator)
    raise UserError(f"{path} is empty; its first line must name its columns.")


def read_rows(path: Path, *, remedy: str = REMEDY) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of each non-empty line of a file that may have no header.

    Raises UserError as numbered_lines and split_cells do, and where all lines are empty.
    """
    separator = None
    for line, text in numbered_lines(path, remedy=remedy):
        if not text.strip():
            continue
        where = f"{path}, line {line}"
        separator = separator or _separator(text, (), where)
        yield line, split_cells(text, separator, where)
    if separator is None:
        raise UserError(f"{path} is empty; {remedy}")


def numbered_lines(path: Path, *, remedy: str = REMEDY) -> Iterator[tuple[int, str]]:
    """(number, text without line end) of each line of the text file `path`, read on request.

    Raises UserError as open_regular does, for text in other encodings than UTF-8 (or UTF-16 with a byte
    order mark), and for lines of more than LONGEST_LINE characters.
    """
    with open_regular(path, remedy=remedy) as binary:
        mark = binary.peek(2)[:2]
        encoding = "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
        # surrogateescape: a decoder reads ahead, so its error could not name the line.
        errors = "strict" if encoding == "utf-16" else "surrogateescape"
        file = io.TextIOWrapper(binary, encoding=encoding, errors=errors, newline=None)
        number = 0
        while True:
            number += 1
            try:
                line = file.readline(LONGEST_LINE + 1)
            except (OSError, UnicodeError) as error:
                why = error.strerror if isinstance(error, OSError) else error
                raise UserError(f"{path}, line {number} or later cannot be read ({why}); {remedy}") from error
            if not line:
                return
            if len(line) > LONGEST_LINE:
                raise UserError(f"{path}, line {number} has more than {LONGEST_LINE:,} characters; {remedy}")
            _check_text(line, f"{path}, line {number}")
            yield number, line.removesuffix("\n")


def split_cells(text: str, separator: str, where: str) -> list[str]:
    """The cells of one line, without surrounding spaces.

    Raises UserError for a zero byte, and for a quote that is not closed on the line: read as standard CSV,
    it would swallow the lines below.
    """
    if "\0" in text:  # UTF-16 without a byte order mark, or a file that never reached the disk
        raise UserError(f"{where} is not text in UTF-8 (it has a zero byte); restore it.")
    if '"' not in text:
        return [cell.strip() for cell in text.split(separator)]
    try:
        rows = list(csv.reader([text], delimiter=separator, strict=True, skipinitialspace=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise UserError(
                f'{where}: a quote (") is opened but not closed on this line; correct it.'
            ) from error
        raise UserError(f"{where}: {error}; correct that line.") from error
    return [cell.strip() for cell in rows[0]]


def _separator(header: str, known: tuple[str, ...], where: str) -> str:
    """The separator with the most known columns, then the most cells; the comma in a tie."""
    wanted = {name.casefold() for name in known}

    def fit(separator: str) -> tuple[int, int]:
        try:
            cells = split_cells(header, separator, where)
        except UserError:
            return 0, 0
        return len(wanted & {cell.casefold() for cell in cells}), len(cells)

    return max(SEPARATORS, key=fit)


def _columns(cells: list[str], known: tuple[str, ...], where: str) -> tuple[str, ...]:
    written = {name.casefold(): name for name in known}
    columns = [written.get(cell.casefold(), cell) for cell in cells]
    for column in columns:
        if column and columns.count(column) > 1:
            raise UserError(f"{where}: the column {column[:80]!r} appears twice; keep one.")
    while columns and not columns[-1]:  # spreadsheets may add empty columns at the end
        columns.pop()
    return tuple(columns)


def _check_text(line: str, where: str) -> None:
    try:
        if not line.isascii():
            line.encode()
    except UnicodeEncodeError as error:
        byte = ord(line[error.start]) & 0xFF
        raise UserError(
            f"{where} is not text in UTF-8 (byte 0x{byte:02x}: another encoding, such as Latin-1); "
            "save the file as UTF-8."
        ) from error
