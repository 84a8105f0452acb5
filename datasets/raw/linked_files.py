"""Files linked under two names, which would give one face to two subjects."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from datasets.raw.choices import BadItems
from datasets.records import FrameRecord
from platform.errors import UserError


def without_linked(root: Path, records: Sequence[FrameRecord], bad: BadItems) -> list[FrameRecord]:
    """`records` without those of files that two subjects share under different names.

    Raises UserError for a file linked (symbolically or not) under two subjects: a fold would train on it and
    test it. With `bad.skip` it is left out under all names instead, because its subject is unknown.
    """
    names: dict[tuple[int, int], dict[str, str]] = {}
    file_of: dict[str, tuple[int, int]] = {}
    for record in records:
        if record.source not in file_of:
            try:
                state = (root / record.source).stat()
            except (OSError, ValueError):  # reported when the file is read
                continue
            file_of[record.source] = (state.st_dev, state.st_ino)
        names.setdefault(file_of[record.source], {})[record.source] = record.subject_id
    linked = {file: of for file, of in names.items() if len(of) > 1 and len(set(of.values())) > 1}
    for of in linked.values():
        shown = " and ".join(f"{source} (subject {subject})" for source, subject in sorted(of.items()))
        with bad.guard(min(of)):
            raise UserError(
                f"one file is linked under two subjects in {root}: {shown}; find out whose face it is, and "
                "remove the other link."
            )
    return [record for record in records if file_of.get(record.source) not in linked]
