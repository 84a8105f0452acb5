from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.run_variance import seed_variance

BY_HAND = np.array([[0.6, 0.8, 0.7], [0.7, 0.9, 0.95]])
"""Run means 0.7 and 0.85; fold means 0.65, 0.85, 0.825; mean 0.775."""


def test_seeds_by_hand() -> None:
    """Residuals +-0.025, +-0.025, +-0.05: mean square 0.0075 / 2. Runs: 3 * 0.01125; folds: 2 * 0.0118750."""
    found = seed_variance(BY_HAND)
    assert (found.mean, found.run_count, found.fold_count) == (pytest.approx(0.775), 2, 3)
    assert found.between_runs == pytest.approx(np.sqrt(0.01125))
    assert found.standard_error == pytest.approx(np.sqrt(0.01125 / 2))
    assert found.residual == pytest.approx(np.sqrt(0.00375))
    assert found.run_effect == pytest.approx(np.sqrt((0.03375 - 0.00375) / 3))
    assert found.fold_effect == pytest.approx(np.sqrt((0.02375 - 0.00375) / 2))


def test_a_better_seed_is_an_effect_of_the_run_and_a_hard_fold_of_the_fold() -> None:
    seeds, folds = np.array([0.0, 0.1, 0.2]), np.array([0.5, 0.6, 0.65, 0.7])
    found = seed_variance(seeds[:, None] + folds[None, :])
    assert found.residual == pytest.approx(0.0, abs=1e-12)
    assert found.run_effect == pytest.approx(0.1)
    assert found.fold_effect == pytest.approx(folds.std(ddof=1))


def test_a_negative_estimate_is_zero() -> None:
    """Every seed has the same mean, although the folds vary."""
    accuracies = np.array([[0.6, 0.8], [0.7, 0.7], [0.5, 0.9]])
    assert seed_variance(accuracies).run_effect == 0.0
    assert seed_variance(accuracies).between_runs == pytest.approx(0.0, abs=1e-12)


def test_the_parts_are_recovered_on_average() -> None:
    random = np.random.default_rng(4)
    squares = np.zeros(3)
    for _ in range(400):
        made = (
            0.7
            + random.normal(0, 0.03, (5, 1))
            + random.normal(0, 0.05, (1, 10))
            + random.normal(0, 0.02, (5, 10))
        )
        found = seed_variance(made)
        squares += np.square([found.run_effect, found.fold_effect, found.residual])
    assert np.sqrt(squares / 400) == pytest.approx([0.03, 0.05, 0.02], rel=0.06)


def test_one_run_or_one_fold_leaves_out_what_cannot_be_known() -> None:
    one_run = seed_variance(np.array([[0.5, 0.7, 0.9]]))
    assert one_run.mean == pytest.approx(0.7)
    assert (one_run.between_runs, one_run.run_effect, one_run.standard_error) == (None, None, None)
    one_fold = seed_variance(np.array([[0.5], [0.7]]))
    assert one_fold.between_runs == pytest.approx(np.sqrt(0.02))
    assert (one_fold.run_effect, one_fold.fold_effect, one_fold.residual) == (None, None, None)


@pytest.mark.parametrize(
    ("accuracies", "message"),
    [([[0.5, float("nan")]], "NaN"), ([0.5, 0.7], "runs, folds"), ([[]], "runs, folds")],
)
def test_a_missing_fold_is_refused(accuracies: list, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match=message):
        seed_variance(np.array(accuracies))
