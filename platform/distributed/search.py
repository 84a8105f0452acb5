"""Ray Tune runs the trials, Optuna proposes and prunes: one trial a configuration, folds its steps.

The Optuna study is the truth about the search and the results store the truth about fold runs;
Tune's own state is thrown away. Trials come in generations: a proposal is a pure function of the
space, the study's seed, the trial's number and the results of all earlier generations, and pruning
compares only with those. So a search that was killed at any moment and one that was not are the same.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from ray import tune
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher
from ray.tune.search.optuna import OptunaSearch

from platform.config import Configuration, Plan, replace, to_dict
from platform.distributed.cluster import TRIAL_SLOT
from platform.errors import UserError
from platform.results.inner_scores import InnerScores, inner_scores
from platform.results.planning import PlannedData, inner_tasks, machine_of
from platform.results.store import ResultsStore
from platform.results.study import SearchDefinition, open_storage
from platform.results.tasks import FoldTask

METRIC = "inner_accuracy"


def trial_tasks(
    base: Configuration, overrides: Mapping[str, Any], planned: PlannedData, plan: Plan, order: tuple[int, ...]
) -> list[FoldTask]:
    """The inner fold runs of one trial, in the order in which they run."""
    return inner_tasks(replace(base, **overrides), planned, machine_of(plan), order)


def run_trial(
    config: dict[str, Any],
    *,
    dispatcher: Any,
    base: Configuration,
    plan: Plan,
    planned: PlannedData,
    order: tuple[int, ...],
    runs_root: str,
) -> None:
    """Tune's trainable: the folds of one configuration in rounds; after each round its mean accuracy.

    Raises RuntimeError when a fold run failed: a configuration with a failed fold has no score.
    """
    import ray

    tasks = trial_tasks(base, config["overrides"], planned, plan, order)
    store = ResultsStore(Path(runs_root))
    done = 0
    for size in rounds(plan, len(tasks)):
        manifests = ray.get(dispatcher.run.remote(tasks[done : done + size]))
        failed = [task.fold_index for task, m in zip(tasks[done:], manifests, strict=False) if m["status"] != "complete"]
        if failed:
            raise RuntimeError(f"trial {config['number']}: fold runs failed: {', '.join(map(str, failed))}")
        done += size
        tune.report({METRIC: inner_scores(store, tasks[:done]).mean_of_folds, "folds": done})


def rounds(plan: Plan, fold_count: int) -> tuple[int, ...]:
    """Folds a round: the plan's, or all at once where nothing is pruned."""
    return plan.rounds if plan.pruning and fold_count > 1 else (fold_count,)


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
        self._lock = threading.Lock()
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
        return self._ot_study

    def is_finished(self) -> bool:
        """Whether every wanted trial has been told its end."""
        return all(n in self._told() for n in range(self._plan.trials))

    def _told(self) -> dict[int, FrozenTrial]:
        trials = self.study.get_trials(deepcopy=False)
        return {trial.number: trial for trial in trials if trial.state.is_finished()}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial's number and overrides; None while a generation is open; FINISHED at the end."""
        with self._lock:
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
            raise RuntimeError(f"the study gave trial {trial.number}, not {number}: something else writes to it")
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
        pruner = optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=8)
        if pruner.prune(aside, _scored(self.scores(number), folds)):
            self._pruned.add(number)
            return True
        return False

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Nothing: only our scheduler compares."""

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Note the end; tell the whole generation when its last trial has ended."""
        with self._lock:
            number = self._numbers[trial_id]
            if number in self._pruned:
                self._ended[number] = TrialState.PRUNED
            elif not error and len(self.scores(number).folds) == len(self._order):
                self._ended[number] = TrialState.COMPLETE
            elif error:
                self._ended[number] = TrialState.FAIL
            # Neither: Tune was interrupted. The trial stays RUNNING and is adopted next time.
            self._tell_generation(number)

    def _tell_generation(self, number: int) -> None:
        start = self._generation_start(number)
        told = self._told()
        numbers = [n for n in range(start, min(start + self._plan.trials_in_flight, self._plan.trials)) if n not in told]
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
        if self._search.should_prune(trial.trial_id, result["folds"]):
            return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)


def run_search(
    definition: SearchDefinition,
    *,
    dispatcher: Any,
    store: ResultsStore,
    storage_path: Path,
    base: Configuration,
    plan: Plan,
    planned: PlannedData,
    order: tuple[int, ...],
) -> StudySearch:
    """Run the study to its end and return it. KeyboardInterrupt when Tune was stopped before that."""
    search = StudySearch(
        definition,
        storage=open_storage(storage_path),
        store=store,
        base=base,
        plan=plan,
        planned=planned,
        order=order,
    )
    if search.is_finished():
        return search
    trainable = tune.with_parameters(
        run_trial,
        dispatcher=dispatcher,
        base=base,
        plan=plan,
        planned=planned,
        order=order,
        runs_root=str(store.root),
    )
    with tempfile.TemporaryDirectory(prefix="tune-") as folder:
        tuner = tune.Tuner(
            tune.with_resources(trainable, tune.PlacementGroupFactory([{TRIAL_SLOT: 1}])),
            tune_config=tune.TuneConfig(
                search_alg=search,
                scheduler=PruningScheduler(search),
                num_samples=plan.trials,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(name="trials", storage_path=folder, verbose=0),
        )
        tuner.fit()
    if not search.is_finished():
        raise KeyboardInterrupt
    if not any(trial.state == TrialState.COMPLETE for trial in search.study.trials):
        raise UserError(
            f"all {plan.trials} trials of study {definition.name} failed; the tracebacks are in the "
            f"manifests under {store.root / 'fold_runs'}, and running again tries them again."
        )
    return search


def described_trials(search: StudySearch) -> list[dict[str, Any]]:
    """The study's trials for experiment.json: number, state, parameters, score, folds, runs."""
    described = []
    for trial in search.study.get_trials(deepcopy=False):
        if not trial.state.is_finished():
            continue
        overrides = trial.user_attrs["overrides"]
        tasks = trial_tasks(search._base, overrides, search._planned, search._plan, search._order)
        runs = [
            {"fold": task.fold_index, "identity": task.identity}
            for task in tasks
            if search._store.is_complete("fold_runs", task.identity)
        ]
        described.append(
            {
                "number": trial.number,
                "state": trial.state.name,
                "params": overrides,
                "score": trial.value if trial.state == TrialState.COMPLETE else search.scores(trial.number).mean_or_none,
                "folds": trial.user_attrs["folds"],
                "runs": sorted(runs, key=lambda run: run["fold"]),
            }
        )
    return described


def winner(search: StudySearch) -> tuple[int, Configuration]:
    """Number and configuration of the complete trial with the best mean; the earlier one on a tie."""
    complete = [t for t in search.study.get_trials(deepcopy=False) if t.state == TrialState.COMPLETE]
    best = max(complete, key=lambda trial: (trial.value, -trial.number))
    return best.number, replace(search._base, **best.user_attrs["overrides"])


def search_settings(base: Configuration, plan: Plan, planned: PlannedData) -> dict[str, Any]:
    """What a study is about: if any of it changes, its trials are no longer comparable."""
    keys = ("fold_rule", "folds", "rounds", "pruning", "study_seed", "trials_in_flight", "space", "train_workers")
    settings = to_dict(plan)
    return {
        **{name: settings[name] for name in keys},
        **{f"base.{name}": value for name, value in to_dict(base).items()},
        "data": planned.data.hash,
        "folds_hash": planned.folds.hash,
        "machine": machine_of(plan).to_dict(),
    }
