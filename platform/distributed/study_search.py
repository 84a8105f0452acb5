"""Optuna's study led through Ray Tune: generations, adoption of interrupted trials, pruning.

A proposal is a pure function of the space, the study's seed, the trial's number and the results of
all earlier generations, and pruning compares only with those. So a search that was killed at any
moment and one that was not are the same search.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from platform.config import Configuration, Plan, replace
from platform.results.inner_scores import InnerScores, inner_scores
from platform.results.planning import PlannedData, inner_tasks, machine_of
from platform.results.store import ResultsStore
from platform.results.study import SearchDefinition
from platform.results.tasks import FoldTask

METRIC = "inner_accuracy"


def trial_tasks(
    base: Configuration,
    overrides: Mapping[str, Any],
    planned: PlannedData,
    plan: Plan,
    order: tuple[int, ...],
) -> list[FoldTask]:
    """The inner fold runs of one trial, in the order in which they run."""
    return inner_tasks(replace(base, **overrides), planned, machine_of(plan), order)


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
        order: tuple[int, ...],
    ) -> None:
        self.definition = definition
        self._store, self._base, self._plan, self._planned, self._order = store, base, plan, planned, order
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
        return {"number": number, "overrides": self._overrides[number]}

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
        aside = self._earlier_study(number, self.definition.sampler(_seed(self._plan.study_seed, number)))
        trial = aside.ask()
        self.definition.suggest(trial)
        return dict(trial.params)

    def _earlier_study(self, number: int, sampler: optuna.samplers.BaseSampler | None = None) -> optuna.Study:
        """In memory: the finished trials of the generations before that of `number`."""
        aside = optuna.create_study(direction="maximize", sampler=sampler)
        told = self._told()
        aside.add_trials([told[n] for n in range(self._generation_start(number))])
        return aside

    def scores(self, number: int) -> InnerScores:
        """Inner scores of that trial's fold runs, as far as they are in the results store."""
        overrides = self._overrides.get(number)
        if overrides is None:
            overrides = self._told()[number].user_attrs["overrides"]
        tasks = trial_tasks(self._base, overrides, self._planned, self._plan, self._order)
        return inner_scores(self._store, tasks, partial=True)

    def should_prune(self, trial_id: str, folds_done: int) -> bool:
        """Whether a Wilcoxon test over subjects calls the trial worse than the best earlier one.

        Accuracy of each subject over the folds done, against the same subject's in the best complete
        trial of earlier generations, over the same folds.
        """
        if not self._plan.pruning or folds_done >= len(self._order):
            return False
        number = self._numbers[trial_id]
        folds = self._order[:folds_done]
        aside = optuna.create_study(direction="maximize")
        for earlier in self._earlier_study(number).get_trials(states=(TrialState.COMPLETE,)):
            aside.add_trial(_scored(self.scores(earlier.number), folds))
        if not aside.trials:
            return False
        with warnings.catch_warnings():
            # Optuna calls it experimental; the version is pinned.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            pruner = optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=8)
        if pruner.prune(aside, _scored(self.scores(number), folds)):
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
        elif len(self.scores(number).folds) == len(self._order):
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
            trials[n].set_user_attr("folds", len(scores.folds))
            if scores.folds:
                trials[n].report(scores.mean_of_folds, step=len(scores.folds))
            complete = self._ended[n] == TrialState.COMPLETE
            self.study.tell(trials[n], scores.mean_of_folds if complete else None, state=self._ended[n])

    def __getstate__(self) -> dict[str, Any]:
        """Nothing travels in Tune's own snapshots: they are thrown away."""
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: the study is its own storage, and Tune's state is never restored."""
        Path(checkpoint_path).touch()

    def restore(self, checkpoint_path: str) -> None:
        """Never called: every start builds a new Tuner."""
        raise TypeError("a study is continued from its storage, never from Tune's state")


def _seed(study_seed: int, number: int) -> int:
    digest = hashlib.sha256(f"{study_seed}/trial/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


def _scored(scores: InnerScores, folds: tuple[int, ...]) -> FrozenTrial:
    """A trial whose steps are subjects: mean accuracy over these folds, for Wilcoxon's test."""
    by_subject = scores.subject_accuracies(folds)
    values = dict(enumerate(by_subject[subject] for subject in sorted(by_subject)))
    return optuna.trial.create_trial(
        value=sum(values.values()) / len(values), params={}, distributions={}, intermediate_values=values
    )


class PruningScheduler(FIFOScheduler):
    """Asks the search, after each round, whether the trial should stop."""

    def __init__(self, search: StudySearch) -> None:
        super().__init__()
        self._search = search

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """STOP or CONTINUE."""
        if not result["failed_folds"] and self._search.should_prune(trial.trial_id, result["folds"]):
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)
