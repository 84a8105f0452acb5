from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets.batches import FaceTensors
from datasets.masks.motion_masks import MaskSet, to_gray
from platform.config.configuration import to_dict
from platform.models import load_method
from platform.models.masks.distances import MaskDistances, measure_masks
from platform.models.masks.quality import mask_distances
from platform.models.networks.mask_generator import MaskGenerator
from tests.tiny_faces import CLASSES, SIZE, tiny_configuration

CROP = 32
EDGE = (SIZE - CROP) // 2
CENTRE = slice(EDGE, EDGE + CROP)
IMAGES = np.random.default_rng(1).integers(0, 256, (7, SIZE, SIZE, 3), dtype=np.uint8)
LABELS = np.random.default_rng(2).integers(0, 3, 7)


def loud(generator: torch.nn.Module, seed: int) -> None:
    """Weights that make a mask of its own for each face: the released ones start at 0.5 everywhere."""
    random = torch.Generator().manual_seed(seed)
    for parameter in generator.parameters():
        torch.nn.init.normal_(parameter, std=0.5, generator=random)


@pytest.fixture(scope="module")
def module() -> torch.nn.Module:
    method = load_method("fmpn")
    made = method.build(method.settings(to_dict(tiny_configuration())), len(CLASSES)).eval()
    loud(made.get_submodule("mask_generator"), 0)
    return made


@pytest.fixture(scope="module")
def stage1() -> MaskGenerator:
    made = MaskGenerator(2).eval()
    loud(made, 1)
    return made


@pytest.fixture(scope="module")
def masks() -> MaskSet:
    images = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE), dtype=np.uint8)
    return MaskSet(class_names=CLASSES, images=images)


@pytest.fixture(scope="module")
def faces() -> FaceTensors:
    return FaceTensors(IMAGES, LABELS, None, "cpu")


def measured(
    module: torch.nn.Module,
    state: dict[str, torch.Tensor] | None,
    faces: FaceTensors,
    masks: MaskSet,
    batch_size: int = 3,
) -> MaskDistances:
    generator = module.get_submodule("mask_generator")
    return measure_masks(generator, state, faces, masks, crop_size_pixels=CROP, batch_size=batch_size)


@torch.no_grad()
def predictions(generator: torch.nn.Module) -> np.ndarray:
    gray = torch.from_numpy(to_gray(IMAGES)[:, None, CENTRE, CENTRE].astype(np.float32) / 255)
    return generator(gray)[:, 0].numpy()


def test_distances_are_those_of_the_evaluation_on_centre_crops(
    module: torch.nn.Module, stage1: MaskGenerator, faces: FaceTensors, masks: MaskSet
) -> None:
    found = measured(module, stage1.state_dict(), faces, masks)
    cut = masks.images[:, CENTRE, CENTRE] / 255
    np.testing.assert_allclose(found.class_masks, cut, atol=1e-15)
    assert found.labels.tolist() == LABELS.tolist()
    after, before = (predictions(net) for net in (module.get_submodule("mask_generator"), stage1))
    np.testing.assert_allclose(found.distances, mask_distances(after, cut), rtol=1e-4)
    np.testing.assert_allclose(found.stage1_distances, mask_distances(before, cut), rtol=1e-4)
    drift = np.square(after.astype(np.float64) - before).mean(axis=(1, 2))
    assert drift.min() > 0.01
    np.testing.assert_allclose(found.drift, drift, rtol=1e-4)


def test_the_batch_size_changes_nothing(
    module: torch.nn.Module, stage1: MaskGenerator, faces: FaceTensors, masks: MaskSet
) -> None:
    one, all_at_once = (measured(module, stage1.state_dict(), faces, masks, size) for size in (1, 64))
    np.testing.assert_allclose(one.distances, all_at_once.distances, rtol=1e-4)
    np.testing.assert_allclose(one.drift, all_at_once.drift, rtol=1e-4)


def test_a_generator_that_stage_2_left_alone_has_not_drifted(
    module: torch.nn.Module, faces: FaceTensors, masks: MaskSet
) -> None:
    found = measured(module, module.get_submodule("mask_generator").state_dict(), faces, masks)
    np.testing.assert_array_equal(found.drift, np.zeros(7))
    np.testing.assert_array_equal(found.distances, found.stage1_distances)


def test_measuring_leaves_the_weights_and_statistics_as_they_are(
    module: torch.nn.Module, stage1: MaskGenerator, faces: FaceTensors, masks: MaskSet
) -> None:
    before = {name: value.clone() for name, value in module.state_dict().items()}
    expected = measured(module, stage1.state_dict(), faces, masks)
    module.train()  # as a stage leaves it
    found = measured(module, stage1.state_dict(), faces, masks)
    np.testing.assert_array_equal(found.drift, expected.drift)
    assert all(torch.equal(before[name], value) for name, value in module.state_dict().items())


def test_without_a_stage_1_there_is_no_drift(
    module: torch.nn.Module, faces: FaceTensors, masks: MaskSet
) -> None:
    found = measured(module, None, faces, masks)
    assert found.distances.shape == (7, 3)
    assert found.stage1_distances is None
    assert found.drift is None


def test_a_generator_of_another_width_is_refused(
    module: torch.nn.Module, faces: FaceTensors, masks: MaskSet
) -> None:
    with pytest.raises(RuntimeError, match="size mismatch"):
        measured(module, MaskGenerator(3).state_dict(), faces, masks)
