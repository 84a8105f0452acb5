"""Registered names in help texts: data sets, methods, classification nets, search spaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from datasets.catalogue import dataset_names
from platform.models import method_names
from platform.models.networks.backbones import BACKBONES
from search_spaces import space_names

REGISTRIES: dict[str, Callable[[], Iterable[str]]] = {
    "backbone": lambda: BACKBONES,
    "baselines": method_names,
    "dataset": dataset_names,
    "method": method_names,
    "space": space_names,
    "transfer_to": dataset_names,
}
"""Setting to the names that it takes."""


def known_names(setting: str) -> str:
    """` Known: a, b, c.` to end a help text with; empty for a setting that takes no registered name."""
    registry = REGISTRIES.get(setting)
    return "" if registry is None else f" Known: {', '.join(registry())}."
