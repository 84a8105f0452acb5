"""Optuna's study led through Ray Tune: generations, adoption of interrupted trials, pruning.

A proposal is a pure function of the space, the study's seed, the trial's number and the results of
all earlier generations, and pruning compares only with those. So a search that was killed at any
moment and one that was not are the same search.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from platform.config import Configuration, Plan, replace
from platform.results.inner_scores import InnerScores, inner_scores
from platform.results.planning import PlannedData, machine_of, step_tasks
from platform.results.store import ResultsStore
from platform.results.study import SearchDefinition
from platform.results.tasks import FoldTask
from platform.selection import Scope

METRIC = "inner_accuracy"


def trial_tasks(
    base: Configuration,
    overrides: Mapping[str, Any],
    planned: PlannedData,
    plan: Plan,
    scope: Scope,
) -> list[FoldTask]:
    """The fold runs of one trial of that study, in the order in which they run."""
    return step_tasks(replace(base, **overrides), planned, machine_of(plan), scope.steps)


class StudySearch(OptunaSearch):
    """OptunaSearch whose study is led by us: generations, adoption of interrupted trials, honest states.

    `suggest` answers None while a generation is open. Results of a generation are told together, in
    trial order, when its last trial ends: COMPLETE with the mean of folds, PRUNED, or FAIL.
    """

    def __init__(
        self,
        definition: SearchDefinition,
        *,
        storage: optuna.storages.BaseStorage,
        store: ResultsStore,
        base: Configuration,
        plan: Plan,
        planned: PlannedData,
        scope: Scope,
    ) -> None:
        self.definition = definition
        self.scope = scope
        self._store, self._base, self._plan, self._planned = store, base, plan, planned
        self._numbers: dict[str, int] = {}
        self._overrides: dict[int, dict[str, Any]] = {}
        self._suggested: set[int] = set()
        self._pruned: set[int] = set()
        self._ended: dict[int, TrialState] = {}
        super().__init__(
            space=definition.suggest, metric=METRIC, mode="max", study_name=definition.name, storage=storage
        )
        definition.check(self.study)

    @property
    def study(self) -> optuna.Study:
        """The Optuna study."""
        # OptunaSearch declares None; its constructor has made the study by now.
        study: optuna.Study = self._ot_study  # type: ignore[assignment]
        return study

    def is_finished(self) -> bool:
        """Whether every wanted trial has been told its end."""
        return all(n in self._told() for n in range(self._plan.trials))

    def _told(self) -> dict[int, FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False)
        return {trial.number: trial for trial in trials if trial.state.is_finished()}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """The next trial's number and overrides; None while a generation is open; FINISHED at the end."""
        told = self._told()
        open_numbers = [n for n in range(self._plan.trials) if n not in told and n not in self._suggested]
        if not open_numbers:
            return Searcher.FINISHED
        number = open_numbers[0]
        generation_start = self._generation_start(number)
        if any(n not in told for n in range(generation_start)):
            return None
        trial = self._trial(number)
        self._ot_trials[trial_id] = trial
        self._numbers[trial_id] = number
        self._suggested.add(number)
        self._overrides[number] = self.definition.suggest(trial)
        return {
            "study": self.scope.suffix,
            "number": number,
            "overrides": self._overrides[number],
        }

    def _generation_start(self, number: int) -> int:
        return number - number % self._plan.trials_in_flight

    def _trial(self, number: int) -> optuna.Trial:
        """The study's trial of that number: an interrupted one is adopted, a new one proposed."""
        existing = {trial.number: trial for trial in self.study.get_trials(deepcopy=False)}
        if number in existing and existing[number].state == TrialState.RUNNING:
            return optuna.Trial(self.study, existing[number]._trial_id)
        if number not in existing:
            # Proposed aside and written down whole: a kill can never leave half a proposal behind.
            self.study.enqueue_trial(self._propose(number))
        trial = self.study.ask()
        if trial.number != number:
            raise RuntimeError(
                f"the study gave trial {trial.number}, not {number}: something else writes to it"
            )
        return trial

    def _propose(self, number: int) -> dict[str, Any]:
        aside = self._earlier_study(number, self.definition.sampler(self._trial_seed(number)))
        trial = aside.ask()
        self.definition.suggest(trial)
        return dict(trial.params)

    def _earlier_study(self, number: int, sampler: optuna.samplers.BaseSampler | None = None) -> optuna.Study:
        """In memory: the finished trials of the generations before that of `number`."""
        aside = optuna.create_study(direction="maximize", sampler=sampler)
        told = self._told()
        aside.add_trials([told[n] for n in range(self._generation_start(number))])
        return aside

    def _trial_seed(self, number: int) -> int:
        text = f"{self._plan.study_seed}/trial/{number}{self.scope.suffix}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")

    def tasks(self, number: int) -> list[FoldTask]:
        """The fold runs of a proposed trial, in the order in which they run."""
        overrides = self._overrides.get(number)
        if overrides is None:
            overrides = self._told()[number].user_attrs["overrides"]
        return trial_tasks(self._base, overrides, self._planned, self._plan, self.scope)

    def scores(self, number: int) -> InnerScores:
        """Scores of that trial's fold runs, as far as they are in the results store."""
        return inner_scores(self._store, self.tasks(number), partial=True)

    def should_prune(self, trial_id: str, folds_done: int) -> bool:
        """Whether a Wilcoxon test over subjects calls the trial worse than the best earlier one.

        Accuracy of each subject over the folds done, against the same subject's in the best complete
        trial of earlier generations, over the same folds.
        """
        if not self._plan.pruning or folds_done >= len(self.scope.steps):
            return False
        number = self._numbers[trial_id]
        done = range(folds_done)
        aside = optuna.create_study(direction="maximize")
        for earlier in self._earlier_study(number).get_trials(states=(TrialState.COMPLETE,)):
            aside.add_trial(_scored(self.scores(earlier.number), done))
        if not aside.trials:
            return False
        with warnings.catch_warnings():
            # Optuna calls it experimental; the version is pinned.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=8)
        if pruner.prune(aside, _scored(self.scores(number), done)):
            self._pruned.add(number)
            return True
        return False

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing: only our scheduler compares."""

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Note the end; tell the whole generation when its last trial has ended."""
        number = self._numbers[trial_id]
        if number in self._pruned:
            self._ended[number] = TrialState.PRUNED
        elif error or (result or {}).get("failed_folds"):
            self._ended[number] = TrialState.FAIL
        elif len(self.scores(number).steps) == len(self.scope.steps):
            self._ended[number] = TrialState.COMPLETE
        # Neither: Tune was interrupted. The trial stays RUNNING and is adopted next time.
        self._tell_generation(number)

    def _tell_generation(self, number: int) -> None:
        start = self._generation_start(number)
        told = self._told()
        numbers = [
            n
            for n in range(start, min(start + self._plan.trials_in_flight, self._plan.trials))
            if n not in told
        ]
        if any(n not in self._ended for n in numbers):
            return
        trials = {trial.number: trial for trial in self._ot_trials.values()}
        for n in numbers:
            scores = self.scores(n)
            trials[n].set_user_attr("overrides", self._overrides[n])
            trials[n].set_user_attr("folds", len(scores.steps))
            if scores.steps:
                trials[n].report(scores.mean_of_steps, step=len(scores.steps))
            complete = self._ended[n] == TrialState.COMPLETE
            self.study.tell(trials[n], scores.mean_of_steps if complete else None, state=self._ended[n])


def _scored(scores: InnerScores, done: Iterable[int]) -> FrozenTrial:
    """A trial whose steps are subjects: accuracy over the fold runs done, for Wilcoxon's test."""
    by_subject = scores.subject_accuracies(done)
    values = dict(enumerate(by_subject[subject] for subject in sorted(by_subject)))
    return optuna.trial.create_trial(
        value=sum(values.values()) / len(values), params={}, distributions={}, intermediate_values=values
    )


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
