"""The inverse of `safe_cell`, as docs/table.md describes it."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:\\|[tnr]|x[0-9a-f]{2}|u[0-9a-f]{4})")


def original_text(cell: str) -> str:
    """The text from which `safe_cell` made `cell`."""
    if not cell.startswith("'"):
        return cell
    return _ESCAPE.sub(lambda found: found[0].encode("ascii").decode("unicode_escape"), cell[1:])
