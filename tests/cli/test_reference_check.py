"""`--reference` is checked before the runs start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from platform.cli.reference_check import check_planned_reference
from platform.errors import UserError


def planned(*rows: Any) -> Any:
    return cast(
        "Any",
        SimpleNamespace(
            name="mine",
            rows=rows,
            configuration=SimpleNamespace(method="fmpn"),
            plan=SimpleNamespace(baselines=("cnn",)),
        ),
    )


@pytest.mark.parametrize("name", [None, "fmpn", "cnn", "FMPN", "CNN (baseline)", "mine:cnn"])
def test_a_method_or_title_of_the_experiment_is_accepted(name: str | None) -> None:
    check_planned_reference(planned(), name)


def test_another_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"unknown reference 'cmm'.*cnn"):
        check_planned_reference(planned(), "cmm")


def test_rows_that_are_planned_in_advance_have_titles_of_their_own() -> None:
    row = SimpleNamespace(
        configurations=(SimpleNamespace(method="fmpn"),),
        describe=lambda rule: {"title": "FMPN, without stage 1"},
    )
    check_planned_reference(planned(row), "FMPN, without stage 1")
    with pytest.raises(UserError, match="unknown reference 'cnn'"):
        check_planned_reference(planned(row), "cnn")
