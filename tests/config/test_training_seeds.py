from __future__ import annotations

import pytest

from platform.config.configuration import Plan, to_dict
from platform.config.training_seeds import named_seeds, training_seeds
from platform.errors import UserError


def test_seeds_are_consecutive_from_the_first() -> None:
    assert training_seeds(4, 3) == (4, 5, 6)
    assert training_seeds(2**31 - 3, 3)[-1] == 2**31 - 1
    with pytest.raises(UserError, match=r"--seed 2147483646 with --seeds 3 goes up to 2147483648; pass a"):
        training_seeds(2**31 - 2, 3)


def test_seeds_are_said_by_number_and_name() -> None:
    assert named_seeds((0,)) == "one seed (0)"
    assert named_seeds((0, 1, 2)) == "3 seeds (0, 1, 2)"
    assert named_seeds((0, 5)) == "2 seeds (0, 5)"
    assert named_seeds(range(1, 21)) == "20 seeds (1 to 20)"
    assert named_seeds((0, 1, 2, 3, 4, 9)) == "6 seeds (0, 1, 2, 3, 4, 9)"


@pytest.mark.parametrize("seeds", [0, -1, 101, 10**9])
def test_a_number_of_seeds_has_limits(seeds: int) -> None:
    with pytest.raises(UserError, match=rf"seeds must be 1 to 100, but got {seeds}; change --seeds"):
        Plan(seeds=seeds)


def test_one_seed_is_not_stored_so_that_earlier_settings_are_the_same() -> None:
    assert "seeds" not in to_dict(Plan())
    assert to_dict(Plan(seeds=3))["seeds"] == 3
