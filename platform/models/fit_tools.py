"""What a method's `fit` may use beside its data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from platform.models.artifact import Content
from platform.models.fitted import Fitted


class FitTools(Protocol):
    """The training loop on the run's device."""

    def fit_net(self, method: Any, settings: Any, inputs: Mapping[str, Content]) -> Fitted:
        """Train the net of a `NetMethod` on the training faces and keep the last epoch.

        settings: the method's options. inputs: the run's artifacts by name.
        """
        ...
