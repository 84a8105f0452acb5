"""Which experiment refers to which results, the artifacts below its fold runs included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE, verified_experiment
from platform.files.json_files import read_json_object
from platform.files.opening import MissingFile, read_bytes
from platform.inventory.runs_folder import REMOVAL_FILE, RESULT_KINDS, result_identities
from platform.runs.store import ResultsStore

Result = tuple[str, str]
"""Kind and identity."""
QUOTED_IDENTITY = re.compile(rb'"([0-9a-f]{24})"')
"""An identity as JSON holds it. Everything that looks like one counts as a reference: a hash that is none
keeps at most one result too many."""
LARGEST_BYTES = 2**30


class References:
    """The results of a store, and what refers to them."""

    def __init__(self, store: ResultsStore) -> None:
        self._store = store

    @cached_property
    def results(self) -> tuple[Result, ...]:
        """All results, finished or not, fold runs first."""
        return tuple(
            (kind, identity) for kind in RESULT_KINDS for identity in result_identities(self._store, kind)
        )

    @cached_property
    def _by_identity(self) -> Mapping[str, list[Result]]:
        found: dict[str, list[Result]] = {}
        for result in self.results:
            found.setdefault(result[1], []).append(result)
        return found

    def of_experiment(self, folder: Path) -> frozenset[Result]:
        """The stored results that the rows and trials of an experiment name, and what these rest on.

        None for one that is being removed. UserError: experiment.json cannot be read.
        """
        return self.closure(_identities_in(folder / EXPERIMENT_FILE))

    def of_removed(self, folder: Path) -> frozenset[Result]:
        """As `of_experiment`, for an experiment whose removal may have begun."""
        names = (EXPERIMENT_FILE, REMOVAL_FILE)
        return self.closure(set().union(*(_identities_in(folder / name) for name in names)))

    def closure(self, identities: Iterable[str]) -> frozenset[Result]:
        """The stored results of these identities, and those that their records name, at any depth."""
        found: set[Result] = set()
        waiting = list(identities)
        while waiting:
            for result in self._by_identity.get(waiting.pop(), ()):
                if result not in found:
                    found.add(result)
                    kind, identity = result
                    record = self._store.folder(kind, identity) / "record.json"
                    waiting += _identities_in(record)
        return frozenset(found)


def _identities_in(path: Path) -> set[str]:
    """Identities in a JSON file; none where it does not exist."""
    try:
        content = read_bytes(path, largest_bytes=LARGEST_BYTES, remedy="make it readable.")
    except MissingFile:
        return set()
    return {found.decode() for found in QUOTED_IDENTITY.findall(content)}


def verified_references(references: References, folders: Mapping[str, Path]) -> dict[str, frozenset[Result]]:
    """Experiment to the results that it refers to. UserError where an experiment.json is damaged: what it
    refers to is unknown then, so nothing may be removed."""
    found = {}
    for name, folder in folders.items():
        path = folder / EXPERIMENT_FILE
        try:
            if path.exists():
                verified_experiment(read_json_object(path, largest_bytes=LARGEST_BYTES), str(path))
            found[name] = references.of_experiment(folder)
        except UserError as error:
            raise UserError(f"what the experiment {name!r} refers to is unknown: {error}") from error
    return found
