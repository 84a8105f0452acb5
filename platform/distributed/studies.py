"""The studies of one search under one Ray Tuner: assignment of trials to studies, and pruning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from sqlalchemy.exc import SQLAlchemyError

from platform.distributed.study_search import METRIC, UNABLE, StudySearch
from platform.errors import UserError
from platform.runs.environment_failure import EnvironmentFailure
from platform.search.storage import storage_failure


class Studies(Searcher):
    """The studies of one search under one Tuner; each trial belongs to one of them."""

    def __init__(self, searches: Sequence[StudySearch]) -> None:
        super().__init__(metric=METRIC, mode="max")
        self.searches = tuple(searches)
        self._search_of: dict[str, StudySearch] = {}

    def is_finished(self) -> bool:
        """Whether the final state of every wanted trial of every study is recorded."""
        return all(search.is_finished() for search in self.searches)

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """A trial of the first study that has one; None while all wait; FINISHED when all have finished."""
        finished = True
        for search in self.searches:
            suggestion = None
            with self._ending():
                suggestion = search.suggest(trial_id)
            if self._fault() is not None:
                return Searcher.FINISHED
            if suggestion == Searcher.FINISHED:
                continue
            finished = False
            if suggestion is not None:
                self._search_of[trial_id] = search
                return suggestion
        return Searcher.FINISHED if finished else None

    def _fault(self) -> UserError | None:
        return next((search.fault for search in self.searches if search.fault), None)

    @contextmanager
    def _ending(self) -> Iterator[None]:
        """Context in which an error that ends one study ends all: they share space, disk and workers.

        UserErrors and database errors raised in the block (an unwritable study, a modified result) are such
        errors too: raised through Tune, they would reach the user as a traceback.
        """
        fault: UserError | None = None
        try:
            yield
        except EnvironmentFailure as failure:
            fault = failure
        except UserError as error:
            fault = EnvironmentFailure(str(error).rstrip("."))
        except (StorageInternalError, SQLAlchemyError) as error:
            fault = EnvironmentFailure(storage_failure(error, self.searches[0].storage_setting))
        fault = self._fault() or fault
        if fault is not None:
            for search in self.searches:
                search.end_by(fault)

    def should_prune(self, trial_id: str, folds_done: int) -> bool:
        """Forwarded to the trial's study."""
        prune = False
        with self._ending():
            prune = self._search_of[trial_id].should_prune(trial_id, folds_done)
        return prune

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Forwarded to the trial's study."""
        with self._ending():
            self._search_of[trial_id].on_trial_result(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Forwarded to the trial's study."""
        with self._ending():
            self._search_of[trial_id].on_trial_complete(trial_id, result, error)

    def __getstate__(self) -> dict[str, Any]:
        """Empty, because Tune's snapshots are discarded."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Write an empty file: the study is in its storage, and Tune's state is never restored."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never called, because every start builds a new Tuner."""
        raise TypeError("a study is continued from its storage, never from Tune's state")


class PruningScheduler(FIFOScheduler):
    """Tune scheduler that asks the search after each round whether to prune the trial."""

    def __init__(self, search: Studies) -> None:
        super().__init__()
        self._search = search

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """STOP or CONTINUE."""
        is_sound = not result["failed_folds"] and UNABLE not in result
        if is_sound and self._search.should_prune(trial.trial_id, result["folds"]):
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)
