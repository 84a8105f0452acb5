"""The interface of methods: all that planning, training and evaluation know about one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from platform.models.artifact import check_declared
from platform.models.options.configuration import Configuration
from platform.models.options.fields import field_names, fields_of_groups, later_fields
from platform.models.options.presets import Preset

if TYPE_CHECKING:
    from platform.models.artifact import Artifact, Content
    from platform.models.costs.facts import Costs
    from platform.models.fit_tools import FitTools
    from platform.models.fitted import Fitted
    from platform.models.train_view import TrainView

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
    """A method: what it declares, and how it is trained. One that trains a net is a `NetMethod`.

    A method's file imports no torch at module level, so that flags and help can be made from it.
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
    probabilities: bool = True
    """Whether its scores were trained to be class probabilities. Scores that only have the form, such as a
    softmax of margins, have no calibration, and the table shows none."""
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
        read = field_names(self.options) - fields_of_groups(self.options, self.only_artifacts) - {"method"}
        return Settings(values, read, later_fields(self.options))

    def artifacts(self, options: Any) -> Mapping[str, Artifact]:
        """What a fold run with these options uses beside its data, by name."""
        return {}

    def check_artifacts(self, options: Any, names: Collection[str], where: str) -> None:  # noqa: B027
        """UserError if a fold run with these options cannot do with the artifacts `names`, because a row
        leaves others out. where: the row, in words."""

    def unread(self, configuration: Configuration) -> frozenset[str]:
        """Names of options without effect beside the configuration's others."""
        declared = self.artifacts(configuration)
        check_declared(declared, configuration)
        made = [
            group
            for one in declared.values()
            if one.brought_by(configuration) is None
            for group in one.groups
        ]
        return fields_of_groups(self.options, tuple(set(self.only_artifacts) - set(made)))

    def record(self) -> dict[str, Any]:
        """What records hold of the method's code: a version other than the first, a plug-in's SHA-256."""
        version = {"method_version": self.version} if self.version != 1 else {}
        return version | ({"plugin": self.plugin.sha256} if self.plugin is not None else {})

    def net(self, configuration: Configuration) -> str:
        """Word of the table's column "Backbone": the net that classifies; a dash without one."""
        return getattr(configuration, "backbone", NO_NET)

    def costs(self, settings: Settings, class_count: int) -> Costs | None:
        """What training costs; None: counted from the method's net (platform/models/costs/counting.py).

        What is no net states its costs, or none, and its time is learnt from finished runs.
        """
        from platform.models.costs.facts import NOT_COUNTED

        return NOT_COUNTED

    @abstractmethod
    def fit(
        self, train: TrainView, settings: Settings, inputs: Mapping[str, Content], tools: FitTools
    ) -> Fitted:
        """Train on the training subjects, which are all that `train` holds.

        settings: the method's options; any other raises AttributeError. inputs: the run's artifacts by name.
        """

    @abstractmethod
    def load(self, files: Mapping[str, bytes], settings: Settings, class_names: Sequence[str]) -> Fitted:
        """The trained method that `Fitted.save` stored as `files`."""
