"""CSV that a spreadsheet opens without running it, and that gives back the texts it was made from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from platform.host.console import one_line

_RUN = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""How a cell starts that a spreadsheet takes for a formula, also in their full-width forms."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:\\|[tnr]|x[0-9a-f]{2}|u[0-9a-f]{4})")


def csv_text(columns: Sequence[str], records: Iterable[Mapping[str, Any]]) -> str:
    """A line of column names, then one for each record; what a record lacks is empty.

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


def safe_cell(text: str) -> str:
    """`text` where it is harmless, else an apostrophe and `text` with control characters written out.

    Harmful are the start of a formula, control characters and line ends. Spreadsheets show the rest of a cell
    that starts with an apostrophe and run nothing. `original_text` undoes it. A number stays a number.
    """
    if _NUMBER.fullmatch(text) or not (text.startswith(("'", *_RUN)) or one_line(text) != text):
        return text
    return "'" + one_line(text.replace("\\", "\\\\"))


def original_text(cell: str) -> str:
    """What `safe_cell` was given."""
    if not cell.startswith("'"):
        return cell
    return _ESCAPE.sub(lambda found: found[0].encode("ascii").decode("unicode_escape"), cell[1:])
