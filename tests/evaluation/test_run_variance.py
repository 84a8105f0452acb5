from __future__ import annotations

import numpy as np
import pytest

from platform.evaluation.run_variance import repeat_variance, seed_variance

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


def test_repeats_by_hand() -> None:
    """Within: (0.01 + 0.0175) / 2. Between: 3 * 0.01125."""
    found = repeat_variance(BY_HAND)
    assert found.between_runs == pytest.approx(np.sqrt(0.01125))
    assert found.residual == pytest.approx(np.sqrt(0.01375))
    assert found.run_effect == pytest.approx(np.sqrt((0.03375 - 0.01375) / 3))
    assert found.fold_effect is None


def test_a_better_seed_is_an_effect_of_the_run_and_a_hard_fold_of_the_fold() -> None:
    seeds, folds = np.array([0.0, 0.1, 0.2]), np.array([0.5, 0.6, 0.65, 0.7])
    found = seed_variance(seeds[:, None] + folds[None, :])
    assert found.residual == pytest.approx(0.0, abs=1e-12)
    assert found.run_effect == pytest.approx(0.1)
    assert found.fold_effect == pytest.approx(folds.std(ddof=1))


def test_repeats_do_not_depend_on_the_order_of_folds_within_a_repeat() -> None:
    shuffled = np.array([BY_HAND[0][[2, 0, 1]], BY_HAND[1][[1, 0, 2]]])
    assert repeat_variance(shuffled).residual == pytest.approx(repeat_variance(BY_HAND).residual)
    assert seed_variance(shuffled).residual != pytest.approx(seed_variance(BY_HAND).residual)


def test_a_negative_estimate_is_zero() -> None:
    """Every repeat has the same mean, as when the folds share out the same subjects."""
    accuracies = np.array([[0.6, 0.8], [0.7, 0.7], [0.5, 0.9]])
    assert repeat_variance(accuracies).run_effect == 0.0
    assert repeat_variance(accuracies).between_runs == pytest.approx(0.0, abs=1e-12)


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


@pytest.mark.parametrize("parts", [seed_variance, repeat_variance])
def test_one_run_or_one_fold_leaves_out_what_cannot_be_known(parts) -> None:  # type: ignore[no-untyped-def]
    one_run = parts(np.array([[0.5, 0.7, 0.9]]))
    assert one_run.mean == pytest.approx(0.7)
    assert (one_run.between_runs, one_run.run_effect, one_run.standard_error) == (None, None, None)
    one_fold = parts(np.array([[0.5], [0.7]]))
    assert one_fold.between_runs == pytest.approx(np.sqrt(0.02))
    assert (one_fold.run_effect, one_fold.fold_effect, one_fold.residual) == (None, None, None)


@pytest.mark.parametrize("parts", [seed_variance, repeat_variance])
@pytest.mark.parametrize(
    ("accuracies", "message"),
    [([[0.5, float("nan")]], "NaN"), ([0.5, 0.7], "runs, folds"), ([[]], "runs, folds")],
)
def test_a_missing_fold_is_refused(parts, accuracies: list, message: str) -> None:  # type: ignore[no-untyped-def, type-arg]
    with pytest.raises(ValueError, match=message):
        parts(np.array(accuracies))
