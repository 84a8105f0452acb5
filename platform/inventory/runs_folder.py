"""The runs folder: whether it is one, and which experiments lie in it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE
from platform.monitoring.progress_file import PROGRESS_FILE
from platform.runs.store import ResultsStore
from platform.search.storage import JOURNAL_FILE

RESULT_KINDS = ("fold_runs", "masks", "stage1", "artifacts")
"""Folders of the results store."""
CHECKPOINTS = "checkpoints"
ITEM_CACHE = "item_cache"
EXPERIMENTS = "experiments"
REMOVAL_FILE = "removal.json"
"""What experiment.json is called while the experiment is being removed."""
SETTINGS_FILE = "config.yaml"
IDENTITY = re.compile(r"[0-9a-f]{8,64}")
RAY_LOG = "ray.log"
OF_AN_EXPERIMENT = (EXPERIMENT_FILE, PROGRESS_FILE, JOURNAL_FILE, REMOVAL_FILE, SETTINGS_FILE, RAY_LOG)
"""A folder with one of these files is an experiment: a search has no experiment.json before its end."""
NEAREST = 3


def open_runs(root: Path) -> ResultsStore:
    """The results store in `root`. UserError: it is no runs folder."""
    known = (EXPERIMENTS, *RESULT_KINDS)
    if not root.is_dir():
        raise UserError(f"a runs folder is needed, but {root} is not a folder; pass --runs DIR.")
    if not any((root / name).is_dir() for name in known):
        raise UserError(
            f"a runs folder holds {known[0]} or {known[1]}, but {root} holds neither; pass the folder that "
            "was given to the command as --runs."
        )
    return ResultsStore(root)


def experiment_folders(store: ResultsStore) -> dict[str, Path]:
    """Sorted names of all experiments, whether or not they are finished, and their folders.

    UserError: the folder cannot be read.
    """
    return {
        path.name: path
        for path in subfolders(store.root / EXPERIMENTS)
        if any(os.path.isfile(f"{path}/{name}") for name in OF_AN_EXPERIMENT)
    }


def experiment_folder(store: ResultsStore, name: str) -> Path:
    """The folder of a known experiment. UserError: it does not exist (with the nearest names)."""
    known = experiment_folders(store)
    if name not in known:
        nearest = difflib.get_close_matches(name, known, n=NEAREST)
        hint = f"did you mean {' or '.join(map(repr, nearest))}? " if nearest else ""
        raise UserError(
            f"there is no experiment {name!r} in {store.root}; {hint}`python -m platform.runs ls` lists the "
            f"{'one' if len(known) == 1 else len(known)} there {'is' if len(known) == 1 else 'are'}."
        )
    return known[name]


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in `folder`, sorted by name; links are left out, so no path leads elsewhere.

    Empty where it does not exist, or is a link itself. UserError: it cannot be read.
    """
    if folder.is_symlink():
        return []
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise UserError(f"cannot list {folder}: {error.strerror}; make it readable.") from error


def result_identities(store: ResultsStore, kind: str) -> Iterator[str]:
    """Identities of the results of one kind that have a folder, finished or not."""
    for path in subfolders(store.root / kind):
        if IDENTITY.fullmatch(path.name):
            yield path.name
