"""Methods that train one net on faces with the training loop: what such a method says of its last stage."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from platform.models.artifact import ClassImages, Content
from platform.models.items import Items
from platform.models.method import Method, Settings
from platform.models.player import Player

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from datasets.batches import FaceTensors
    from platform.models.costs.facts import Costs
    from platform.models.fit_tools import FitTools
    from platform.models.fitted import Fitted
    from platform.models.train_view import TrainView


class NetMethod(Method):
    """A method whose `fit` trains one net: its net, loss, scores and pictures.

    The options mix in the groups `Faces`, `AdamMoments` and `LastStage` and have `class_weights`
    (`CrossEntropy`), which the training loop reads; those of a method whose unit is the sequence mix in
    `SequenceFrames` too, and its batches are a `SequenceBatch` (datasets/sequence_batches.py). Shapes: B
    images (or sequences), K classes, S = `image_size_pixels`.
    """

    last_stage: str = "stage2"
    """Name of the stage that `fit` trains: it seeds it and names its curve."""

    def fit(
        self, train: TrainView, settings: Settings, inputs: Mapping[str, Content], tools: FitTools
    ) -> Fitted:
        """As every method's."""
        return tools.fit_net(self, settings, inputs)

    def load(self, files: Mapping[str, bytes], settings: Settings, class_names: Sequence[str]) -> Fitted:
        """As every method's."""
        import torch
        from safetensors.torch import load

        from platform.models.net_fitted import WEIGHTS

        module = self.build(settings.with_values(**self.not_loaded(settings)), len(class_names))
        module.load_state_dict(load(files[WEIGHTS]))
        module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # as it was trained
        return self.fitted(module, settings, {}, None)

    def fitted(
        self,
        module: nn.Module,
        settings: Settings,
        inputs: Mapping[str, Content],
        class_images: ClassImages | None,
    ) -> Fitted:
        """The trained module as what scores the method's unit."""
        from platform.models.net_fitted import NetFitted
        from platform.models.net_sequences_fitted import NetSequencesFitted

        kind = NetSequencesFitted if self.unit == "sequence" else NetFitted
        return kind(method=self, module=module, settings=settings, inputs=inputs, class_images=class_images)

    def not_loaded(self, settings: Settings) -> dict[str, Any]:
        """Options with values that keep `build` from reading initial weights, which trained ones replace."""
        return {"weights": "none"} if "weights" in settings.to_dict() else {}

    def costs(self, settings: Settings, class_count: int) -> Costs | None:
        """None: counted from `build` and `loss` (platform/models/costs/counting.py)."""
        return None

    @abstractmethod
    def build(self, settings: Settings, class_count: int) -> nn.Module:
        """A newly initialised module; its random numbers come from torch's default generator."""

    @abstractmethod
    def loss(self, module: nn.Module, batch: Any, settings: Settings) -> Mapping[str, Tensor]:
        """Scalars of a batch of the `items`: `loss` (to minimise), its terms, and `correct` (correct
        predictions).

        Every method computes the cross entropy with `classification_loss`
        (platform/models/networks/classification_loss.py), so that all of them support the loss options.
        """

    @abstractmethod
    def parameter_groups(self, module: nn.Module, settings: Settings) -> list[dict[str, Any]]:
        """Parameter groups of the optimizer, each with `params`, `lr` and the `name` that logs use for its
        learning rate. They may contain frozen parameters."""

    @abstractmethod
    def scores(self, module: nn.Module, batch: Any) -> Tensor:
        """Class probabilities of the batch, float32 [B, K]; each row sums to 1."""

    def players(self, module: nn.Module, settings: Settings) -> Sequence[Player]:
        """Who trains the module: one player with `parameter_groups` and `loss`, unless a method has several
        that take turns."""
        return [
            Player(
                groups=self.parameter_groups(module, settings),
                loss=lambda module, batch: self.loss(module, batch, settings),
            )
        ]

    def items(
        self, single: Items, train: TrainView, settings: Settings, inputs: Mapping[str, Content]
    ) -> Items:
        """What an epoch of the last stage trains on; by default single faces, or single sequences.

        single: every training face (or sequence) once an epoch in random order, cropped and flipped as the
        options say, with class images and weights; position k is face k of `train` (or sequence k of
        `train.sequences`). Pairs and triples of them are
        `TupleItems` (platform/models/items.py), whose batch is what the losses then receive. Planning calls
        it with a few made-up faces and without artifacts, to count costs.
        """
        return single

    def class_images(self, inputs: Mapping[str, Content], class_names: Sequence[str]) -> ClassImages | None:
        """One image a class, which a batch holds as `target_mask`; None: batches have none.

        inputs: the run's artifacts by name.
        """
        return None

    def load_artifacts(self, module: nn.Module, inputs: Mapping[str, Content]) -> None:
        """Load what artifacts give the module before training; names and shapes must match exactly."""

    def pictures(self, module: nn.Module, batch: Any) -> dict[str, Tensor]:
        """Images of the batch for visual inspection: name -> float32 [B, 1 or 3, S, S] in [0, 1]."""
        return {}

    def diagnostics(
        self,
        module: nn.Module,
        inputs: Mapping[str, Content],
        faces: FaceTensors,
        class_names: Sequence[str],
        training_counts: np.ndarray,
        *,
        crop_size_pixels: int,
        batch_size: int,
    ) -> dict[str, Any]:
        """Facts for the manifest about the trained module on n evaluated faces by name: JSON values, or
        `platform.models.fitted.Measured` where the numbers of each face are to be stored too.

        training_counts: int64 [K], training images of each class.
        """
        return {}
