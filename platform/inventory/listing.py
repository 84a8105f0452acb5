"""List of experiments: state, score, hours, size. Fast, because it reads manifests and no predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE, check_experiment, rows_of_line
from platform.experiments.lease import Lease
from platform.files.json_files import parse_own_json
from platform.files.opening import read_bytes
from platform.inventory.disk_usage import bytes_of
from platform.inventory.drivers import GLANCE_SECONDS, live_drivers
from platform.inventory.fold_run_facts import FoldRunFacts, FoldRuns
from platform.inventory.runs_folder import REMOVAL_FILE, experiment_folders
from platform.monitoring.progress_file import StatedProgress, read_progress
from platform.runs.store import ResultsStore

State = Literal["running", "finished", "interrupted", "failed", "damaged", "being removed"]
LARGEST_FILE_BYTES = 2**30


@dataclass(frozen=True, kw_only=True)
class ListedExperiment:
    """One experiment as the list shows it."""

    name: str
    state: State
    method: str = ""
    """Of its first row; empty while a search has no rows."""
    dataset: str = ""
    score: float | None = None
    """Accuracy of the first row, mean of folds and then of seeds, in [0, 1]; None unless all its folds are
    finished with every seed."""
    hours: float = 0.0
    """Time of its fold runs one after another, those of its search included."""
    size_bytes: int = 0
    """Of its folder and the fold runs of its rows."""
    note: str = ""
    """Why it is damaged."""


def list_experiments(store: ResultsStore, watch_seconds: float = GLANCE_SECONDS) -> list[ListedExperiment]:
    """All experiments by name. UserError: the folder cannot be read.

    watch_seconds: as of `live_drivers`.
    """
    folders = experiment_folders(store)
    drivers = live_drivers(folders, watch_seconds)
    runs = FoldRuns(store)
    return [_listed(name, folder, drivers.get(name), runs) for name, folder in folders.items()]


def _listed(name: str, folder: Path, driver: Lease | None, runs: FoldRuns) -> ListedExperiment:
    own = bytes_of(folder)
    try:
        content = stored_experiment(folder)
        progress = read_progress(folder)
        if content is None:
            gone = (folder / REMOVAL_FILE).exists()
            state: State = "running" if driver else "being removed" if gone else "interrupted"
            return ListedExperiment(name=name, state=state, size_bytes=own, hours=_driver_hours(progress))
        found = {run["identity"]: runs.of(run["identity"]) for row in content["rows"] for run in row["runs"]}
        first = content["rows"][0]
        return ListedExperiment(
            name=name,
            state="running" if driver else state_of_runs(list(found.values()), progress),
            method=str(first["method"]),
            dataset=str(first["dataset"]),
            score=_score(rows_of_line(first, content["rows"]), found),
            hours=sum(run.seconds for run in found.values()) / 3600 + _searched_hours(content),
            size_bytes=own + sum(run.size_bytes for run in found.values()),
        )
    except (UserError, KeyError, TypeError, ValueError) as error:
        return ListedExperiment(name=name, state="damaged", size_bytes=own, note=str(error))


def stored_experiment(folder: Path) -> dict[str, Any] | None:
    """The contents of experiment.json without the check of its hash; None where there is none.

    UserError: it is damaged.
    """
    path = folder / EXPERIMENT_FILE
    if not path.is_file():
        return None
    content = parse_own_json(read_bytes(path, largest_bytes=LARGEST_FILE_BYTES), str(path))
    check_experiment(content, str(path))
    return dict(content)


def state_of_runs(runs: list[FoldRunFacts], progress: StatedProgress | None) -> State:
    """The state of an experiment that no driver leads."""
    states = {run.state for run in runs}
    if "damaged" in states:
        return "damaged"
    if "failed" in states:
        return "failed"
    searching = progress is not None and progress.state != "finished" and progress.phase == "search"
    return "interrupted" if "missing" in states or searching else "finished"


def _score(rows: Sequence[Mapping[str, Any]], found: Mapping[str, FoldRunFacts]) -> float | None:
    """Of rows with one seed each."""
    means = []
    for row in rows:
        accuracies = [found[run["identity"]].accuracy for run in row["runs"]]
        finished = [one for one in accuracies if one is not None]
        if not len(finished) == len(accuracies) == int(row["fold_count"]) or not finished:
            return None
        means.append(sum(finished) / len(finished))
    return sum(means) / len(means)


def _searched_hours(content: Mapping[str, Any]) -> float:
    """Hours of the search's fold runs, which experiment.json states."""
    hours = ((content.get("economy") or {}).get("run") or {}).get("hours", 0.0)
    return float(hours) if isinstance(hours, int | float) else 0.0


def _driver_hours(progress: StatedProgress | None) -> float:
    """Without rows, the elapsed time of the last driver."""
    return progress.elapsed_seconds / 3600 if progress else 0.0
