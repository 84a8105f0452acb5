"""Parameter values: parsing, membership in a distribution, quantiles, and descriptions."""

from __future__ import annotations

import math
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)


def as_value(text: str, distribution: BaseDistribution) -> Any:
    """`text` as a value of the distribution; the text itself if it is none."""
    if isinstance(distribution, CategoricalDistribution):
        same = [choice for choice in distribution.choices if _means(text, choice)]
        return same[0] if same else text
    try:
        return int(text) if isinstance(distribution, IntDistribution) else float(text)
    except ValueError:
        return text


def _means(text: str, choice: Any) -> bool:
    if isinstance(choice, bool):
        return text.lower() in (("yes", "true") if choice else ("no", "false"))
    if isinstance(choice, int | float):
        try:
            return float(text) == choice
        except ValueError:
            return False
    return text == str(choice)


def is_inside(value: Any, distribution: BaseDistribution) -> bool:
    """Whether `value` lies in the distribution's support."""
    if isinstance(distribution, CategoricalDistribution):
        return any(value == choice for choice in distribution.choices)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    if isinstance(distribution, IntDistribution) and not isinstance(value, int):
        return False
    if not distribution.low <= value <= distribution.high:
        return False
    if distribution.step is None:
        return True
    steps = (value - distribution.low) / distribution.step
    return abs(steps - round(steps)) < 1e-8


def lowest(distribution: BaseDistribution) -> Any:
    """The lowest number, or the first choice."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[0]
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    return distribution.low


def at_share(distribution: BaseDistribution, share: float) -> Any:
    """The quantile of the distribution at `share`, in [0, 1)."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(share * len(distribution.choices))]
    if isinstance(distribution, FloatDistribution):
        low, high = distribution.low, distribution.high
        if distribution.log:
            # Clipped, because exp(log(high)) may exceed high by a rounding error.
            return min(max(math.exp(_between(math.log(low), math.log(high), share)), low), high)
        if distribution.step is None:
            return _between(low, high, share)
        steps = round((high - low) / distribution.step)
        return min(low + int(share * (steps + 1)) * distribution.step, high)
    if isinstance(distribution, IntDistribution):
        low, high = distribution.low, distribution.high
        if distribution.log:
            value = math.exp(_between(math.log(low - 0.5), math.log(high + 0.5), share))
            return min(max(round(value), low), high)
        steps = (high - low) // distribution.step
        return low + int(share * (steps + 1)) * distribution.step
    raise TypeError(f"not a distribution: {distribution!r}")


def _between(low: float, high: float, share: float) -> float:
    return low + share * (high - low)


def in_words(distribution: BaseDistribution) -> str:
    """The range or the choices: `0.01 to 100`, or `adam, adamw or sgd`."""
    if isinstance(distribution, CategoricalDistribution):
        *others, last = map(str, distribution.choices)
        return f"{', '.join(others)} or {last}" if others else last
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    step = "" if distribution.step in (None, 1) else f" in steps of {distribution.step:g}"
    return f"{distribution.low:g} to {distribution.high:g}{step}"


def kind_in_words(distribution: BaseDistribution) -> str:
    """Kind and range: `adam or sgd`, `a number from 0.01 to 100 (log)`, `an integer from 1 to 8`."""
    if isinstance(distribution, CategoricalDistribution):
        return in_words(distribution)
    assert isinstance(distribution, FloatDistribution | IntDistribution)
    kind = "an integer" if isinstance(distribution, IntDistribution) else "a number"
    return f"{kind} from {in_words(distribution)}{' (log)' if distribution.log else ''}"
