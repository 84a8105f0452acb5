"""Bytes and hours as a person reads them."""

from __future__ import annotations

UNITS = ("kB", "MB", "GB", "TB")


def bytes_text(count: int) -> str:
    """`999 B`, `1.2 kB`, `3.4 GB`: decimal units, as disks are sold."""
    if count < 1000:
        return f"{count} B"
    size = float(count)
    for unit in UNITS:
        size /= 1000
        if size < 999.95 or unit == UNITS[-1]:
            return f"{size:.1f} {unit}"
    raise AssertionError
