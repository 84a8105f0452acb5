"""docs/fidelity.md names files, settings and tests: all of them exist."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

from platform.config.configuration import Plan
from platform.models.fmpn import FmpnOptions

TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
SETTINGS = {item.name for kind in (FmpnOptions, Plan) for item in dataclasses.fields(kind)}


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/fidelity.md").read_text(encoding="utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of the table's facts."""
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if not row[0].startswith("**")]


def test_every_fact_has_a_source_a_place_and_a_test(text: str) -> None:
    assert len(rows(text)) > 25
    for fact, source, place, _, test in rows(text):
        assert source.startswith("§"), fact
        assert place, fact
        assert TEST.search(test), fact


def test_every_test_that_is_named_exists(text: str, root: Path) -> None:
    named = TEST.findall(text)
    assert len(named) > 40
    functions = {
        path: {n.name for n in ast.parse((root / path).read_text()).body if isinstance(n, ast.FunctionDef)}
        for path in {path for path, _ in named}
    }
    assert not [f"{path}::{name}" for path, name in named if name not in functions[path]]


def test_every_file_and_switch_that_is_named_exists(text: str, root: Path) -> None:
    for fact, _, place, switch, _ in rows(text):
        files = re.findall(r"`([^`]+)`", place)
        assert files, fact
        assert all((root / name).is_file() for name in files), fact
        assert set(re.findall(r"`([^`]+)`", switch)) <= SETTINGS, fact


def test_every_setting_is_named(text: str) -> None:
    """A setting that is not written down would be a departure that nobody sees."""
    shown = set(re.findall(r"`(\w+)`", text))
    likewise = re.compile(r"stage[12]_(constant_epochs|decay_epochs|batch_size)")  # "and the like"
    names = {item.name for item in dataclasses.fields(FmpnOptions) if not likewise.fullmatch(item.name)}
    assert not names - shown
