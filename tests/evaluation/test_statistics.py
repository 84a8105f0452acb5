from __future__ import annotations

import ast
from pathlib import Path

import pytest

from platform.evaluation import (
    accuracy_interval,
    bootstrap,
    paired_tests,
    run_variance,
    statistics,
)


def test_the_front_lists_what_it_brings() -> None:
    assert sorted(statistics.__all__) == sorted(set(statistics.__all__))
    assert all(hasattr(statistics, name) for name in statistics.__all__)


@pytest.mark.parametrize("module", [accuracy_interval, bootstrap, paired_tests, run_variance])
def test_every_interval_and_test_names_its_source_and_assumptions(module) -> None:  # type: ignore[no-untyped-def]
    """In the docstring of each public function that the front brings from `module`."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name in statistics.__all__:
            text = ast.get_docstring(node) or ""
            assert "Source:" in text, node.name
            assert "Assumes" in text, node.name
