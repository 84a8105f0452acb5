from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from platform.models.masks.face_errors import DRIFT, MaskErrors
from platform.models.masks.quality import quality_of_distances

CLASSES = ("anger", "fear", "joy")
RANDOM = np.random.default_rng(0)
ERRORS = MaskErrors(
    labels=np.array([0, 2, 1, 0]),
    distances=RANDOM.random((4, 3)),
    constant_distances=RANDOM.random(3),
    stage1_distances=RANDOM.random((4, 3)),
    drift=RANDOM.random(4),
)
WITHOUT_STAGE_1 = dataclasses.replace(ERRORS, stage1_distances=None, drift=None)


@pytest.mark.parametrize("errors", [ERRORS, WITHOUT_STAGE_1])
def test_what_is_stored_gives_the_same_quality_bit_for_bit(errors: MaskErrors) -> None:
    values = errors.values(CLASSES)
    assert (DRIFT in values) == (errors.drift is not None)
    again = MaskErrors.of_values(values, errors.labels, CLASSES)
    assert again.quality() == errors.quality()
    assert errors.quality() == quality_of_distances(
        errors.distances,
        errors.labels,
        errors.constant_distances,
        stage1_distances=errors.stage1_distances,
        drift=errors.drift,
    )


def test_the_excess_is_the_error_beyond_that_of_the_constant_mask() -> None:
    quality = ERRORS.quality()
    assert ERRORS.excess[1] == ERRORS.distances[1, 2] - ERRORS.constant_distances[2]
    assert ERRORS.excess.mean() == pytest.approx(quality.error - quality.constant_error, abs=1e-15)


def test_a_class_called_like_a_column_changes_nothing() -> None:
    names = ("distance_", "stage1_distance_", "drift")
    again = MaskErrors.of_values(ERRORS.values(names), ERRORS.labels, names)
    assert again.quality() == ERRORS.quality()


def test_incomplete_columns_are_refused() -> None:
    values = ERRORS.values(CLASSES)
    for name in ("distance_fear", "stage1_distance_fear", "constant_distance_fear"):
        with pytest.raises(ValueError, match=f"there is no {name}"):
            MaskErrors.of_values({k: v for k, v in values.items() if k != name}, ERRORS.labels, CLASSES)
    changed = values["constant_distance_joy"].copy()
    changed[3] += 0.1
    with pytest.raises(ValueError, match="same for every face"):
        MaskErrors.of_values({**values, "constant_distance_joy": changed}, ERRORS.labels, CLASSES)
