"""Choices are refused where they do not apply; bad items stop the run or are recorded without paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.raw.choices import BadItems, Choices
from platform.errors import UserError

ROOT = Path("/data/faces")


def test_only_a_choice_that_was_made_is_refused() -> None:
    names = ("frames", "whole_sequences", "per_class", "draw_seed")
    Choices().refuse("X", *names)
    for name, value in zip(names, (frozenset({("a", 1)}), True, 5, 1), strict=True):
        flag = "--" + name.replace("_", "-")
        with pytest.raises(UserError, match=f"^{flag} has no meaning for X; leave it out"):
            Choices(**{name: value}).refuse("X", *names)


def test_strict_raises_the_first_and_skipping_records_all_in_order() -> None:
    with pytest.raises(UserError, match="broken"), BadItems().guard("a"):
        raise UserError("broken")
    bad = BadItems(skip=True)
    for item in "abc":
        with bad.guard(item):
            if item != "b":
                raise UserError(f"{item} is broken")
    assert bad.left_out == [("a", "a is broken"), ("c", "c is broken")]


def test_other_errors_are_never_skipped() -> None:
    with pytest.raises(ZeroDivisionError), BadItems(skip=True).guard("a"):
        raise ZeroDivisionError


def test_reasons_do_not_depend_on_where_the_data_set_lies() -> None:
    bad = BadItems(skip=True, root=ROOT)
    bad.leave_out("a", f"{ROOT}/a/1.png is empty, and {ROOT} is to be restored")
    assert bad.left_out == [("a", "a/1.png is empty, and the data set's folder is to be restored")]


def test_many_items_are_one_error_with_the_flag_that_skips_them() -> None:
    items = [("a", "why a"), ("b", "why b")]
    with pytest.raises(UserError, match=r"^two are missing, or pass --skip-bad to leave them out"):
        BadItems().leave_out_all(items, "two are missing.")
    bad = BadItems(skip=True)
    bad.leave_out_all(items, "two are missing.")
    assert bad.left_out == items
