"""An Optuna study under Ray Tune: generations, resumption of interrupted trials, pruning.

A proposal is a pure function of the space, the study's seed, the trial's number and the results of all
earlier generations, and pruning compares only with those. A search that was killed at any moment therefore
equals an uninterrupted one. `asynchronous` gives this up: each trial is then proposed from all results so
far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from platform.config.configuration import Configuration, Plan
from platform.config.objectives import directions
from platform.config.selection import Scope
from platform.distributed.recorded_trials import END_OF, RecordedTrials, trial_tasks
from platform.errors import UserError
from platform.monitoring.observer import End, SearchObserver
from platform.runs.environment_failure import EnvironmentFailure
from platform.runs.fold_tasks import PlannedData
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from platform.search.inner_scores import InnerScores, inner_scores
from platform.search.invalid_trials import ATTRIBUTE, too_many_invalid, why_invalid
from platform.search.proposals import Proposer
from platform.search.pruning import EarlierTrials, why_unpruned
from platform.search.trial_values import MEASURED, trial_values

METRIC = "inner_accuracy"
UNABLE = "unable"
"""Key in a trial's report: why the environment prevented it from running."""


class StudySearch(OptunaSearch):
    """OptunaSearch with generations, resumption of interrupted trials and exact final states.

    `suggest` returns None while a generation is open. The results of a generation are recorded together, in
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
        observer: SearchObserver | None = None,
    ) -> None:
        self.definition = definition
        self.scope = scope
        self.fault: UserError | None = None
        """The error that ends the search early; nothing more is proposed."""
        self.observer = observer or SearchObserver()
        self._store, self._base, self._plan, self._planned = store, base, plan, planned
        self._numbers: dict[str, int] = {}
        self._overrides: dict[int, dict[str, Any]] = {}
        self._suggested: set[int] = set()
        self._pruned: set[int] = set()
        self._earlier = EarlierTrials()
        self._ended: dict[int, TrialState] = {}
        self._measured: dict[int, dict[str, float]] = {}
        ways = directions(plan.objectives)
        self._proposer = Proposer(
            definition.suggest,
            sampler=plan.sampler,
            study_seed=plan.study_seed,
            first=definition.first,
            directions=ways,
            study=scope.suffix,
        )
        super().__init__(
            space=definition.suggest,
            metric=list(plan.objectives),
            mode=[way[:3] for way in ways],
            study_name=definition.name,
            storage=storage,
        )
        definition.check(self.study)
        self.recorded = RecordedTrials(
            self.study, definition, store=store, base=base, plan=plan, planned=planned, scope=scope
        )

    @property
    def study(self) -> optuna.Study:
        """The Optuna study."""
        # OptunaSearch declares None, but its constructor has created the study.
        study: optuna.Study = self._ot_study  # type: ignore[assignment]
        return study

    @property
    def storage_setting(self) -> str:
        """The setting `storage`, for messages."""
        return self._plan.storage

    @property
    def wanted(self) -> int:
        """Target number of trials: the plan's, or the size of a smaller grid."""
        return min(self._plan.trials, self._proposer.most_trials or self._plan.trials)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Names of the objectives, in the order of a trial's values."""
        return self._plan.objectives

    def is_finished(self) -> bool:
        """Whether the final state of every wanted trial is recorded."""
        recorded = self.recorded.ended()
        return all(n in recorded for n in range(self.wanted))

    def lost_by(self) -> str:
        """Why the search ends early: the last of too many consecutive invalid proposals; otherwise empty."""
        return too_many_invalid(self.recorded.ended().values())

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:  # type: ignore[override]
        """Number and overrides of the next trial; None while a generation is open; FINISHED at the end."""
        while True:
            recorded = self.recorded.ended()
            open_numbers = (n for n in range(self.wanted) if n not in recorded and n not in self._suggested)
            number = next(open_numbers, None)
            if number is None or self.fault or self.lost_by():
                return Searcher.FINISHED
            if self._must_wait(number, recorded):
                return None
            proposed = self._proposed(number)
            if proposed is None:
                return Searcher.FINISHED
            trial, overrides = proposed
            reason = why_invalid(self._base, overrides, len(self._planned.data.class_names))
            if not reason:
                break
            self._tell_invalid(trial, overrides, reason)
        self._ot_trials[trial_id] = trial
        self._numbers[trial_id] = number
        self._suggested.add(number)
        self._overrides[number] = overrides
        self.observer.trial_proposed(self.scope.suffix, number, self.tasks(number))
        return {"study": self.scope.suffix, "number": number, "overrides": overrides}

    def _proposed(self, number: int) -> tuple[optuna.Trial, dict[str, Any]] | None:
        """Trial `number` and the overrides that the space returns; None if the space's file is invalid.

        The trial then stays open: once the file is corrected, the same command continues it.
        """
        try:
            trial = self._trial(number)
            return trial, self.definition.suggest(trial)
        except UserError as fault:
            self.end_by(fault)
            return None

    def end_by(self, fault: UserError) -> None:
        """Propose nothing more, and record ended trials without waiting for the rest of their generation.

        After an EnvironmentFailure nothing more is recorded, since the study itself may be unwritable. All
        open trials stay open, and the next start resumes them with their finished fold runs.
        """
        self.fault = self.fault or fault
        if isinstance(self.fault, EnvironmentFailure):
            return
        for number in sorted(self._ended.keys() - self.recorded.ended().keys()):
            self._tell_generation(number)

    def _must_wait(self, number: int, recorded: Mapping[int, FrozenTrial]) -> bool:
        if self._plan.asynchronous:
            return len(self._suggested - recorded.keys()) >= self._plan.trials_in_flight
        return any(n not in recorded for n in range(self._generation_start(number)))

    @property
    def _generation_size(self) -> int:
        return 1 if self._plan.asynchronous else self._plan.trials_in_flight

    def _generation_start(self, number: int) -> int:
        return number - number % self._generation_size

    def _tell_invalid(self, trial: optuna.Trial, overrides: Mapping[str, Any], reason: str) -> None:
        """Record it immediately: no proposal of its generation reads its state, so restarts do the same."""
        trial.set_user_attr("overrides", dict(overrides))
        trial.set_user_attr("folds", 0)
        trial.set_user_attr(ATTRIBUTE, reason)
        self.study.tell(trial, state=TrialState.FAIL)
        self._observe_end(trial.number, "INVALID")
        self._tell_generation(trial.number)

    def _trial(self, number: int) -> optuna.Trial:
        """The study's trial `number`: an interrupted one is resumed, a new one proposed."""
        existing = {trial.number: trial for trial in self.study.get_trials(deepcopy=False)}
        if number in existing and existing[number].state == TrialState.RUNNING:
            return optuna.Trial(self.study, existing[number]._trial_id)
        if number not in existing:
            # Proposed outside the study and stored at once, so that a kill never leaves a partial proposal.
            self.study.enqueue_trial(self._propose(number))
        trial = self.study.ask()
        if trial.number != number:
            raise RuntimeError(
                f"the study returned trial {trial.number} instead of {number}: another process writes to it"
            )
        return trial

    def _propose(self, number: int) -> dict[str, Any]:
        earlier = self._earlier_trials(number)
        known = {trial.number for trial in earlier}
        trials = self.study.get_trials(deepcopy=False)
        return self._proposer.propose(
            number,
            earlier,
            generation_size=self._generation_size,
            siblings=[trial for trial in trials if trial.number < number and trial.number not in known],
        )

    def _earlier_trials(self, number: int) -> list[FrozenTrial]:
        """The finished trials of the generations before that of trial `number`, in order."""
        recorded = self.recorded.ended()
        if self._plan.asynchronous:
            return [recorded[n] for n in sorted(recorded)]
        return [recorded[n] for n in range(self._generation_start(number))]

    def tasks(self, number: int) -> list[FoldTask]:
        """The fold runs of a proposed trial, in execution order; an invalid trial has none."""
        overrides = self._overrides.get(number)
        if overrides is None:
            return self.recorded.tasks_of(self.recorded.ended()[number])
        return trial_tasks(self._base, overrides, self._planned, self._plan, self.scope)

    def scores(self, number: int) -> InnerScores:
        """Scores of the trial's fold runs that are in the results store."""
        return inner_scores(self._store, self.tasks(number), partial=True)

    def should_prune(self, trial_id: str, folds_done: int) -> bool:
        """Whether the trial is significantly worse than the best earlier one.

        A Wilcoxon test pairs each subject's accuracy over the finished folds with the same subject's accuracy
        over the same folds in the best complete trial of earlier generations.
        """
        steps = len(self.scope.steps)
        if why_unpruned(self._plan, steps) or folds_done >= steps:
            return False
        number = self._numbers[trial_id]
        earlier = [t.number for t in self._earlier_trials(number) if t.state == TrialState.COMPLETE]
        for n in earlier:
            if n not in self._earlier:
                self._earlier.add(n, self.scores(n))
        if self._earlier.are_better(earlier, self.scores(number), folds_done):
            self._pruned.add(number)
            return True
        return False

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """A round has finished. Pruning is left to PruningScheduler."""
        if not result["failed_folds"] and UNABLE not in result:
            self.observer.round_finished(
                self.scope.suffix, self._numbers[trial_id], result["folds"], result[METRIC]
            )

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        """Note the final state; record the whole generation when its last trial has ended."""
        number = self._numbers[trial_id]
        unable = (result or {}).get(UNABLE)
        if unable or error:
            # Not recorded: a failed trial is final, but this one may succeed when run again.
            reason = unable or "Ray Tune could not run it (traceback in ray.log)"
            self.end_by(EnvironmentFailure(f"trial {number}{self.scope.suffix} stays open: {reason}"))
            return
        if number in self._pruned:
            self._ended[number] = TrialState.PRUNED
        elif (result or {}).get("failed_folds"):
            self._ended[number] = TrialState.FAIL
        elif self._is_complete(number, result or {}):
            self._ended[number] = TrialState.COMPLETE
        # None of these: Tune was interrupted. The trial stays RUNNING and is resumed by the next start.
        if number in self._ended:
            self._observe_end(number, END_OF[self._ended[number]])
        self._tell_generation(number)

    def _is_complete(self, number: int, result: Mapping[str, Any]) -> bool:
        """Whether all its fold runs are stored and all measured objectives have a value."""
        needed = [name for name in self._plan.objectives if name in MEASURED]
        self._measured[number] = {name: float(result[name]) for name in needed if name in result}
        is_measured = len(self._measured[number]) == len(needed)
        return is_measured and len(self.scores(number).steps) == len(self.scope.steps)

    def _observe_end(self, number: int, end: End) -> None:
        self.observer.trial_ended(self.scope.suffix, number, end, self.scores(number), earlier=False)

    def _tell_generation(self, number: int) -> None:
        if isinstance(self.fault, EnvironmentFailure):
            return
        start = self._generation_start(number)
        recorded = self.recorded.ended()
        numbers = [
            n for n in range(start, min(start + self._generation_size, self.wanted)) if n not in recorded
        ]
        if self.fault:
            numbers = [n for n in numbers if n in self._ended]
        if any(n not in self._ended for n in numbers):
            return
        trials = {self._numbers[trial_id]: trial for trial_id, trial in self._ot_trials.items()}
        for n in numbers:
            self._tell(n, trials[n])

    def _tell(self, number: int, trial: optuna.Trial) -> None:
        scores, objectives = self.scores(number), self._plan.objectives
        trial.set_user_attr("overrides", self._overrides[number])
        trial.set_user_attr("folds", len(scores.steps))
        reported = self.study.get_trials(deepcopy=False)[number].intermediate_values
        # Optuna has no steps with several objectives. An interrupted start may have reported this one.
        if scores.steps and len(objectives) == 1 and len(scores.steps) not in reported:
            trial.report(scores.mean_of_steps, step=len(scores.steps))
        values = None
        if self._ended[number] == TrialState.COMPLETE:
            known, tasks = self._measured[number], self.tasks(number)
            values = trial_values(objectives, scores, store=self._store, tasks=tasks, measured=known)
        self.study.tell(trial, values, state=self._ended[number])
