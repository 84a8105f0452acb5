"""Cost of training: arithmetic per image, and the measured pace of finished tasks."""

from __future__ import annotations

from collections.abc import Iterable

from platform.config.configuration import Configuration, to_dict
from platform.models.costs.facts import Costs
from platform.models.costs.known import method_costs

OVERHEAD_GFLOP = 0.15
"""Added to each image: the smallest nets spend their time on small operations, not on arithmetic."""
GFLOP_A_SECOND_AND_CORE = 55.0
"""Of two cores of a server processor (docs/performance.md): 58 in stage 1 and 60 in stage 2 at the paper's
size, 51 to 62 with other nets at 112 px. The quick preset's nets reach about half of it, hence
OVERHEAD_GFLOP. Another machine has another pace: only `--dry-run` and the first minutes of the progress
display use it."""


def costs_of(configuration: Configuration, class_count: int) -> Costs:
    """Costs of a fold run of the configuration. The first one imports torch, as does every new net.

    UserError: images too small for the net.
    """
    return method_costs(configuration.method, to_dict(configuration), class_count)


class Pace:
    """Seconds per GFLOP, learned from finished tasks by key; a constant until the first one has finished."""

    def __init__(self, cores: int = 1) -> None:
        self._assumed = 1 / (GFLOP_A_SECOND_AND_CORE * cores)
        self._seen: dict[str, tuple[float, float]] = {}

    def learn(self, key: str, gflop: float, seconds: float) -> None:
        """Add a finished task."""
        done, spent = self._seen.get(key, (0.0, 0.0))
        self._seen[key] = (done + gflop, spent + seconds)

    def seconds(self, key: str, gflop: float) -> float:
        """Expected seconds of a task; for a new key, at the pace of all tasks."""
        known: Iterable[tuple[float, float]] = [self._seen[key]] if key in self._seen else self._seen.values()
        done, spent = sum(d for d, _ in known), sum(s for _, s in known)
        return gflop * (spent / done if done else self._assumed)
