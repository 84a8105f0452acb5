"""docs/glossary.md: the names of code in it exist, and no word is defined twice."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/glossary.md").read_text(encoding="utf-8")


def test_every_class_that_it_names_exists(text: str, root: Path) -> None:
    known = {
        node.name
        for folder in ("platform", "datasets", "search_spaces")
        for path in (root / folder).rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    }
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)*)`", text))
    assert len(named) > 8
    assert named <= known


def test_every_class_that_it_names_with_its_file_is_there(text: str, root: Path) -> None:
    named = re.findall(r"`([a-z_]+)\.([a-z_]+)\.([A-Z]\w+)`", text)
    assert len(named) >= 4
    for folder, file, name in named:
        source = (root / "platform" / folder / f"{file}.py").read_text(encoding="utf-8")
        assert f"class {name}" in source


def test_no_word_is_defined_twice(text: str) -> None:
    words = [
        word
        for words in re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.MULTILINE)
        for word in words.split(", ")
    ]
    assert len(words) > 50
    assert len(words) == len(set(words))
