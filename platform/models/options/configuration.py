"""The root of every method's options: what all methods have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from platform.models.options.fields import check_rule, check_types


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """All values that can change the outcome of a fold run of one method.

    A method's own options derive from this class and from groups of this folder. Defaults are the preset
    `paper`; numbers are those of docs/methods.md unless a docstring says otherwise. A group checks its fields
    in `check`, which raises UserError and may bring equivalent values into one form.
    """

    origin: ClassVar[Any] = None
    """The plug-in that defines these options (platform/models/plugins.py); None for a method of this
    repository."""

    method: str
    """Method: a file of platform/models/, or `FILE.py:Class`, a file of your own (docs/extending.md)."""
    load_size_pixels: int = 320
    """Side of the prepared faces, from which crops are taken."""
    seed: int = 0
    """Seed of initialisation, shuffling, crops, flips and dropout."""
    precision: Literal["fp32", "tf32", "bf16"] = "fp32"
    """Arithmetic of training. `fp32`: IEEE float32, on GPUs too; `tf32`: convolutions and matrix products in
    TF32 on a GPU, PyTorch's default for convolutions; `bf16`: those in bfloat16. Losses, batch-norm
    statistics, fusion of face and mask, weights, Adam and scoring are always float32. `auto`, as in the
    preset `paper`: bf16 where it is measured to train faster, else fp32."""
    compiled: bool = False
    """Use torch.compile. It needs a C++ compiler and changes the last bits of results."""
    synchronised_batch_norm: bool = True
    """With several Train workers: batch-norm statistics over the images of all, as with one worker."""

    def __post_init__(self) -> None:
        check_types(self)
        for group in reversed(type(self).__mro__):
            if issubclass(group, Configuration) and "check" in vars(group):
                group.check(self)

    def check(self) -> None:
        """UserError: a value that breaks a rule of this group."""
        check_rule(self, "load_size_pixels", self.load_size_pixels >= 16, ">= 16")
        check_rule(self, "seed", 0 <= self.seed < 2**31, "0 to 2**31 - 1")

    def __reduce_ex__(self, protocol: Any) -> Any:
        """A plug-in travels with its options: no other process can import its class."""
        if self.origin is None:
            return super().__reduce_ex__(protocol)
        return self.origin.configuration, (dict(vars(self)),)
