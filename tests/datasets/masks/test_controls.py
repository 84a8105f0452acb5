from __future__ import annotations

import numpy as np
import pytest

from datasets.masks.controls import CONTROLS, control_masks
from datasets.masks.motion_masks import MaskSet
from platform.errors import UserError


@pytest.fixture
def masks() -> MaskSet:
    images = np.stack([np.full((24, 24), 10 * k, dtype=np.uint8) for k in range(1, 4)])
    return MaskSet(class_names=("anger", "fear", "surprise"), images=images)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_control_has_the_same_classes_and_size_and_is_always_the_same(control: str, masks: MaskSet) -> None:
    made = control_masks(control, masks)
    assert made.class_names == masks.class_names
    assert (made.images.shape, made.images.dtype) == (masks.images.shape, np.uint8)
    assert made.hash == control_masks(control, masks).hash != masks.hash


def test_permuted_gives_no_class_its_own_mask_and_loses_none(masks: MaskSet) -> None:
    made = control_masks("permuted", masks)
    assert made.images[:, 0, 0].tolist() == [20, 30, 10]


def test_uniform_says_nothing_of_places(masks: MaskSet) -> None:
    assert len(np.unique(control_masks("uniform", masks).images)) == 1


def test_centre_is_one_blob_for_all_classes_brightest_in_the_middle(masks: MaskSet) -> None:
    first, *others = control_masks("centre", masks).images
    assert all(np.array_equal(first, other) for other in others)
    assert first[12, 12] == first.max() > first[0, 12] > first[0, 0]
    assert np.array_equal(first, first.T)


def test_random_fields_are_smooth_and_differ_between_classes(masks: MaskSet) -> None:
    images = control_masks("random", masks).images.astype(float)
    assert np.abs(np.corrcoef(images.reshape(3, -1)) - np.eye(3)).max() < 0.5
    neighbours = np.abs(np.diff(images, axis=2)).mean()
    assert neighbours < 0.4 * np.abs(images - images[:, ::-1]).mean()


def test_an_unknown_control_lists_the_known_ones(masks: MaskSet) -> None:
    with pytest.raises(UserError, match=r"unknown mask control 'blob'.*centre, permuted"):
        control_masks("blob", masks)
