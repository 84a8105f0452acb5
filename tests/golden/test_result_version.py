"""RESULT_VERSION, the result-affecting sources and the golden losses change together, or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from platform.runs.identity import RESULT_VERSION
from tests.golden.losses import golden_losses
from tests.golden.sources import meaning, result_affecting, sources_hash
from tests.golden.update import FILE, moved, refusal

HOW = (
    "If numbers of a run can change, raise RESULT_VERSION in platform/runs/identity.py; then run "
    "`python -m tests.golden.update` (with --same-numbers if none can)."
)


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(FILE.read_text())
    return content


def test_the_version_is_the_golden_one(golden: dict[str, Any]) -> None:
    assert golden["result_version"] == RESULT_VERSION, f"RESULT_VERSION changed. {HOW}"


def test_the_sources_are_the_golden_ones(golden: dict[str, Any], root: Path) -> None:
    assert golden["sources"] == sources_hash(root), f"Sources that affect results changed. {HOW}"


def test_the_losses_are_the_golden_ones(golden: dict[str, Any]) -> None:
    differences = moved(golden["losses"], golden_losses())
    assert not differences, "\n".join([f"The losses moved. {HOW}", *differences])


# --- the guard itself ---------------------------------------------------------------------------------

CODE = 'def f(x):\n    """Text."""\n    return x + 1\n'


@pytest.mark.parametrize(
    "same",
    [
        'def f(x):\n    """Other text."""\n    return x + 1\n',
        '"""Module."""\n\n\ndef f( x ):  # why\n    return (x\n            + 1)\n',
        "def f(x):\n    return x + 1\n",
    ],
)
def test_comments_docstrings_and_layout_do_not_count(same: str) -> None:
    assert meaning(same) == meaning(CODE)


@pytest.mark.parametrize(
    "other",
    [
        "def f(x):\n    return x + 2\n",
        "def f(x):\n    return x - 1\n",
        "def g(x):\n    return x + 1\n",
        "def f(x=None):\n    return x + 1\n",
        "def f(x):\n    return x + 1.0\n",
        "def f(x):\n    return x + True\n",
        "async def f(x):\n    return x + 1\n",
    ],
)
def test_everything_else_counts(other: str) -> None:
    assert meaning(other) != meaning(CODE)


def test_every_named_source_is_there(root: Path) -> None:
    files = result_affecting(root)
    assert all(path.is_file() for path in files)
    names = {str(path.relative_to(root)) for path in files}
    assert {"platform/models/fmpn.py", "platform/models/networks/backbone_nets.py"} <= names
    assert {"platform/training/loop.py", "datasets/masks/motion_masks.py"} <= names


BEFORE = {"result_version": 1, "sources": "a", "losses": {"fmpn": [1.0, 0.5]}}


@pytest.mark.parametrize(
    ("changes", "same_numbers", "reason"),
    [
        ({}, False, None),
        ({"sources": "b"}, False, "pass --same-numbers"),
        ({"sources": "b"}, True, None),
        ({"sources": "b", "losses": {"fmpn": [1.0, 0.50001]}}, True, None),
        ({"sources": "b", "losses": {"fmpn": [1.0, 0.501]}}, True, "raise RESULT_VERSION first"),
        ({"losses": {"fmpn": [1.0]}}, True, "raise RESULT_VERSION first"),
        ({"losses": {"cnn": [1.0, 0.5]}}, True, "raise RESULT_VERSION first"),
        ({"losses": {"fmpn": [1.0, float("nan")]}}, True, "raise RESULT_VERSION first"),
        ({"result_version": 2, "sources": "b", "losses": {}}, False, None),
        ({"result_version": 0}, True, "must never fall"),
    ],
)
def test_the_golden_values_are_replaced_only_with_the_version(
    changes: dict[str, Any], same_numbers: bool, reason: str | None
) -> None:
    found = refusal(BEFORE, {**BEFORE, **changes}, same_numbers=same_numbers)
    assert found is None if reason is None else reason in str(found)
