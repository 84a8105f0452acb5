from __future__ import annotations

import torch

from platform.models.networks.standardisation import Standardisation


def test_colours_by_hand() -> None:
    image = torch.tensor([0.4914, 0.4822 + 0.1994, 0.0]).view(1, 3, 1, 1)
    expected = torch.tensor([0.0, 1.0, -0.4465 / 0.2010]).view(1, 3, 1, 1)
    torch.testing.assert_close(Standardisation()(image), expected)


def test_gray_is_copied_to_three_channels() -> None:
    gray = torch.rand(2, 1, 4, 5)
    layer = Standardisation()
    torch.testing.assert_close(layer(gray), layer(gray.expand(-1, 3, -1, -1)))


def test_the_constants_are_no_part_of_the_state() -> None:
    assert not Standardisation().state_dict()
