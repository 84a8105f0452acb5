"""Intervals and tests that respect subjects: images of one person are never independent.

All functions are pure; randomness comes in as a NumPy generator. This is the front of
- accuracy_interval.py: the interval that is shown with an accuracy, and why it is that one;
- bootstrap.py: percentile and BCa intervals;
- paired_tests.py: two methods on the same images or folds, and Holm's correction;
- run_variance.py: repeats of a cross-validation, seeds of training.
docs/statistics.md says which answers which question, and how well.
"""

from __future__ import annotations

from platform.evaluation.accuracy_interval import AccuracyInterval, Interval, accuracy_interval
from platform.evaluation.bootstrap import (
    DEFAULT_RESAMPLES,
    bootstrap_mean_of_folds,
    bootstrap_pooled_accuracy,
)
from platform.evaluation.paired_tests import (
    FoldDifference,
    PairedDifference,
    clustered_mcnemar_test,
    corrected_resampled_t_test,
    holm,
    sign_flip_test,
    wilcoxon_test,
)
from platform.evaluation.run_variance import RunVariance, repeat_variance, seed_variance

__all__ = [
    "DEFAULT_RESAMPLES",
    "AccuracyInterval",
    "FoldDifference",
    "Interval",
    "PairedDifference",
    "RunVariance",
    "accuracy_interval",
    "bootstrap_mean_of_folds",
    "bootstrap_pooled_accuracy",
    "clustered_mcnemar_test",
    "corrected_resampled_t_test",
    "holm",
    "repeat_variance",
    "seed_variance",
    "sign_flip_test",
    "wilcoxon_test",
]
