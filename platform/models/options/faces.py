"""Options of the faces that a method sees: sizes and augmentation."""

from __future__ import annotations

from dataclasses import dataclass

from platform.errors import UserError
from platform.models.options.configuration import Configuration
from platform.models.options.fields import check_rule


@dataclass(frozen=True, kw_only=True)
class Faces(Configuration):
    """Size and augmentation of the faces."""

    image_size_pixels: int = 299
    """Side of the crop that the networks see."""
    augmentation: str = "paper"
    """`paper`: one of five crops per image and a flip with probability 0.5; `none`: centre crop; `strong`:
    shift, rotation, lighting, blur, noise and holes before `paper`; or a FILE.yaml with custom transforms
    (docs/augmentation.md), whose content becomes the setting."""

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        from datasets.augmentation.check import check_augmentation

        check_rule(self, "image_size_pixels", self.image_size_pixels >= 16, ">= 16")
        if self.load_size_pixels < self.image_size_pixels:
            raise UserError(
                f"load_size_pixels >= image_size_pixels must hold, but got {self.load_size_pixels} < "
                f"{self.image_size_pixels}; crops are taken from the loaded face: raise --load-size-pixels."
            )
        check_augmentation(self.augmentation, self.load_size_pixels)
