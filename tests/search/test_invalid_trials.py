from __future__ import annotations

import optuna
import pytest

from platform.search.invalid_trials import ATTRIBUTE, MOST_IN_A_ROW, too_many_invalid, why_invalid
from tests.tiny_faces import tiny_configuration


def trials(row: str) -> list[optuna.trial.FrozenTrial]:
    """A trial for each letter: `i` invalid, anything else complete."""
    study = optuna.create_study()
    for number, letter in enumerate(row):
        attributes = {ATTRIBUTE: f"reason {number}"} if letter == "i" else {}
        study.add_trial(optuna.trial.create_trial(value=0.5, user_attrs=attributes))
    return study.trials


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("", ""),
        ("i" * 9, ""),
        ("i" * 10, "reason 9"),
        ("i" * 12, "reason 9"),
        ("i" * 9 + "c" + "i" * 9, ""),
        ("ccc" + "i" * 10 + "c", "reason 12"),
    ],
)
def test_ten_invalid_trials_in_a_row_are_too_many(row: str, reason: str) -> None:
    assert MOST_IN_A_ROW == 10
    assert too_many_invalid(reversed(trials(row))) == reason


def test_the_reason_names_parameter_value_and_rule() -> None:
    base = tiny_configuration()
    assert why_invalid(base, {"stage2_batch_size": 4}, 3) == ""
    assert why_invalid(base, {"stage2_batch_size": 0}, 3).startswith("stage2_batch_size must be >= 1, ")
    assert "unknown option of the method fmpn 'batchsize'" in why_invalid(base, {"batchsize": 4}, 3)


def test_images_too_small_for_a_net_make_a_trial_invalid() -> None:
    base = tiny_configuration(load_size_pixels=48, image_size_pixels=48)
    assert why_invalid(base, {"backbone": "vgg16"}, 3) == ""
    assert why_invalid(base, {"backbone": "inception_v3"}, 3) == (
        "inception_v3 needs images of at least 75 px, but gets 48; raise --image-size-pixels (or "
        "--enlarge-below-pixels), or choose another --backbone."
    )
