"""What a paired comparison of few subjects cannot show, as a sentence to print beside it."""

from __future__ import annotations

from platform.evaluation.paired_difference import PairedDifference

FEW_SUBJECTS = 15
"""Below this number of subjects a true difference of 15 points is often missed: docs/statistics.md."""


def limits_of(found: PairedDifference) -> str | None:
    """That nothing can be tested, or which p value no outcome can fall below; None where neither holds."""
    if found.subject_count == 1:
        return "One subject: a difference between methods cannot be tested."
    if found.smallest_p is None:
        return None
    count = found.differing_subjects
    who = {0: "No subject differs", 1: "Only 1 subject differs"}.get(count, f"Only {count} subjects differ")
    return f"{who}, so no p value below {found.smallest_p:.3g} is possible."
