from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

from platform.errors import UserError
from platform.models.options.configuration import Configuration
from platform.models.options.fields import (
    added_later,
    check_groups,
    check_types,
    fields_of_groups,
    later_fields,
    shared_fields,
    to_dict,
    unstored,
)


@dataclass(frozen=True, kw_only=True)
class Rates(Configuration):
    """A group."""

    rate: float = 0.1
    """Rate."""


@dataclass(frozen=True, kw_only=True)
class Schedule(Configuration):
    """Another group."""

    shape: Literal["flat", "steep"] = "flat"
    """Shape."""
    steps: tuple[int, ...] = added_later(())
    """Steps."""
    note: str = unstored("")
    """Note."""


@dataclass(frozen=True, kw_only=True)
class Mine(Schedule, Rates):
    """A method's options."""

    kind: ClassVar[str] = "no field"

    own: int = 3
    """Own."""


@dataclass(frozen=True, kw_only=True)
class Other(Rates):
    """Another method's options."""

    own: int = 4
    """Not the group's: each method declares its own."""


def test_fields_belong_to_the_class_that_declares_them() -> None:
    assert fields_of_groups(Mine, (Rates,)) == {"rate"}
    assert fields_of_groups(Mine, (Schedule, Mine)) == {"shape", "steps", "note", "own"}


def test_methods_share_the_fields_of_the_groups_that_both_mix_in() -> None:
    assert shared_fields(Mine, Other) - shared_fields(Mine, Configuration) == {"rate"}
    assert "own" not in shared_fields(Mine, Other)


def test_stored_settings_omit_later_fields_with_their_default_and_unstored_ones_always() -> None:
    assert set(to_dict(Mine(method="m", note="n"))) == {*to_dict(Rates(method="m")), "shape", "own"}
    assert to_dict(Mine(method="m", steps=(1, 2)))["steps"] == [1, 2]
    assert later_fields(Mine) == {"steps": ()}


def test_one_option_has_one_definition() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Twice(Rates):
        rate: float = 0.2
        """Rate again."""

    check_groups(Mine)
    with pytest.raises(UserError, match="defined once, but Twice takes rate from both Twice and Rates"):
        check_groups(Twice)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rate": "much"}, "rate must be of type float, but got 'much'"),
        ({"rate": float("nan")}, "rate must be finite"),
        ({"own": True}, "own must be of type int"),
        ({"steps": [1]}, "steps must be a list of int"),
        ({"shape": "stepp"}, "unknown shape 'stepp'; did you mean 'steep'"),
    ],
)
def test_a_value_of_another_type_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Mine(method="m", **changes)  # type: ignore[arg-type]


def test_whole_numbers_become_decimals_where_decimals_are_asked_for() -> None:
    made = Mine(method="m", rate=1)
    check_types(made)
    assert isinstance(made.rate, float)


def test_options_travel_to_other_processes() -> None:
    made = Mine(method="m", own=5)
    assert pickle.loads(pickle.dumps(made)) == made
