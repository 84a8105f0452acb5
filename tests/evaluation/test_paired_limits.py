from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.paired_difference import SeedCounts, paired_difference
from platform.evaluation.paired_limits import limits_of


@pytest.mark.parametrize(
    ("gained", "sentence"),
    [
        ([1], "One subject: a difference between methods cannot be tested."),
        ([0] * 9, "No subject differs, so no p value below 1 is possible."),
        ([1] + [0] * 30, "Only 1 subject differs, so no p value below 1 is possible."),
        ([1] * 5 + [0] * 30, "Only 5 subjects differ, so no p value below 0.0625 is possible."),
        ([1] * 6 + [0] * 9, None),
    ],
)
def test_what_few_subjects_cannot_show_is_said(gained: list[int], sentence: str | None) -> None:
    counts = np.array(gained)
    zeros = np.zeros_like(counts)
    found = paired_difference(
        SeedCounts(first=counts[None], second=zeros[None], images=zeros + 2, fold=zeros)
    )
    assert limits_of(found) == sentence
