"""Paths that help and docs name are paths that the commands make."""

from __future__ import annotations

import re
from pathlib import Path

MADE_IN_RUNS = {"experiments", "fold_runs", "stage1", "masks", "train"}
"""Folders of a runs folder (platform/runs/store.py and platform/distributed/train.py)."""
PATH = re.compile(r"(?<![\w/.-])(?:build/smoke/)?runs/([A-Za-z0-9_]+)/[^\s`'\")]*")


def test_every_path_below_runs_is_in_a_folder_that_exists(root: Path) -> None:
    files = [root / "README.md", *(root / "docs").glob("*.md"), *(root / "platform").rglob("*.py")]
    found = [
        (path.relative_to(root), match[0])
        for path in files
        for match in PATH.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found
    wrong = [(str(path), text) for path, text in found if PATH.match(text)[1] not in MADE_IN_RUNS]  # type: ignore[index]
    assert not wrong
