"""What takes how much in a runs folder, by kind and by experiment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from platform.inventory.disk_usage import bytes_of
from platform.inventory.references import References
from platform.inventory.runs_folder import (
    CHECKPOINTS,
    EXPERIMENTS,
    ITEM_CACHE,
    experiment_folders,
)
from platform.runs.store import ResultsStore

NAMES = {
    "fold_runs": "fold runs",
    "masks": "artifacts: masks",
    "stage1": "artifacts: stage 1",
    "artifacts": "artifacts: others",
    CHECKPOINTS: "checkpoints",
    EXPERIMENTS: "experiments",
    ITEM_CACHE: "item cache",
}
"""Folder of a runs folder to what it holds."""


@dataclass(frozen=True, kw_only=True)
class ExperimentSize:
    """Bytes of one experiment."""

    name: str
    folder_bytes: int
    own_bytes: int
    """Results that no other experiment refers to."""
    shared_bytes: int
    """Results that others refer to as well."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of a runs folder."""

    kinds: dict[str, int]
    """By kind, in a fixed order; `other` for what belongs to none."""
    experiments: tuple[ExperimentSize, ...]
    """Largest first."""
    shared_bytes: int
    """Results that several experiments refer to, each counted once."""
    unreferenced_bytes: int
    """Results that no experiment refers to."""

    @property
    def total_bytes(self) -> int:
        """Of everything."""
        return sum(self.kinds.values())


def sizes_of(store: ResultsStore) -> Sizes:
    """Bytes by kind and experiment. UserError: an experiment.json cannot be read."""
    kinds = {name: bytes_of(store.root / folder) for folder, name in NAMES.items()}
    known = sum(kinds.values())
    kinds["other"] = max(0, bytes_of(store.root) - known)
    folders = experiment_folders(store)
    references = References(store)
    of_experiment = {name: references.of_experiment(folder) for name, folder in folders.items()}
    users = Counter(result for results in of_experiment.values() for result in results)
    bytes_of_result = {
        (kind, identity): bytes_of(store.folder(kind, identity)) for kind, identity in references.results
    }
    experiments = [
        ExperimentSize(
            name=name,
            folder_bytes=bytes_of(folders[name]),
            own_bytes=sum(bytes_of_result[result] for result in results if users[result] == 1),
            shared_bytes=sum(bytes_of_result[result] for result in results if users[result] > 1),
        )
        for name, results in of_experiment.items()
    ]
    return Sizes(
        kinds=kinds,
        experiments=tuple(sorted(experiments, key=lambda one: -(one.folder_bytes + one.own_bytes))),
        shared_bytes=sum(bytes_of_result[result] for result, count in users.items() if count > 1),
        unreferenced_bytes=sum(size for result, size in bytes_of_result.items() if not users[result]),
    )
