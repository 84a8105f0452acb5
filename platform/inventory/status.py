"""Status of one experiment: progress, failures and estimated end, read from its folder without Ray."""

from __future__ import annotations

from dataclasses import dataclass

from platform.experiments.driver_lease import WATCH_SECONDS
from platform.experiments.experiment_file import seed_words
from platform.experiments.lease import Lease
from platform.inventory.drivers import live_drivers
from platform.inventory.fold_run_facts import FoldRuns
from platform.inventory.listing import State, state_of_runs, stored_experiment
from platform.inventory.runs_folder import REMOVAL_FILE, RESULT_KINDS, experiment_folder
from platform.monitoring.progress_file import StatedProgress, read_progress
from platform.runs.store import ResultsStore


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A fold run or artifact that failed after all retries."""

    label: str
    reason: str
    """The last line of its traceback."""
    where: str
    """The file with the whole traceback."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is known about an experiment."""

    name: str
    state: State
    driver: Lease | None
    """Who leads it; None where no driver lives."""
    progress: StatedProgress | None
    """What the last driver stated; None for experiments of versions before December 2026."""
    runs_done: int
    """Final fold runs that are stored and complete."""
    runs_wanted: int
    """Final fold runs of all rows; 0 before a search has chosen."""
    failures: tuple[Failure, ...]
    command: str
    """Continues it; empty before a search has chosen."""


def status_of(store: ResultsStore, name: str, watch_seconds: float = WATCH_SECONDS) -> Status:
    """The status of an experiment. UserError: unknown, or its files are damaged.

    watch_seconds: as of `live_drivers`.
    """
    folder = experiment_folder(store, name)
    driver = live_drivers({name: folder}, watch_seconds).get(name)
    content, progress = stored_experiment(folder), read_progress(folder)
    runs = FoldRuns(store)
    rows = content["rows"] if content else []
    name_of = [f"{row['title']} on {row['dataset']}{seed_words(row, content or {})}" for row in rows]
    found = {
        run["identity"]: (f"{name_of[place]}, fold {run['fold']}", runs.of(run["identity"]))
        for place, row in enumerate(rows)
        for run in row["runs"]
    }
    if driver:
        state: State = "running"
    elif content is None:
        state = "being removed" if (folder / REMOVAL_FILE).exists() else "interrupted"
    else:
        state = state_of_runs([facts for _, facts in found.values()], progress)
    failed = {name: label for name, (label, facts) in found.items() if facts.state in ("failed", "damaged")}
    for one in progress.failures if progress else ():
        failed.setdefault(one["identity"], one["label"])
    return Status(
        name=name,
        state=state,
        driver=driver,
        progress=progress,
        runs_done=sum(facts.state == "complete" for _, facts in found.values()),
        runs_wanted=len(found),
        failures=tuple(_failure(store, identity, label) for identity, label in failed.items()),
        command=str(content["command"]) if content else "",
    )


def _failure(store: ResultsStore, identity: str, label: str) -> Failure:
    """The failure of a fold run, or of an artifact that trains. UserError: no identity."""
    paths = {kind: store.folder(kind, identity) / "manifest.json" for kind in RESULT_KINDS}
    kind = next((kind for kind, path in paths.items() if path.is_file()), RESULT_KINDS[0])
    facts = FoldRuns(store, kind).of(identity)
    reason = facts.reason or f"its result is {facts.state} now"
    return Failure(label=label, reason=reason, where=str(paths[kind]))
