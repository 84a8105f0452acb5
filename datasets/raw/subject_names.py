"""Unique spelling of subject names: two spellings would put one face on both sides of a fold."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from pathlib import Path

from platform.errors import UserError


def check_spelling(subjects: Iterable[str], where: Path) -> None:
    """Raises UserError if two of `subjects` differ only in case, in spaces or in their Unicode form.
    `where`: the file or folder that contains them, for the message."""
    spelled: dict[str, str] = {}
    for subject in sorted(set(subjects)):
        plain = " ".join(unicodedata.normalize("NFKC", subject).casefold().split())
        if plain in spelled:
            # In ASCII, because two Unicode forms of a letter look the same.
            raise UserError(
                f"{where} spells one subject in two ways, {spelled[plain]!a} and {subject!a}; "
                "use one spelling, or names that differ in more than case."
            )
        spelled[plain] = subject
