"""FMPN's released masks in place of ours: by class name, of the same folds, and the agreement of the two."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.folds.rules import Fold, paper_folds
from datasets.masks.motion_masks import MaskSet
from datasets.masks.released import check_same_folds, correlation_by_class, released_mask_set
from datasets.synthetic.layouts import load_layout
from platform.errors import UserError
from tests.layout_trees import set_parameters, write_layout

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people in FMPN's layout: four folds."""
    root = tmp_path_factory.mktemp("release")
    return write_layout(load_layout("fmpn_release"), root, set_parameters(4))


@pytest.fixture(scope="module")
def folds() -> tuple[Fold, ...]:
    return paper_folds([f"S{number:03d}" for number in range(1, 5)], 4).folds


def test_masks_come_in_the_order_asked_for_and_at_the_size_asked_for(release: Path) -> None:
    chosen = released_mask_set(release, 1, ("surprise", "anger"), 48)
    assert chosen.class_names == ("surprise", "anger")
    assert (chosen.images.shape, chosen.images.dtype) == ((2, 48, 48), np.uint8)
    for number, image in ((6, chosen.images[0]), (0, chosen.images[1])):
        np.testing.assert_array_equal(image, np.array(Image.open(release / f"imgs_res/1/{number}.png")))
    assert released_mask_set(release, 1, CLASSES, 20).images.shape == (7, 20, 20)


def test_a_class_and_a_fold_without_masks_are_named(release: Path) -> None:
    with pytest.raises(UserError, match="has no mask of neutral"):
        released_mask_set(release, 0, ("anger", "neutral"), 48)
    with pytest.raises(UserError, match="has no masks of fold 4"):
        released_mask_set(release, 4, CLASSES, 48)


def test_only_the_releases_own_folds_may_use_them(release: Path, folds: tuple[Fold, ...]) -> None:
    check_same_folds(release, folds)
    with pytest.raises(UserError, match=r"has 4 folds, but the plan has 2; pass --folds 4"):
        check_same_folds(release, paper_folds([f"S{number:03d}" for number in range(1, 5)], 2).folds)
    others = paper_folds([f"S{number:03d}" for number in range(2, 6)], 4).folds
    with pytest.raises(UserError, match="differ in the test subjects S004, S005"):
        check_same_folds(release, others)


def test_correlation_is_by_class_name_and_over_pixels() -> None:
    ramp = np.tile(np.arange(8, dtype=np.uint8) * 30, (8, 1))
    first = MaskSet(class_names=("anger", "fear", "surprise"), images=np.stack([ramp, ramp, ramp.T]))
    second = MaskSet(class_names=("fear", "anger"), images=np.stack([255 - ramp, ramp // 2]))
    found = correlation_by_class(first, second)
    assert found == pytest.approx({"anger": 1.0, "fear": -1.0}, abs=1e-3)
