"""CSV text that is safe to open in a spreadsheet and keeps the original texts recoverable."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from platform.host.console import one_line

_RUN = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""Characters that start a formula in a spreadsheet, with their full-width forms."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def csv_text(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """A line of column names, then one line a record; missing values are empty.

    Texts pass `safe_cell`; numbers and column names stay as they are.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for record in records:
        writer.writerow(
            {name: safe_cell(one) if isinstance(one, str) else one for name, one in record.items()}
        )
    return text.getvalue()


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Lines of cells without a header, for files that are written part by part; cells as in `csv_text`."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([safe_cell(one) if isinstance(one, str) else one for one in row] for row in rows)
    return text.getvalue()


def safe_cell(text: str) -> str:
    """`text` if it is harmless, else an apostrophe and `text` with control characters escaped.

    Texts are harmful that start a formula or contain control characters or line ends. A spreadsheet displays
    a cell with a leading apostrophe as text. It is reversible (docs/table.md). Numbers stay numbers.
    """
    if _NUMBER.fullmatch(text) or not (text.startswith(("'", *_RUN)) or one_line(text) != text):
        return text
    return "'" + one_line(text.replace("\\", "\\\\"))
