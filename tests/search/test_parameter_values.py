from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from platform.search.parameter_values import as_value, at_share, in_words, is_inside

RATE = FloatDistribution(1e-5, 1e-3, log=True)
SHARE = FloatDistribution(0.0, 0.6, step=0.2)
COUNT = IntDistribution(8, 32, step=8)
CHOICE = CategoricalDistribution((0.0, 0.1, "none", True))


@pytest.mark.parametrize(
    ("distribution", "value", "inside"),
    [
        (RATE, 1e-4, True), (RATE, 1e-5, True), (RATE, 1e-2, False), (RATE, "1e-4", False),
        (RATE, True, False), (RATE, float("nan"), False), (RATE, None, False),
        (SHARE, 0.4, True), (SHARE, 0.3, False), (SHARE, 0, True),
        (COUNT, 16, True), (COUNT, 12, False), (COUNT, 16.0, False), (COUNT, 40, False),
        (CHOICE, 0.1, True), (CHOICE, "none", True), (CHOICE, 0.2, False), (CHOICE, "0.1", False),
    ],
)  # fmt: skip
def test_inside_is_what_the_distribution_can_give(distribution: Any, value: Any, inside: bool) -> None:
    assert is_inside(value, distribution) == inside


@pytest.mark.parametrize(
    ("distribution", "text", "value"),
    [
        (RATE, "1e-4", 1e-4), (RATE, "fast", "fast"), (COUNT, "16", 16), (COUNT, "1.5", "1.5"),
        (CHOICE, "0.10", 0.1), (CHOICE, "none", "none"), (CHOICE, "yes", True), (CHOICE, "x", "x"),
    ],
)  # fmt: skip
def test_a_text_becomes_a_value_of_the_distribution(distribution: Any, text: str, value: Any) -> None:
    found = as_value(text, distribution)
    assert (found, type(found)) == (value, type(value))


def test_distributions_in_words() -> None:
    assert in_words(RATE) == "1e-05 to 0.001"
    assert in_words(COUNT) == "8 to 32 in steps of 8"
    assert in_words(CategoricalDistribution(("a", "b", "c"))) == "a, b or c"
    assert in_words(CategoricalDistribution(("a",))) == "a"


@pytest.mark.parametrize(
    ("distribution", "ends"),
    [
        (FloatDistribution(1.0, 3.0), (1.0, 3.0)),
        (FloatDistribution(1e-5, 1e-1, log=True), (1e-5, 1e-1)),
        (FloatDistribution(0.0, 1.0, step=0.25), (0.0, 1.0)),
        (FloatDistribution(0.0, 0.3, step=0.1), (0.0, 0.3)),
        (IntDistribution(2, 64), (2, 64)),
        (IntDistribution(2, 64, log=True), (2, 64)),
        (IntDistribution(0, 100, step=25), (0, 100)),
        (CategoricalDistribution(["a", "b", "c"]), ("a", "c")),
    ],
)
def test_a_share_of_a_distribution_lies_in_it_and_reaches_both_ends(
    distribution: Any, ends: tuple[Any, Any]
) -> None:
    values = [at_share(distribution, share) for share in (0.0, 0.2, 0.5, 0.8, np.nextafter(1.0, 0.0).item())]
    for value in values:
        assert distribution._contains(distribution.to_internal_repr(value))
    assert (values[0], values[-1]) == pytest.approx(ends) if ends[0] != "a" else ends


def test_equal_shares_of_choices_and_whole_numbers_are_equally_frequent() -> None:
    shares = (np.arange(1000) + 0.5) / 1000
    for distribution in (IntDistribution(1, 4), CategoricalDistribution([1, 2, 3, 4])):
        counts = np.unique([at_share(distribution, float(share)) for share in shares], return_counts=True)[1]
        assert counts.tolist() == [250] * 4
