"""The interface of methods: all that training and evaluation know about one."""

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
"""Configuration fields that the training loop reads for every method."""

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
"""Configuration fields of stage 1. Its code receives no others, so its identity covers all it depends on.

Options of optimizer, schedule and loss affect stage 2 only: stage 1 stays as published, and trials that
differ in these options share it.
"""


class Settings:
    """Declared fields of a configuration; reading any other raises AttributeError instead of adding a silent
    dependency."""

    def __init__(self, values: Mapping[str, Any], fields: tuple[str, ...]) -> None:
        self._values = {name: values[name] for name in sorted(set(fields))}

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name not in values:
            raise AttributeError(f"{name!r} is not among the declared fields: {', '.join(values)}")
        return values[name]

    def to_dict(self) -> dict[str, Any]:
        """Field names and values, sorted by name."""
        return dict(self._values)

    def with_values(self, **changes: Any) -> Settings:
        """A copy with some values changed; the fields stay the same."""
        return Settings({**self._values, **changes}, tuple(self._values))


class Method(ABC):
    """A method: its network, loss, scores and pictures.

    Shapes: B images, K classes, S = `image_size_pixels`.
    """

    title: str
    """Name in tables."""
    fields: tuple[str, ...]
    """Configuration fields that this method reads in addition to COMMON_FIELDS."""
    uses_masks: bool
    """Whether batches include target motion masks."""
    pretrains_generator: bool
    """Whether stage 1 trains the mask generator first; `load_generator` then receives its weights."""
    starts_from_release: bool = False
    """Whether `build` can start from a released checkpoint of all its networks, which replaces stage 1."""

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The configuration fields that this method's fold runs depend on."""
        return Settings(values, COMMON_FIELDS + self.fields)

    @abstractmethod
    def build(self, settings: Settings, class_count: int) -> nn.Module:
        """A newly initialised module; its random numbers come from torch's default generator."""

    def load_generator(self, module: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Load the mask generator's weights from stage 1; names and shapes must match exactly."""
        raise TypeError(f"{self.title} has no stage 1")

    def mask_generator(self, module: nn.Module) -> nn.Module | None:
        """The submodule that predicts motion masks: gray [B, 1, S, S] -> mask [B, 1, S, S], both in [0, 1].

        `load_generator` sets its weights. None if the method predicts no masks.
        """
        return None

    @abstractmethod
    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        """Parameter groups of the optimizer, each with `params`, `lr` and the `name` that logs use for its
        learning rate. They may contain frozen parameters."""

    @abstractmethod
    def loss(self, module: nn.Module, batch: Batch, settings: Settings) -> dict[str, Tensor]:
        """Scalars of the batch: `loss` (to minimise), its terms, and `correct` (correct predictions).

        Every method computes the cross entropy with `classification_loss`
        (platform/models/networks/classification_loss.py), so that all of them support the loss options.
        """

    @abstractmethod
    def scores(self, module: nn.Module, batch: Batch) -> Tensor:
        """Class probabilities of the batch, float32 [B, K]; each row sums to 1."""

    def pictures(self, module: nn.Module, batch: Batch) -> dict[str, Tensor]:
        """Images of the batch for visual inspection: name -> float32 [B, 1 or 3, S, S] in [0, 1]."""
        return {}
