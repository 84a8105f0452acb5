"""Execution of an experiment on Ray: the search, then all final fold runs at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from platform.config.objectives import directions
from platform.config.settings_source import OWN_SEARCH, SettingsSource
from platform.distributed.cluster import connected
from platform.distributed.cluster_nodes import slots_of_ray
from platform.distributed.dispatcher import LOST
from platform.distributed.ray_dispatcher import start_dispatcher
from platform.distributed.travel import travelling
from platform.errors import UserError
from platform.experiments.capacity import runs_in_memory
from platform.experiments.description import describe_experiment, write_settings
from platform.experiments.driver_lease import Leadership, leading_study
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.led_storage import led_storage
from platform.experiments.method_search import MethodSearch
from platform.experiments.rows import Chosen, Found, Row, all_tasks
from platform.experiments.study_definition import search_definition
from platform.models import load_method
from platform.monitoring.event_log import EventLog
from platform.monitoring.progress import SEARCHED, Progress
from platform.monitoring.progress_display import displayed
from platform.monitoring.progress_file import keep_progress
from platform.runs.attempts import driver_folder, drop_driver_folder
from platform.runs.tasks import FoldTask
from platform.search.extension import record_end
from platform.search.preview import trials_to_run
from platform.search.storage import close_storage, open_storage, storage_in_use

if TYPE_CHECKING:
    import optuna

    from platform.distributed.search import Choice
    from platform.distributed.study_search import StudySearch


def run_experiment(
    experiment: Experiment, leadership: Leadership, *, search: bool, log: EventLog | None = None
) -> dict[str, Any]:
    """Run what is missing, and store and return the content of experiment.json; events go to `log`.

    `leadership`: of the experiment's folder (`leading`); needed for as long as anything is written there.
    Raises UserError if fold runs failed, after all others have finished.
    """
    plan = experiment.plan
    if log is not None:
        log.may_write = leadership.leads
        log.write("phase", detail="starting Ray")
    ray_log, room = experiment.folder / "ray.log", runs_in_memory(experiment, search=search)
    with ExitStack() as stack:
        # Before Ray starts, so that an unreachable storage is reported within seconds.
        storage = stack.enter_context(_led_storage(experiment, leadership)) if search else None
        slots = stack.enter_context(connected(plan, ray_log, experiment.address, room))
        import ray

        write_settings(experiment)
        folder = driver_folder(experiment.folder)
        stack.callback(drop_driver_folder, folder)
        dispatcher = start_dispatcher(plan, experiment.store.root, slots.fold_runs, folder)
        progress = Progress(slots.fold_runs or slots_of_ray(plan), log)
        _expect(progress, experiment, search=search)
        stack.callback(ray.kill, dispatcher)  # its pending tasks would fail noisily while Ray shuts down
        keep = partial(keep_progress, experiment.folder, progress)
        with displayed(progress, lambda known: ray.get(dispatcher.snapshot.remote(known)), keep=keep):
            found = None
            if storage is not None:
                progress.phase = "search"
                found = _search(experiment, dispatcher, progress, storage)
            progress.phase = "final folds"
            if found is None:
                rows = final_rows(experiment, experiment.configuration)
            else:
                rows = _rows_of(experiment, found)
            # Before the runs, so that `platform.table --partial` can show an interrupted experiment.
            content = describe_experiment(experiment, rows, found)
            manifests = ray.get(dispatcher.run.remote(*travelling(all_tasks(rows))))
        if storage is not None:
            record_end(_first_study(experiment, storage))
        _refuse_failures(experiment, all_tasks(rows), manifests)
    return content


@contextmanager
def _led_storage(experiment: Experiment, leadership: Leadership) -> Iterator[optuna.storages.BaseStorage]:
    """The studies' storage. A database may be shared by several folders, so each search has its own lease."""
    location = experiment.storage_location
    storage = open_storage(location)
    with ExitStack() as stack:
        stack.callback(close_storage, storage)
        if "://" in location:
            stack.enter_context(storage_in_use(location))
        for search in experiment.searches if "://" in location else ():
            stack.enter_context(leading_study(_first_study(experiment, storage, search), leadership))
        yield led_storage(storage, leadership.check)


