from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

from platform.models.networks.mask_generator import MaskGenerator, ResidualBlock


def parameter_count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def shapes(module: nn.Module) -> Counter[tuple[int, ...]]:
    """How often each shape is among the state's tensors, counters of batches left out."""
    state = module.state_dict()
    return Counter(tuple(v.shape) for name, v in state.items() if not name.endswith("num_batches_tracked"))


def released_shapes(root: Path, part: str) -> Counter[tuple[int, ...]]:
    content = json.loads((root / "tests/data/released_state_shapes.json").read_text())[part]
    return Counter(
        tuple(shape) for name, shape in content.items() if not name.endswith("num_batches_tracked")
    )


def test_the_published_net_has_6040968_parameters() -> None:
    with torch.device("meta"):
        assert parameter_count(MaskGenerator()) == 6_040_968


def test_the_states_shapes_are_those_of_the_released_checkpoint(root: Path) -> None:
    with torch.device("meta"):
        assert shapes(MaskGenerator()) == released_shapes(root, "resface")


@pytest.mark.parametrize("size", [299, 75, 48, 33, 32, 30, 9, 8])
def test_the_mask_is_as_large_as_the_face_odd_or_even(size: int) -> None:
    net = MaskGenerator(width=2).eval()
    with torch.inference_mode():
        mask = net(torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(0)))
    assert mask.shape == (1, 1, size, size)
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1


def test_inner_sizes_are_those_of_the_paper_at_299_pixels() -> None:
    """docs/methods.md, §2.2: 299, 149, 74, and back."""
    seen: dict[str, tuple[int, ...]] = {}
    with torch.device("meta"):
        net = MaskGenerator()
        for name, part in net.named_children():
            part.register_forward_hook(lambda m, i, output, name=name: seen.update({name: output.shape[1:]}))
        net(torch.empty(1, 1, 299, 299))
    assert {name: tuple(shape) for name, shape in seen.items()} == {
        "stem": (64, 299, 299), "down1": (128, 149, 149), "down2": (256, 74, 74), "blocks": (256, 74, 74),
        "up1": (128, 149, 149), "up2": (64, 299, 299), "head": (1, 299, 299),
    }  # fmt: skip


def test_the_width_scales_every_layer() -> None:
    net = MaskGenerator(width=4)
    assert [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d)][:3] == [4, 8, 16]
    assert all(layer.bias is None for layer in net.modules() if isinstance(layer, nn.Conv2d))


def test_a_residual_block_adds_and_leaves_the_sum_alone() -> None:
    block = ResidualBlock(2).eval()
    for layer in block.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
    x = torch.randn(1, 2, 5, 5, generator=torch.Generator().manual_seed(0))
    assert float(x.min()) < 0
    assert torch.equal(block(x), x)  # no activation after the addition


def test_a_residual_block_has_two_slopes_each_shared_by_all_channels() -> None:
    slopes = [layer.weight.numel() for layer in ResidualBlock(8).modules() if isinstance(layer, nn.PReLU)]
    assert slopes == [1, 1]


def test_each_block_adds_two_convolutions_two_batch_norms_and_two_slopes() -> None:
    channels = 4 * 2
    one_block = 2 * 9 * channels**2 + 2 * 2 * channels + 2
    counts = [parameter_count(MaskGenerator(width=2, blocks=blocks)) for blocks in (1, 4, 5)]
    assert counts[1] - counts[0] == 3 * one_block
    assert counts[2] - counts[1] == one_block
