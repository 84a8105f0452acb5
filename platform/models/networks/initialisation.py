"""Weight initialisation of FMPN's released code."""

from __future__ import annotations

from torch import nn

XAVIER_GAIN = 0.02


def initialise_as_released(module: nn.Module, gain: float = XAVIER_GAIN) -> nn.Module:
    """Xavier normal with `gain`, biases 0; batch norm weights N(1, 0.02), biases 0 (docs/methods.md, §2.2).

    The released code has the fixed gain 0.02; another `gain` scales convolutions and linear layers only.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_normal_(part.weight, gain=gain)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, XAVIER_GAIN)
            nn.init.zeros_(part.bias)
    return module
