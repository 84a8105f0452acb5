"""The comparison table in the requested format. Equal rows give equal bytes.

Formats for people show displayable names; CSV and JSON hold the names as they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from platform.errors import UserError, unknown_name
from platform.tables.csv_json import render_csv, render_json
from platform.tables.details import PARTS
from platform.tables.displayable import displayable
from platform.tables.latex import render_latex
from platform.tables.markdown import render_markdown
from platform.tables.screen import SCREEN_WIDTH, render_screen
from platform.tables.table import Table

FORMATS: dict[str, Callable[[Table, Sequence[str]], str]] = {
    "screen": render_screen,
    "markdown": render_markdown,
    "latex": render_latex,
    "csv": render_csv,
    "json": render_json,
}
_FOR_PEOPLE = ("screen", "markdown", "latex")
_ALL_PARTS = ("markdown", "latex", "json")
"""Formats that include every part by default."""


def check_form(form: str, parts: Sequence[str] | None) -> None:
    """UserError on an unknown format or part, and on several parts for CSV, which holds one table."""
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    for part in parts or ():
        if part not in PARTS:
            raise unknown_name("part", part, PARTS)
    if form == "csv" and parts and len(parts) > 1:
        raise UserError(
            f"a CSV file holds one table, but got --parts {' '.join(parts)}; pass one part, or none for "
            "the rows."
        )


def render(table: Table, form: str, parts: Sequence[str] | None = None, *, width: int = SCREEN_WIDTH) -> str:
    """`table` as text that ends in a newline.

    form: a key of FORMATS. parts: keys of details.PARTS to show below the rows; None for the default of the
    format. width: characters of the screen, for the format of that name.
    Raises UserError as `check_form` does.
    """
    check_form(form, parts)
    if parts is None:
        parts = tuple(PARTS) if form in _ALL_PARTS else ()
    if form in _FOR_PEOPLE:
        table = displayable(table)
    parts = tuple(dict.fromkeys(parts))
    return render_screen(table, parts, width=width) if form == "screen" else FORMATS[form](table, parts)
