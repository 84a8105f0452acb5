"""Removal of an experiment: its folder, and the results that no other experiment refers to.

Killed at any moment, it leaves a store that every command can read, and running it again completes it:

1. experiment.json is renamed to removal.json, so that no table shows an experiment with half of its runs;
2. the results go, each with its manifest first (`ResultsStore.remove`);
3. the folder goes last, removal.json at the end, because it says what is still to be removed.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError
from platform.experiments.driver_lease import LEASE_FILE, LOCK_FILE, WATCH_SECONDS, leading, lease_slot
from platform.experiments.experiment_file import EXPERIMENT_FILE
from platform.files.local_storage import LOCAL
from platform.inventory.disk_usage import bytes_of
from platform.inventory.drivers import live_drivers
from platform.inventory.listing import stored_experiment
from platform.inventory.protection import open_experiments, who_may_need
from platform.inventory.references import References, Result, verified_references
from platform.inventory.runs_folder import REMOVAL_FILE, experiment_folder, experiment_folders
from platform.runs.store import ResultsStore
from platform.search.storage import JOURNAL, JOURNAL_FILE


@dataclass(frozen=True, kw_only=True)
class RemovalPlan:
    """What goes with an experiment, and what stays."""

    name: str
    folder: Path
    folder_bytes: int
    results: tuple[Result, ...]
    """Fold runs first, then the artifacts below them."""
    results_bytes: int
    kept: dict[str, int]
    """Reason to the number of its results that stay."""
    study_stays: str = ""
    """The database with its study, which is not touched; empty for a study in the experiment's folder."""


def plan_removal(
    store: ResultsStore, name: str, *, keep_results: bool = False, watch_seconds: float = WATCH_SECONDS
) -> RemovalPlan:
    """What would be removed. UserError: unknown; a driver leads it; what others refer to is unknown."""
    folder = experiment_folder(store, name)
    folders = experiment_folders(store)
    drivers = live_drivers(folders, watch_seconds)
    if name in drivers:
        raise UserError(
            f"an experiment is removed only while no driver leads it, but {drivers[name].driver} leads "
            f"{name}; end that command first."
        )
    others = {other: path for other, path in folders.items() if other != name}
    references = References(store)
    users = Counter(
        result for results in verified_references(references, others).values() for result in results
    )
    unfinished = open_experiments(store, others, drivers)
    going, kept = [], Counter[str]()
    for result in sorted(references.of_removed(folder), key=_fold_runs_first):
        if keep_results:
            reason = "asked for"
        elif users[result]:
            reason = "others refer to it"
        else:
            reason = who_may_need(store, result, unfinished)
        if reason:
            kept[reason] += 1
        else:
            going.append(result)
    return RemovalPlan(
        name=name,
        folder=folder,
        folder_bytes=bytes_of(folder),
        results=tuple(going),
        results_bytes=sum(bytes_of(store.folder(*result)) for result in going),
        kept=dict(kept),
        study_stays=_database(folder),
    )


def _database(folder: Path) -> str:
    with suppress(UserError):
        content = stored_experiment(folder) or {}
        storage = str(content.get("config", {}).get("storage", JOURNAL))
        return "" if storage == JOURNAL else storage
    return ""


def _fold_runs_first(result: Result) -> tuple[bool, Result]:
    return (result[0] != "fold_runs", result)


def remove_experiment(store: ResultsStore, plan: RemovalPlan, *, say: Callable[[str], None] = print) -> None:
    """Remove what is planned, as the only driver of the experiment.

    UserError: another driver leads it, or something cannot be removed.
    """
    with leading(plan.folder, say=say) as leadership:
        if (plan.folder / EXPERIMENT_FILE).exists():
            LOCAL.move(plan.folder / EXPERIMENT_FILE, plan.folder / REMOVAL_FILE)
        LOCAL.remove(plan.folder / JOURNAL_FILE)  # without it nobody waits for the rest of the search
        for kind, identity in plan.results:
            leadership.check()
            store.remove(kind, identity)
        leadership.check()
        paths = sorted(plan.folder.iterdir(), key=lambda path: path.name == REMOVAL_FILE)
        for path in paths:
            if path.name not in (LEASE_FILE, LOCK_FILE):
                _remove(path)
    _remove_led_folder(plan.folder)


def _remove(path: Path) -> None:
    with suppress(OSError):
        LOCAL.remove(path)
    if os.path.lexists(path):
        raise UserError(f"{path} cannot be removed; make it writable and run the command again.")


def _remove_led_folder(folder: Path) -> None:
    """Remove the lease and the lock, unless a driver has begun an experiment of this name since."""
    with LOCAL.lock(folder / LOCK_FILE) as lock:
        if lock != "held" and lease_slot(folder).read() is None:
            LOCAL.remove(folder)
