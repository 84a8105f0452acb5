"""The classification network (CN) of all methods: a backbone after optional enlargement of the face."""

from __future__ import annotations

from torch import Tensor, nn

from platform.models.method import Settings
from platform.models.networks.backbone_nets import build_backbone, enlarged, head_of


class Classifier(nn.Module):
    """The classification network (CN): image [B, 3, S, S] in [0, 1] -> logits [B, K].

    With `freeze_backbone` only the head requires gradients; training then also keeps the running statistics
    of the frozen batch norms (platform/training/batch_norm.py).
    """

    def __init__(self, settings: Settings, class_count: int) -> None:
        super().__init__()
        self.enlarge_below_pixels = settings.enlarge_below_pixels
        self.backbone = build_backbone(
            settings.backbone,
            class_count,
            width=settings.backbone_width,
            weights=settings.weights,
            transform_input=settings.transform_input,
            dropout=settings.dropout,
        )
        if settings.freeze_backbone:
            self.backbone.requires_grad_(False)
            head_of(self.backbone, settings.backbone).requires_grad_(True)

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.backbone(enlarged(image, self.enlarge_below_pixels))
        return logits
