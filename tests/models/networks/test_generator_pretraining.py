from __future__ import annotations

import torch

from datasets.batches import Batch
from platform.config.configuration import to_dict
from platform.models import load_method
from platform.models.networks.generator_pretraining import build_generator, pretraining_loss
from tests.tiny_faces import tiny_configuration


def test_the_configured_generator_is_compared_with_the_masks_pixel_by_pixel() -> None:
    configuration = tiny_configuration(generator_width=2, generator_blocks=1)
    net = build_generator(load_method("fmpn").pretraining_settings(to_dict(configuration)))
    assert len(list(net.get_submodule("blocks").children())) == 1
    assert net.get_submodule("stem.0").out_channels == 2
    gray = torch.rand(2, 1, 8, 8)
    batch = Batch(
        image=torch.rand(2, 3, 8, 8), gray=gray, target_mask=torch.zeros(2, 1, 8, 8),
        labels=torch.zeros(2, dtype=torch.int64),
    )  # fmt: skip
    with torch.no_grad():
        net.eval()
        expected = (net(gray) ** 2).mean()
        torch.testing.assert_close(pretraining_loss(net, batch), {"loss": expected})
