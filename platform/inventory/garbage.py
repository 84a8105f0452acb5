"""What a runs folder no longer needs: results of no experiment, leftovers of killed processes, old
checkpoints, and Ray's sessions of ours that have ended."""

from __future__ import annotations

import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platform.errors import UserError
from platform.experiments.driver_lease import LEASE_FILE, LOCK_FILE, WATCH_SECONDS
from platform.files.local_storage import LOCAL
from platform.host.ray_sessions import ended_sessions
from platform.inventory.disk_usage import bytes_of, newest_change
from platform.inventory.drivers import live_drivers
from platform.inventory.protection import open_experiments, who_may_need
from platform.inventory.references import References, Result, verified_references
from platform.inventory.runs_folder import (
    CHECKPOINTS,
    EXPERIMENTS,
    IDENTITY,
    RESULT_KINDS,
    experiment_folders,
    subfolders,
)
from platform.runs.store import REMOVED, ResultsStore

DAY_SECONDS = 86400.0
LEFTOVER_DAYS = 1.0
"""A writer takes minutes at most: what has not changed for so long belongs to none."""
CHECKPOINT_DAYS = 30.0
"""Days after which a run is not expected to continue from its checkpoint."""
UNFINISHED = re.compile(rf"[0-9a-f]{{8,64}}(\.parts|{re.escape(REMOVED)}[0-9a-f]+)")
"""Folders beside results: files of killed writers, and results whose removal was killed."""
TEMPORARY = re.compile(r"\..+\.[0-9a-f]{12}\.partial")
"""What a killed `replace` of a file leaves beside it."""
LOOK_AGAIN_AFTER = 50
"""Results after which drivers that have started meanwhile are looked for."""


@dataclass(frozen=True, kw_only=True)
class Garbage:
    """One thing that is no longer needed."""

    what: str
    """`result of no experiment`, `leftover`, `checkpoint`, `Ray session`."""
    path: Path
    size_bytes: int
    result: Result | None = None


@dataclass(frozen=True, kw_only=True)
class GarbagePlan:
    """What would go, and results of no experiment that stay."""

    garbage: tuple[Garbage, ...]
    kept: dict[str, int]
    """Reason to number of results."""
    drivers: frozenset[str]
    """Experiments that were led while this was planned."""


def find_garbage(
    store: ResultsStore,
    *,
    checkpoint_days: float = CHECKPOINT_DAYS,
    watch_seconds: float = WATCH_SECONDS,
) -> GarbagePlan:
    """What can go. Writes nothing. UserError: an experiment is damaged, so what it refers to is unknown."""
    now = time.time()
    folders = experiment_folders(store)
    drivers = live_drivers(folders, watch_seconds)
    references = References(store)
    used = frozenset().union(*verified_references(references, folders).values())
    unfinished = open_experiments(store, folders, drivers)
    found, kept = [], Counter[str]()
    for result in references.results:
        if result in used:
            continue
        reason = who_may_need(store, result, unfinished)
        path = store.folder(*result)
        if reason:
            kept[reason] += 1
        elif (path / "manifest.json").exists() or _is_old(path, LEFTOVER_DAYS, now):
            found.append(_garbage("result of no experiment", path, result))
    found += [_garbage("leftover", path) for path in _leftovers(store, set(drivers), now)]
    # A live driver may still want a run whose last checkpoint is hours old.
    days = max(checkpoint_days, CHECKPOINT_DAYS) if drivers else checkpoint_days
    found += [_garbage("checkpoint", path) for path in _checkpoints(store, days, now)]
    found += [_garbage("Ray session", path) for path in ended_sessions() if _is_old(path, LEFTOVER_DAYS, now)]
    return GarbagePlan(garbage=tuple(found), kept=dict(kept), drivers=frozenset(drivers))


def remove_garbage(store: ResultsStore, plan: GarbagePlan, watch_seconds: float = 0.0) -> None:
    """Remove what is planned. UserError: something cannot be removed, or a driver has started meanwhile."""
    for number, one in enumerate(plan.garbage):
        if one.result is None:
            shutil.rmtree(one.path, ignore_errors=True) if one.path.is_dir() else LOCAL.remove(one.path)
            continue
        if number % LOOK_AGAIN_AFTER == 0:
            started = live_drivers(experiment_folders(store), watch_seconds).keys() - plan.drivers
            if started:
                raise UserError(
                    f"{', '.join(sorted(started))} has started meanwhile and may need results of no "
                    "experiment; run the command again."
                )
        store.remove(*one.result)
    left = [one.path for one in plan.garbage if one.path.exists()]
    if left:
        raise UserError(
            f"{len(left)} of {len(plan.garbage)} could not be removed, {left[0]} the first of "
            "them; make it writable and run the command again."
        )


def _garbage(what: str, path: Path, result: Result | None = None) -> Garbage:
    return Garbage(what=what, path=path, size_bytes=bytes_of(path), result=result)


def _is_old(path: Path, days: float, now: float) -> bool:
    return now - newest_change(path) >= days * DAY_SECONDS


def _leftovers(store: ResultsStore, led: set[str], now: float) -> Iterator[Path]:
    for kind in RESULT_KINDS:
        for path in subfolders(store.root / kind):
            unfinished = UNFINISHED.fullmatch(path.name)
            if unfinished and (REMOVED in path.name or _is_old(path, LEFTOVER_DAYS, now)):
                yield path
    known = experiment_folders(store)
    for folder in subfolders(store.root / EXPERIMENTS):
        if folder.name in led:
            continue
        names = {path.name for path in folder.iterdir()}
        if folder.name not in known and names <= {LEASE_FILE, LOCK_FILE}:
            if _is_old(folder, LEFTOVER_DAYS, now):
                yield folder
            continue
        for path in folder.iterdir():
            if TEMPORARY.fullmatch(path.name) and _is_old(path, LEFTOVER_DAYS, now):
                yield path


def _checkpoints(store: ResultsStore, days: float, now: float) -> Iterator[Path]:
    """Of runs that are stored, and those that nobody has continued for so many days."""
    for path in subfolders(store.root / CHECKPOINTS):
        if not IDENTITY.fullmatch(path.name):
            continue
        stored = any((store.folder(kind, path.name) / "manifest.json").exists() for kind in RESULT_KINDS)
        if _is_old(path, min(days, LEFTOVER_DAYS) if stored else days, now):
            yield path
