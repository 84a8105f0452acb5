"""The interface of methods: all that planning, training and evaluation know about one."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from platform.models.options.configuration import Configuration
from platform.models.options.fields import fields_of_groups, later_fields
from platform.models.options.presets import Preset

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor, nn

    from datasets.batches import Batch, FaceTensors
    from platform.models.artifact import Artifact, ClassImages, Content
    from platform.models.costs.facts import Costs

NO_NET = "–"
"""Shown for a method without a net."""


class Settings:
    """Declared options of a configuration; reading any other raises AttributeError instead of adding a silent
    dependency."""

    def __init__(
        self, values: Mapping[str, Any], fields: Iterable[str], later: Mapping[str, Any] | None = None
    ) -> None:
        """values: option names to values. later: defaults of the declared options that records omit while
        they have them (`added_later`)."""
        self._later = {name: value for name, value in (later or {}).items() if name in set(fields)}
        self._values = {
            name: values[name] if name in values or name not in self._later else self._later[name]
            for name in sorted(set(fields))
        }

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("_values", {})
        if name not in values:
            raise AttributeError(f"{name!r} is not among the declared fields: {', '.join(values)}")
        return values[name]

    def to_dict(self) -> dict[str, Any]:
        """Option names and values, sorted by name, as a record holds them."""
        return {
            name: value
            for name, value in self._values.items()
            if name not in self._later or value != self._later[name]
        }

    def with_values(self, **changes: Any) -> Settings:
        """A copy with some values changed; the options stay the same."""
        return Settings({**self._values, **changes}, tuple(self._values), self._later)


class Method(ABC):
    """A method: what it declares, its network, loss, scores and pictures.

    A method's file imports no torch at module level, so that flags and help can be made from it.
    Shapes: B images, K classes, S = `image_size_pixels`.
    """

    name: str
    """Name in flags and records: that of its file. Set by `load_method`."""
    plugin: Any = None
    """The file (`PlugIn` of platform/models/plugins.py) of a method that is not part of this repository; None
    for the others. Set by `register`."""
    title: str
    """Name in tables."""
    version: int = 1
    """Raised when a change of the method changes its numbers; another than the first enters records."""
    unit: Literal["image", "sequence"] = "image"
    """What the method scores."""
    needs: frozenset[str] = frozenset()
    """Layers of prepared data that it reads beside images, e.g. `sequences`."""
    options: type[Configuration]
    """Its options: shared groups of platform/models/options/ and its own fields."""
    presets: Mapping[str, Preset]
    """Its presets, `quick` and `smoke` at least. The options' defaults are the preset `paper`."""
    space: str
    """Default search space; a preset may name another one."""
    only_artifacts: tuple[type, ...] = ()
    """Groups of options that only its artifacts read; a fold run's own record leaves them out."""

    def settings(self, values: Mapping[str, Any]) -> Settings:
        """The options that this method's fold runs depend on, from a configuration or a record."""
        every = {field.name for field in dataclasses.fields(self.options)} - {"method"}
        read = every - fields_of_groups(self.options, self.only_artifacts)
        return Settings(values, read, later_fields(self.options))

    def artifacts(self, options: Any) -> Mapping[str, Artifact]:
        """What a fold run with these options uses beside its data, by name."""
        return {}

    def check_artifacts(self, options: Any, names: Collection[str], where: str) -> None:  # noqa: B027
        """UserError if a fold run with these options cannot do with the artifacts `names`, because a row
        leaves others out. where: the row, in words."""

    def unread(self, configuration: Configuration) -> frozenset[str]:
        """Names of options without effect beside the configuration's others."""
        declared = self.artifacts(configuration).values()
        made = [group for one in declared if one.brought_by(configuration) is None for group in one.groups]
        return fields_of_groups(self.options, tuple(set(self.only_artifacts) - set(made)))

    def record(self) -> dict[str, Any]:
        """What records hold of the method's code: a version other than the first, a plug-in's SHA-256."""
        version = {"method_version": self.version} if self.version != 1 else {}
        return version | ({"plugin": self.plugin.sha256} if self.plugin is not None else {})

    def net(self, configuration: Configuration) -> str:
        """Word of the table's column "Backbone": the net that classifies; a dash without one."""
        return getattr(configuration, "backbone", NO_NET)

    @abstractmethod
    def build(self, settings: Settings, class_count: int) -> nn.Module:
        """A newly initialised module; its random numbers come from torch's default generator."""

    def costs(self, settings: Settings, class_count: int) -> Costs | None:
        """Costs that the method states itself, because what it trains is no net of torch.

        None: they are counted from `build` and `loss` (platform/models/costs/counting.py).
        """
        return None

    def class_images(self, inputs: Mapping[str, Content], class_names: Sequence[str]) -> ClassImages | None:
        """One image a class, which a batch holds as `target_mask`; None: batches have none.

        inputs: the run's artifacts by name.
        """
        return None

    def load_artifacts(  # noqa: B027
        self, module: nn.Module, inputs: Mapping[str, Content]
    ) -> None:
        """Load what artifacts give the module before training; names and shapes must match exactly."""

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
        """Facts for the manifest about the trained module on n evaluated faces, as JSON values.

        training_counts: int64 [K], training images of each class.
        """
        return {}
