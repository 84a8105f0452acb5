"""The smallest true difference that a paired comparison of this precision would usually find."""

from __future__ import annotations

from platform.evaluation.paired_difference import FEW_DIFFERING, PairedDifference

POWER = 0.8
LEVEL = 0.05
NO_OPPOSITE_TAIL = 5.0
"""Noncentrality from which the test rejects on the wrong side with a probability below 3e-7."""


def detectable_difference(
    found: PairedDifference, *, power: float = POWER, level: float = LEVEL
) -> float | None:
    """Smallest true difference, in (0, 1], that a repetition of this comparison finds in `power` of cases.

    None where no difference can be found: fewer than six subjects (no p value of the sign-flip test is below
    .05), or a difference of more than 100 points would be needed. Raises ValueError as
    `smallest_detectable` does. Assumes that the precision of `found` is that of the repetition.
    """
    if found.standard_error is None or found.freedom is None or found.subject_count < FEW_DIFFERING:
        return None
    smallest = smallest_detectable(found.standard_error, found.freedom, power=power, level=level)
    return smallest if smallest <= 1.0 else None


def smallest_detectable(
    standard_error: float, freedom: float, *, power: float = POWER, level: float = LEVEL
) -> float:
    """The true difference at which a two-sided t test rejects with probability `power`.

    standard_error: of the difference, > 0, in any unit, which is that of the result. freedom: >= 1.
    P(|T| > t) = power for noncentral T with noncentrality difference / standard_error; both tails count.
    Raises ValueError for arguments outside these ranges or level < power < 1 violated.
    Source: Cohen (1988), Statistical Power Analysis, section 2.5, by the noncentral t distribution instead
    of the tables. Assumes a normal estimate with an independently estimated standard error.
    """
    from scipy.optimize import brentq
    from scipy.special import nctdtr, stdtrit

    if not (standard_error > 0.0 and freedom >= 1.0 and 0.0 < level < power < 1.0):
        raise ValueError(
            "standard_error > 0, freedom >= 1 and 0 < level < power < 1 must hold, got "
            f"{standard_error}, {freedom}, {level}, {power}"
        )
    limit = float(stdtrit(freedom, 1.0 - level / 2.0))

    def missing(shift: float) -> float:
        # SciPy's series for the far tail fails for few degrees of freedom.
        opposite = nctdtr(freedom, shift, -limit) if shift < NO_OPPOSITE_TAIL else 0.0
        return float(1.0 - nctdtr(freedom, shift, limit) + opposite) - power

    highest = 1.0
    while missing(highest) < 0.0:
        highest *= 2.0
    return standard_error * float(brentq(missing, 0.0, highest))
