"""What a method is to everything else: the only interface that training knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.batches import Batch

COMMON_FIELDS = (
    "load_size_pixels",
    "image_size_pixels",
    "augmentation",
    "adam_beta1",
    "adam_beta2",
    "seed",
    "precision",
    "compiled",
    "synchronised_batch_norm",
    "stage2_constant_epochs",
    "stage2_decay_epochs",
    "stage2_batch_size",
    "stage2_augmentation",
    "optimizer",
    "weight_decay",
    "momentum",
    "schedule",
    "class_weights",
    "ema_decay",
)
"""Fields of the configuration that the training loop reads for every method."""

STAGE1_FIELDS = (
    "load_size_pixels",
    "image_size_pixels",
    "augmentation",
    "adam_beta1",
    "adam_beta2",
    "seed",
    "precision",
    "compiled",
    "synchronised_batch_norm",
    "generator_width",
    "generator_blocks",
    "initialisation_gain",
    "stage1_constant_epochs",
    "stage1_decay_epochs",
    "stage1_batch_size",
    "stage1_learning_rate",
)
"""All that stage 1 can read. Its code is given these and nothing else, so its identity is honest.

The options of optimizer, schedule and loss are stage 2's alone: stage 1 stays as published, and trials
that differ in them share it.
"""


class Settings:
    """Some fields of a configuration; asking for another one is an error, not a silent dependency."""

    def __init__(self, values: Mapping[str, Any], fields: tuple[str, ...]) -> None:
        self._values = {name: values[name] for name in sorted(set(fields))}

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name not in values:
            raise AttributeError(f"{name!r} is not among the declared fields: {', '.join(values)}")
        return values[name]

    def to_dict(self) -> dict[str, Any]:
        """The fields and their values, sorted by name."""
        return dict(self._values)

    def with_values(self, **changes: Any) -> Settings:
        """The same fields with some other values."""
        return Settings({**self._values, **changes}, tuple(self._values))


class Method(ABC):
    """A method: how to build it, its loss, its scores, and the images worth looking at.

    Shapes: B images, K classes, S = `image_size_pixels`.
    """

    title: str
    """The name in tables."""
    fields: tuple[str, ...]
    """Fields of the configuration that this method reads, beside COMMON_FIELDS."""
    uses_masks: bool
    """Whether batches carry the target motion mask."""
    pretrains_generator: bool
    """Whether stage 1 comes first; `load_generator` then receives its weights."""
    starts_from_release: bool = False
    """Whether `build` can start from a released checkpoint of all its nets; there is no stage 1 then."""

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The part of a configuration that reaches this method's fold runs."""
        return Settings(values, COMMON_FIELDS + self.fields)

    @abstractmethod
    def build(self, settings: Settings, class_count: int) -> nn.Module:
        """A freshly initialised module; randomness comes from torch's current generator."""

    def load_generator(self, module: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Take over the mask generator's weights after stage 1 (strict)."""
        raise TypeError(f"{self.title} has no stage 1")

    def mask_generator(self, module: nn.Module) -> nn.Module | None:
        """The part of `module` that predicts motion masks: gray [B, 1, S, S] to mask [B, 1, S, S], both in
        [0, 1], with the weights that `load_generator` takes over. None: this method predicts no mask."""
        return None

    @abstractmethod
    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        """The optimizer's groups, each with `params`, `lr` and a `name`, by which its rate is shown. Frozen
        parameters may be among them."""

    @abstractmethod
    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        """Scalars of the batch: `loss` (to minimise), its parts, and `correct` (a count).

        The cross entropy is `classification_loss` (platform/models/networks/classification_loss.py), so
        that the options of the loss hold for every method.
        """

    @abstractmethod
    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        """float32 [B, K]: class probabilities of the batch, rows adding up to 1."""

    def pictures(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Name to float32 [B, 1 or 3, S, S] in [0, 1]: what a person should see of the batch."""
        return {}
