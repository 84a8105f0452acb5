"""What a paired comparison of few subjects cannot show, as a sentence to print beside it."""

from __future__ import annotations

from platform.evaluation.paired_difference import PairedDifference

FEW_SUBJECTS = 15
"""Below this number of subjects a sentence is due."""


def limits_of(found: PairedDifference) -> str | None:
    """A true sentence about what so few subjects can show; None where no limit needs saying.

    The figures are those of benchmarks/paired_coverage.py, in docs/statistics.md.
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
        return (
            f"With {found.subject_count} subjects only large differences are found: "
            "a large p value is no sign that the methods are equal."
        )
    return None
