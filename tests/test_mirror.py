"""Tests mirror sources, or tests/README.md says what covers a source."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

LINE = re.compile(r"^\| (`(?:platform|datasets|search_spaces)/.*?) \| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"`([^`]+)`")


@pytest.fixture(scope="module")
def covered(root: Path) -> dict[str, list[str]]:
    """Source to the tests that tests/README.md names for it."""
    text = (root / "tests/README.md").read_text(encoding="utf-8")
    lines = [(NAME.findall(sources), NAME.findall(tests)) for sources, tests in LINE.findall(text)]
    named = [source for sources, _ in lines for source in sources]
    assert len(named) == len(set(named)), "a source stands in two lines"
    return {source: tests for sources, tests in lines for source in sources}


def sources(root: Path) -> list[str]:
    """All source files with code in them: an __init__.py may be a docstring alone."""
    folders = ("platform", "datasets", "search_spaces")
    files = [path for name in folders for path in (root / name).rglob("*.py")]
    return sorted(
        path.relative_to(root).as_posix()
        for path in files
        if path.name != "__init__.py" or len(path.read_text(encoding="utf-8").splitlines()) > 5
    )


def own_test(source: str) -> str:
    """`tests/runs/test_store.py` for platform/runs/store.py."""
    folder, _, name = source.removeprefix("platform/").rpartition("/")
    return f"tests/{folder}/test_{name}" if folder else f"tests/test_{name}"


def test_every_source_has_a_test_of_its_name_or_a_line_that_says_what_covers_it(
    root: Path, covered: dict[str, list[str]]
) -> None:
    bare = [source for source in sources(root) if not (root / own_test(source)).exists()]
    uncovered = [source for source in bare if source not in covered]
    assert not uncovered, "write a test of that name, or a line in tests/README.md"
    needless = [source for source in covered if source not in bare]
    assert not needless, "the line in tests/README.md is no longer needed"


def test_the_tests_that_are_said_to_cover_a_source_exist(root: Path, covered: dict[str, list[str]]) -> None:
    assert all(covered.values())
    named = {test for tests in covered.values() for test in tests}
    assert not [test for test in sorted(named) if not (root / test).exists()]
