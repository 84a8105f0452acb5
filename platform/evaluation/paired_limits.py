"""What a paired comparison of few subjects cannot show, as a sentence to print beside it."""

from __future__ import annotations

from platform.evaluation.detectable import detectable_difference
from platform.evaluation.paired_difference import PairedDifference

FEW_SUBJECTS = 15
"""Below this number of subjects a sentence is due."""


def limits_of(found: PairedDifference) -> str | None:
    """A true sentence about what so few subjects can show; None where no limit needs saying.

    Few subjects: what the comparison's own precision would miss, from `detectable_difference`; simulated
    shares: benchmarks/paired_power.py, docs/statistics.md.
    """
    if found.subject_count == 1:
        return "One subject: a difference between methods cannot be tested."
    if found.smallest_p is not None:
        count = found.differing_subjects
        who = {0: "No subject differs", 1: "Only 1 subject differs"}.get(
            count, f"Only {count} subjects differ"
        )
        return f"{who}, so no p value below {found.smallest_p:.3g} is possible."
    if found.subject_count < FEW_SUBJECTS:
        return f"{_missed(found)}: a large p value is no sign that the methods are equal."
    return None


def _missed(found: PairedDifference) -> str:
    smallest = detectable_difference(found)
    if smallest is None:
        return f"With {found.subject_count} subjects no true difference would be found reliably"
    return (
        f"With {found.subject_count} subjects a true difference below about {100 * smallest:.0f} points "
        f"would be missed more than once in five times"
    )
