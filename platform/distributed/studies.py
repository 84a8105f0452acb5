"""The studies of one search under one Ray Tuner: whose trial is whose, and when one is stopped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from platform.distributed.study_search import METRIC, StudySearch


class Studies(Searcher):
    """The studies of one search, side by side under one Tuner: each trial belongs to one of them."""

    def __init__(self, searches: Sequence[StudySearch]) -> None:
        super().__init__(metric=METRIC, mode="max")
        self.searches = tuple(searches)
        self._search_of: dict[str, StudySearch] = {}

    def is_finished(self) -> bool:
        """Whether every wanted trial of every study has been told its end."""
        return all(search.is_finished() for search in self.searches)

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """A trial of the first study that has one; None while all wait; FINISHED at the end of all."""
        finished = True
        for search in self.searches:
            suggestion = search.suggest(trial_id)
            if search.fault:
                for one in self.searches:  # the same space's file: none of them goes on
                    one.end_by(search.fault)
                return Searcher.FINISHED
            if suggestion == Searcher.FINISHED:
                continue
            finished = False
            if suggestion is not None:
                self._search_of[trial_id] = search
                return suggestion
        return Searcher.FINISHED if finished else None

    def should_prune(self, trial_id: str, folds_done: int) -> bool:
        """As the trial's study says."""
        return self._search_of[trial_id].should_prune(trial_id, folds_done)

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Tell the trial's study."""
        self._search_of[trial_id].on_trial_result(trial_id, result)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Tell the trial's study."""
        self._search_of[trial_id].on_trial_complete(trial_id, result, error)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing travels in Tune's own snapshots: they are thrown away."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: a study is its own storage, and Tune's state is never restored."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never called: every start builds a new Tuner."""
        raise TypeError("a study is continued from its storage, never from Tune's state")


class PruningScheduler(FIFOScheduler):
    """Asks the search, after each round, whether the trial should stop."""

    def __init__(self, search: Studies) -> None:
        super().__init__()
        self._search = search

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """STOP or CONTINUE."""
        if not result["failed_folds"] and self._search.should_prune(trial.trial_id, result["folds"]):
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)
