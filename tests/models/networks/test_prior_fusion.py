from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from platform.models.networks.prior_fusion import PriorFusion
from tests.models.networks.test_mask_generator import parameter_count, released_shapes, shapes


def test_the_published_net_has_377_parameters() -> None:
    assert parameter_count(PriorFusion()) == 377


def test_the_states_shapes_are_those_of_the_released_checkpoint(root: Path) -> None:
    assert shapes(PriorFusion()) == released_shapes(root, "fusion")


def test_the_fused_face_is_an_image_of_the_same_size() -> None:
    random = torch.Generator().manual_seed(0)
    for size in (33, 48):
        image, masked = torch.rand(2, 3, size, size, generator=random), torch.rand(2, 1, size, size)
        fused = PriorFusion()(image, masked).detach()
        assert fused.shape == image.shape
        assert 0 <= float(fused.min()) <= float(fused.max()) <= 1


def test_both_the_face_and_the_masked_face_count() -> None:
    random = torch.Generator().manual_seed(0)
    image, other = torch.rand(2, 2, 3, 9, 9, generator=random)
    masked = torch.rand(2, 1, 9, 9, generator=random)
    net = PriorFusion().eval()
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d):  # positive weights, so that no ReLU hides an input
            nn.init.constant_(layer.weight, 0.1)
    with torch.inference_mode():
        assert not torch.equal(net(image, masked), net(other, masked))
        assert not torch.equal(net(image, masked), net(image, 1 - masked))
