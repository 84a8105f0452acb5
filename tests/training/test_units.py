"""Images and sequences as training and evaluation read them, guarded by the view."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from datasets.folds.view import FoldView
from datasets.masks.motion_masks import MaskSet
from platform.errors import LeakageError
from platform.training.units import UNITS
from tests.tiny_faces import CLASSES
from tests.tiny_sequences import prepare_tiny_sequences

SETTINGS = SimpleNamespace(image_size_pixels=32, frames=2)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return prepare_tiny_sequences(tmp_path_factory.mktemp("data"), subjects=4, frames=3)


def view_of(store: Any, role: Any = "final") -> FoldView:
    return FoldView(store, train_subjects=["S01", "S03"], evaluation_subjects=["S02"], role=role)


@pytest.mark.parametrize(
    ("unit", "count", "key"), [("image", 6, "image_count"), ("sequence", 3, "sequence_count")]
)
def test_what_is_scored_is_known_after_training_alone(store: Any, unit: str, count: int, key: str) -> None:
    view = view_of(store)
    with pytest.raises(LeakageError, match="before finish_training"):
        UNITS[unit].evaluated(view)
    assert len(UNITS[unit].training_labels(view)) == 2 * count
    view.finish_training()
    found = UNITS[unit].evaluated(view)
    assert found.counted_as == key
    assert len(found.items) == len(found.rows) == len(found.labels) == len(found.names) == count
    assert set(found.subjects.tolist()) == {"S02"}
    assert len(set(found.names.tolist())) == count
    assert not {"labels", "subjects", "names"} & set(dir(found.items))
    if unit == "sequence":
        assert found.names.tolist() == found.sequences.tolist()
        assert [len(found.items.read(place)) for place in range(count)] == found.items.lengths.tolist()


@pytest.mark.parametrize(("unit", "count"), [("image", 12), ("sequence", 6)])
def test_single_items_are_the_training_subjects_with_balanced_weights(
    store: Any, unit: str, count: int
) -> None:
    view = view_of(store)
    items = UNITS[unit].single_items(
        view, SETTINGS, augmentation="none", class_images=None, device=CPU, balanced=True
    )
    index = torch.arange(count)
    assert sorted(items.epoch(torch.Generator().manual_seed(0)).tolist()) == index.tolist()
    batch: Any = items.batch(index, items.draw(index, torch.Generator()))
    assert batch.labels.tolist() == UNITS[unit].training_labels(view).tolist()
    assert batch.image_weights.tolist() == [1.0] * count
    assert batch.image.shape[-3:] == (3, 32, 32)
    assert all(name.startswith(("S01", "S03")) for name in items.names(index))


@pytest.mark.parametrize("unit", ["image", "sequence"])
def test_class_images_of_other_classes_are_refused(store: Any, unit: str) -> None:
    others = MaskSet(class_names=CLASSES[::-1], images=np.zeros((3, 34, 34), dtype=np.uint8))
    with pytest.raises(ValueError, match="do not match"):
        UNITS[unit].single_items(
            view_of(store), SETTINGS, augmentation="none", class_images=others, device=CPU
        )