def _first_study(
    experiment: Experiment, storage: optuna.storages.BaseStorage, search: MethodSearch | None = None
) -> optuna.Study:
    """The first study of a search; None: of the method's own."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise Optuna reports every study that it opens
    return optuna.create_study(
        storage=storage,
        study_name=experiment.name + (search or experiment.searches[0]).scopes[0].suffix,
        directions=directions(experiment.plan.objectives),
        load_if_exists=True,
    )


def _search(
    experiment: Experiment, dispatcher: Any, progress: Progress, storage: optuna.storages.BaseStorage
) -> Found:
    """Run all studies to completion."""
    from platform.distributed.search import run_search, searched_trials, winner
    from platform.search.savings import measure_economy

    searches = experiment.searches
    studies = run_search(
        searches,
        [search_definition(experiment, search) for search in searches],
        dispatcher=dispatcher,
        store=experiment.store,
        storage=storage,
        planned=experiment.planned,
        observer=progress,
        extend=experiment.extend,
    )
    choices = [winner(study) for study in studies]
    count = len(experiment.scopes)
    of_search = {
        search.method: choices[place * count : (place + 1) * count] for place, search in enumerate(searches)
    }
    progress.best = f"chosen: {_shown_choices(of_search)}"
    if experiment.plan.selection_rule != "test":
        progress.expect_no_more_trials()
    trials = [trial for study in studies for trial in searched_trials(study)]
    search_of = [search for search in searches for _ in search.scopes]
    return Found(
        studies=[
            _described(study, search, choice, experiment)
            for study, search, choice in zip(studies, search_of, choices, strict=True)
        ],
        chosen={
            search.method: _chosen(search, of_search[search.method], experiment.fold_count)
            for search in searches
        },
        economy=measure_economy(trials, experiment.store).to_dict(),
    )


def _chosen(search: MethodSearch, choices: Sequence[Choice], fold_count: int) -> Chosen:
    """What a search chose for every outer fold; `choices`: of each of its studies."""
    chosen = dict.fromkeys(range(fold_count), choices[0].configuration)
    for scope, choice in zip(search.scopes, choices, strict=True):
        chosen.update(dict.fromkeys(scope.outer_folds, choice.configuration))
    return Chosen(
        configurations=tuple(chosen[fold] for fold in sorted(chosen)),
        source=SettingsSource(whose=OWN_SEARCH, trials=max(choice.trials for choice in choices)),
        score=sum(choice.score for choice in choices) / len(choices),
    )


def _rows_of(experiment: Experiment, found: Found) -> list[Row]:
    first, *baselines = found.chosen
    chosen = found.chosen[first]
    return final_rows(
        experiment,
        chosen.configurations,
        chosen.score,
        trials=chosen.source.trials,
        tuned={method: found.chosen[method] for method in baselines},
    )


SCORES = {
    "inner": "inner accuracy, mean of folds",
    "nested": "inner accuracy, mean of the fold's five inner parts",
    "test": "accuracy on the test folds (leakage), mean of folds",
}
"""Selection rule to the meaning of a study's score."""


def _described(
    study: StudySearch, search: MethodSearch, choice: Choice, experiment: Experiment
) -> dict[str, Any]:
    """A study as experiment.json holds it."""
    from platform.distributed.search import described_trials, front_of

    plan = search.plan
    return {
        "name": study.definition.name,
        "method": search.method,
        "space": plan.space,
        "storage": experiment.storage_location,
        "objective": SCORES[plan.selection_rule],
        "objectives": list(plan.objectives),
        "sampler": plan.sampler,
        "front": front_of(study),
        "outer_folds": list(study.scope.outer_folds),
        "winner": choice.trial,
        "trials": described_trials(study),
    }


def _shown_choices(of_search: Mapping[str, Sequence[Choice]]) -> str:
    """What every search chose; the baselines' with their names."""
    (_, own), *baselines = of_search.items()
    return "; ".join([_shown_choice(own), *(f"{name}: {_shown_choice(one)}" for name, one in baselines)])


def _shown_choice(choices: Sequence[Choice]) -> str:
    method = load_method(choices[0].configuration.method)
    backbones = "/".join(sorted({method.net(choice.configuration) for choice in choices}))
    score = sum(choice.score for choice in choices) / len(choices)
    if len(choices) == 1:
        return f"trial {choices[0].trial} ({backbones}), score {score:.1%}"
    return f"a configuration for each of {len(choices)} folds ({backbones}), mean score {score:.1%}"


def _expect(progress: Progress, experiment: Experiment, *, search: bool) -> None:
    """Set the display's upper bounds: nothing pruned, nothing cached."""
    searches = experiment.searches if search else ()
    progress.trials.baselines = frozenset(scope.suffix for one in searches[1:] for scope in one.scopes)
    trials = sum(len(one.scopes) * trials_to_run(one.plan, one.base) for one in searches)
    for group, costs in wanted_gflop(experiment, search=search).items():
        mean = sum(costs) / len(costs)
        if group == SEARCHED:
            progress.expect_trials(trials, len(costs) // trials, mean)
        else:
            progress.expect(group, len(costs), mean)


def _refuse_failures(
    experiment: Experiment, tasks: Sequence[FoldTask], manifests: Sequence[dict[str, Any]]
) -> None:
    lost = [m for m in manifests if m["status"] == LOST]
    if lost:
        raise UserError(
            f"{len(lost)} of {len(tasks)} fold runs are missing: {lost[0]['reason']}. Finished results are "
            f"kept; remove the cause and run the same command again to continue."
        )
    failed = [(task, m) for task, m in zip(tasks, manifests, strict=True) if m["status"] != "complete"]
    if failed:
        task, manifest = failed[0]
        reason = manifest["traceback"].strip().splitlines()[-1]
        where = experiment.store.folder("fold_runs", task.identity) / "manifest.json"
        raise UserError(
            f"{len(failed)} of {len(tasks)} fold runs failed, the first in fold {task.fold_index} "
            f"({task.record['method']}, seed {task.record['seed']}): {reason} Its traceback is in {where}. "
            "Finished results are kept; running the same command again retries the failed ones."
        )
