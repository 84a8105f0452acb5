"""The network of FMPN: mask generator, prior fusion and classifier in one module (docs/methods.md, §2)."""

from __future__ import annotations

from torch import Tensor, nn


class FacialMotionPriorNetwork(nn.Module):
    """image [B, 3, S, S], gray [B, 1, S, S] -> (mask [B, 1, S, S], fused [B, 3, S, S], logits [B, K])."""

    def __init__(self, mask_generator: nn.Module, prior_fusion: nn.Module, classifier: nn.Module) -> None:
        super().__init__()
        self.mask_generator = mask_generator
        self.prior_fusion = prior_fusion
        self.classifier = classifier

    def forward(self, image: Tensor, gray: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mask = self.mask_generator(gray)
        fused = self.prior_fusion(image, mask * gray)
        return mask, fused, self.classifier(fused)
