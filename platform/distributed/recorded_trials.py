"""The ended trials of a study, held against the stored fold runs when a search starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from platform.config.configuration import Configuration, Plan, replace
from platform.config.selection import Scope
from platform.errors import UserError
from platform.monitoring.observer import End, SearchObserver
from platform.runs.fold_tasks import PlannedData, machine_of, step_tasks
from platform.runs.store import ResultsStore
from platform.runs.tasks import FoldTask
from platform.search.definition import SearchDefinition
from platform.search.inner_scores import InnerScores, inner_scores
from platform.search.invalid_trials import ATTRIBUTE
from platform.search.recorded_values import check_recorded, scored_runs

END_OF: dict[TrialState, End] = {
    TrialState.COMPLETE: "COMPLETE",
    TrialState.PRUNED: "PRUNED",
    TrialState.FAIL: "FAIL",
}


def trial_tasks(
    base: Configuration,
    overrides: Mapping[str, Any],
    planned: PlannedData,
    plan: Plan,
    scope: Scope,
) -> list[FoldTask]:
    """The fold runs of one trial, in execution order; `scope`: the trial's study."""
    return step_tasks(replace(base, **overrides), planned, machine_of(plan), scope.steps)


class RecordedTrials:
    """The ended trials of one study. They count as far as the stored fold runs say the same."""

    def __init__(
        self,
        study: optuna.Study,
        definition: SearchDefinition,
        *,
        store: ResultsStore,
        base: Configuration,
        plan: Plan,
        planned: PlannedData,
        scope: Scope,
    ) -> None:
        self._study, self._definition, self._store = study, definition, store
        self._base, self._plan, self._planned, self._scope = base, plan, planned, scope
        self._verified: dict[int, InnerScores | None] = {}
        """Of the start alone: scores of the trials that were held against their fold runs."""

    def ended(self) -> dict[int, FrozenTrial]:
        """The trials whose final state is recorded, by number."""
        trials = self._study.get_trials(deepcopy=False)
        return {trial.number: trial for trial in trials if trial.state.is_finished()}

    def tasks_of(self, trial: FrozenTrial) -> list[FoldTask]:
        """The fold runs of a recorded trial."""
        if ATTRIBUTE in trial.user_attrs:
            return []
        overrides = trial.user_attrs["overrides"]
        return trial_tasks(self._base, overrides, self._planned, self._plan, self._scope)

    def missing_runs(self) -> list[FoldTask]:
        """Fold runs of recorded scores that the results store lacks.

        Trials that lack none are verified on the way, since planning their fold runs again would take as long
        as reading them. UserError as `check`, and if the store lacks all fold runs: they belong to
        another version or are in another folder.
        """
        recorded = self.ended()
        missing: list[FoldTask] = []
        wanted = 0
        for trial in recorded.values():
            tasks = self.tasks_of(trial)
            scored = scored_runs(trial, tasks)
            wanted += len(scored)
            scores = inner_scores(self._store, scored, partial=True)
            lacking = [task for step, task in enumerate(scored) if step not in scores.steps]
            missing += lacking
            if not lacking:
                self._verify(trial, tasks, scores)
        if wanted and len(missing) == wanted:
            raise UserError(
                f"study {self._definition.name} has scores of {len(recorded)} trials, but none of their fold "
                f"runs is in {self._store.root}: another version of the program made them, or they are in "
                "another folder. Pass --runs with that folder, or a new --name to search again."
            )
        return missing

    def check(self) -> None:
        """UserError unless every recorded trial follows from its parameters and stored fold runs."""
        for number, trial in self.ended().items():
            if number not in self._verified:
                self._verify(trial, self.tasks_of(trial))

    def _verify(
        self, trial: FrozenTrial, tasks: Sequence[FoldTask], scores: InnerScores | None = None
    ) -> None:
        self._verified[trial.number] = check_recorded(
            trial,
            tasks,
            study=self._definition.name,
            suggest=self._definition.suggest,
            base=self._base,
            class_count=len(self._planned.data.class_names),
            objectives=self._plan.objectives,
            store=self._store,
            scores=scores,
        )

    def observe(self, observer: SearchObserver) -> None:
        """Notify an observer of the trials that ended in earlier starts."""
        for number, trial in self.ended().items():
            end = "INVALID" if ATTRIBUTE in trial.user_attrs else END_OF[trial.state]
            scores = self._verified.get(number)
            # Others than complete trials may share fold runs beyond those that they were scored on.
            if scores is None or trial.state != TrialState.COMPLETE:
                scores = inner_scores(self._store, self.tasks_of(trial), partial=True)
            observer.trial_ended(self._scope.suffix, number, end, scores, earlier=True)
        self._verified.clear()
