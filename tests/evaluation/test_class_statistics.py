from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score, roc_auc_score

from platform.evaluation.class_statistics import class_aucs, class_statistics, f1_scores, recalls
from platform.evaluation.scored_items import ScoredItems
from tests.evaluation.drawn_items import drawn_items, taken


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("levels", [3, 1000])
def test_recall_f1_and_auc_are_scikit_learns_also_with_tied_scores(seed: int, levels: int) -> None:
    items = drawn_items(seed, levels=levels)
    found = class_statistics(items)
    ours, theirs = items.true, items.predicted
    for k in range(4):
        parts = (found.recalls[k], found.f1_scores[k], found.aucs[k])
        expected = (
            recall_score(ours == k, theirs == k),
            f1_score(ours == k, theirs == k),
            roc_auc_score(ours == k, items.scores[:, k]),
        )
        assert [one.value for one in parts if one] == pytest.approx(expected)
    assert found.balanced_accuracy is not None
    assert found.macro_f1 is not None
    assert found.macro_auc is not None
    assert found.balanced_accuracy.value == pytest.approx(balanced_accuracy_score(ours, theirs))
    assert found.macro_f1.value == pytest.approx(f1_score(ours, theirs, average="macro"))
    aucs = [roc_auc_score(ours == k, items.scores[:, k]) for k in range(4)]
    assert found.macro_auc.value == pytest.approx(np.mean(aucs))


@pytest.mark.parametrize("levels", [3, 1000])
def test_without_a_subject_is_what_the_other_subjects_give(levels: int) -> None:
    items = drawn_items(5, subjects=6, levels=levels)
    whole = class_statistics(items)
    for subject in range(6):
        rest = class_statistics(taken(items, items.subject != subject))
        for mine, theirs in (
            *zip(whole.recalls, rest.recalls, strict=True),
            *zip(whole.f1_scores, rest.f1_scores, strict=True),
            *zip(whole.aucs, rest.aucs, strict=True),
            (whole.balanced_accuracy, rest.balanced_accuracy),
            (whole.macro_f1, rest.macro_f1),
            (whole.macro_auc, rest.macro_auc),
        ):
            assert mine is not None
            assert theirs is not None
            assert mine.without[subject] == pytest.approx(theirs.value)


def test_a_tie_counts_one_half() -> None:
    scores = np.array([[0.5, 0.5], [0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    items = ScoredItems(
        true=np.array([0, 1, 0, 1]),
        predicted=np.array([0, 0, 1, 0]),
        subject=np.array([0, 1, 0, 1]),
        scores=scores,
        class_names=("a", "b"),
        subject_names=("s", "t"),
    )
    first, second = class_aucs(items)
    assert first is not None
    assert second is not None
    assert (first.value, second.value) == (0.125, 0.125)  # one tie among four pairs
    assert np.isnan(first.without).tolist() == [True, True]  # each class is of one subject


def test_a_class_without_items_has_neither_recall_nor_f1_nor_auc() -> None:
    items = drawn_items(0)
    some = taken(items, items.true != 2)
    assert recalls(some)[2] is f1_scores(some)[2] is class_aucs(some)[2] is None
    found = class_statistics(some)
    assert found.balanced_accuracy is not None
    assert found.balanced_accuracy.value == pytest.approx(
        np.mean([one.value for one in found.recalls if one is not None])
    )


def test_with_one_class_only_there_is_no_auc() -> None:
    items = drawn_items(0)
    assert class_statistics(taken(items, items.true == 1)).macro_auc is None
