"""Paths that help, documents and comments name are paths that exist or that the commands make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

MADE_IN_RUNS = {"experiments", "fold_runs", "stage1", "masks", "train"}
"""Folders of a runs folder (platform/runs/store.py and platform/distributed/train.py)."""
PATH = re.compile(r"(?<![\w/.-])(?:build/smoke/)?runs/([A-Za-z0-9_]+)/[^\s`'\")]*")
FOLDERS = ("platform", "datasets", "search_spaces", "tests", "benchmarks", "docs")
OURS = "|".join(FOLDERS)
FILE = re.compile(rf"(?<![\w/.<>{{}}-])((?:{OURS})(?:/[\w-]+)+\.(?:py|pyi|md|json|csv|png|jpg|svg))\b")
FOLDER = re.compile(rf"`((?:{OURS})/(?:[\w-]+/)*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)(?:#[^)]*)?\)")
HISTORY = ("docs/log.md",)
"""Dated entries name what was there on their day."""
TO_BE_WRITTEN = {
    "datasets/four.py",
    "datasets/jaffe.py",
    "datasets/two.py",
    "platform/a.py",
    "platform/evaluation/balanced_accuracy.py",
    "platform/one.py",
    "search_spaces/mine.py",
    "search_spaces/smoothing.py",
    "tests/three.py",
}
"""Files that a reader writes after a document's example, or that a test writes."""


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


def test_every_file_and_folder_of_ours_that_is_named_is_there(root: Path) -> None:
    found = [
        (str(path.relative_to(root)), name)
        for path, text in texts(root, ".py", ".md")
        for name in (*FILE.findall(text), *FOLDER.findall(text))
    ]
    assert len(found) > 200
    wrong = [(path, name) for path, name in found if not (root / name).exists()]
    assert not [(path, name) for path, name in wrong if name not in TO_BE_WRITTEN]


def test_every_link_of_a_document_leads_somewhere(root: Path) -> None:
    found = [(path, link) for path, text in texts(root, ".md") for link in LINK.findall(text)]
    assert len(found) > 20
    assert not [(str(path), link) for path, link in found if not (path.parent / link).exists()]


def texts(root: Path, *kinds: str) -> Iterator[tuple[Path, str]]:
    """Our documents and sources of these kinds, with their text."""
    files = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.suffix in kinds]
    for path in sorted([*files, *(path for path in root.glob("*.*") if path.suffix in kinds)]):
        if str(path.relative_to(root)) not in HISTORY:
            yield path, path.read_text(encoding="utf-8")
