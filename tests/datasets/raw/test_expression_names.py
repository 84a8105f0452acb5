"""An expression under another name is proposed, and never taken."""

from __future__ import annotations

import pytest

from datasets.raw.expression_names import MEANT, meant_expression, unknown_expression
from datasets.records import EXPRESSIONS


def test_all_of_the_fields_names_are_known() -> None:
    assert set(MEANT) == set(EXPRESSIONS)
    others = [name for names in MEANT.values() for name in names]
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Happy", "happiness"),
        (" sad ", "sadness"),
        ("HA", "happiness"),
        ("suprise", "surprise"),
        ("fear", "fear"),
    ],
)
def test_what_is_meant(text: str, meant: str) -> None:
    assert meant_expression(text) == meant
    assert f"did you mean {meant!r}?" in str(unknown_expression(text, EXPRESSIONS))


def test_what_means_nothing_gets_the_list() -> None:
    assert meant_expression("thinking") is None
    assert "'thinking'. Known: anger, contempt" in str(unknown_expression("thinking", EXPRESSIONS))
