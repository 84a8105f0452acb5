"""Shared stages: artifacts that train one net on the faces of the training subjects."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from platform.models.artifact import Artifact, ClassImages, Content, Tools
from platform.models.items import Items
from platform.models.player import Player

if TYPE_CHECKING:
    from torch import Tensor, nn

    from datasets.folds.view import FoldView
    from platform.models.train_view import TrainView


class SharedStage(Artifact):
    """A stage that several fold runs share: their nets start from its weights.

    Shapes: B images, K classes, S = `image_size_pixels`. Its name seeds it.
    """

    trains = True
    weights_file: str = "weights.safetensors"
    """File of its trained weights."""

    @abstractmethod
    def build(self, settings: Any, class_count: int) -> nn.Module:
        """A newly initialised module; its random numbers come from torch's default generator."""

    @abstractmethod
    def parameter_groups(self, module: nn.Module, settings: Any) -> list[dict[str, Any]]:
        """Parameter groups of the optimizer, each with `params`, `lr` and the `name` of its rate in logs."""

    @abstractmethod
    def loss(self, module: nn.Module, batch: Any, settings: Any) -> Mapping[str, Tensor]:
        """Scalars of a batch of the `items`: `loss`, which is minimised, its terms, and `correct` where it
        classifies."""

    def players(self, module: nn.Module, settings: Any) -> Sequence[Player]:
        """Who trains the module: one player with `parameter_groups` and `loss`, unless several take turns."""
        return [
            Player(
                groups=self.parameter_groups(module, settings),
                loss=lambda module, batch: self.loss(module, batch, settings),
            )
        ]

    def items(self, single: Items, train: TrainView, settings: Any, inputs: Mapping[str, Content]) -> Items:
        """What an epoch trains on, as `NetMethod.items`; by default single faces."""
        return single

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        """Load what other artifacts give the new module."""

    def class_images(self, inputs: Mapping[str, Content], class_names: Sequence[str]) -> ClassImages | None:
        """One image a class, which a batch holds as `target_mask`; None: batches have none."""
        return None

    def make(self, view: FoldView, settings: Any, inputs: Mapping[str, Content], tools: Tools) -> Content:
        from safetensors.torch import save

        def build() -> nn.Module:
            module = self.build(settings, len(view.class_names))
            self.load_artifacts(module, inputs)
            return module

        constant, decay = (getattr(settings, name) for name in self.epoch_fields)
        trained = tools.train(
            self.name,
            build,
            lambda module: self.players(module, settings),
            lambda single, train: self.items(single, train, settings, inputs),
            constant_epochs=constant,
            decay_epochs=decay,
            batch_size=getattr(settings, self.batch_field),
            class_images=self.class_images(inputs, view.class_names),
            unit=self.unit,
        )
        files = {
            self.weights_file: save(trained.state),
            "curves.json": json.dumps({self.name: trained.curve}).encode(),
        }
        if self.unit == "sequence":
            return Content(files=files, facts={"sequence_count": len(view.sequence_view.training_items)})
        return Content(files=files, facts={"image_count": len(view.training_rows)})

    def state_of(self, content: Content) -> dict[str, Tensor]:
        """Its trained weights, on the CPU."""
        from safetensors.torch import load

        return load(content.files[self.weights_file])
