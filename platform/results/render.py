"""The comparison table in the form a user asked for. Equal rows give equal bytes."""

from __future__ import annotations

from collections.abc import Callable

from platform.errors import unknown_name
from platform.results.markdown import render_markdown
from platform.results.records import render_csv, render_json
from platform.results.screen import render_screen
from platform.results.table import Table

FORMATS: dict[str, Callable[[Table], str]] = {
    "screen": render_screen,
    "markdown": render_markdown,
    "csv": render_csv,
    "json": render_json,
}


def render(table: Table, form: str) -> str:
    """`table` as text that ends in a newline. `form` is a key of FORMATS; another raises UserError."""
    if form not in FORMATS:
        raise unknown_name("format", form, FORMATS)
    return FORMATS[form](table)
