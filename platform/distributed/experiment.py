"""Execution of an experiment on Ray: the search, then all final fold runs at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from platform.config.objectives import directions
from platform.distributed.cluster import connected
from platform.distributed.dispatcher import LOST, start_dispatcher
from platform.errors import UserError
from platform.experiments.capacity import runs_in_memory
from platform.experiments.description import describe_experiment, write_settings
from platform.experiments.driver_lease import Leadership, leading_study
from platform.experiments.estimate import wanted_gflop
from platform.experiments.experiment import Experiment, final_rows
from platform.experiments.led_storage import led_storage
from platform.experiments.rows import Found, all_tasks
from platform.experiments.study_definition import search_definition
from platform.models import load_method
from platform.monitoring.event_log import EventLog
from platform.monitoring.progress import SEARCHED, Progress, displayed
from platform.runs.tasks import FoldTask
from platform.search.extension import record_end
from platform.search.preview import trials_to_run
from platform.search.storage import close_storage, open_storage

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
        dispatcher = start_dispatcher(plan, experiment.store.root, slots.fold_runs)
        progress = Progress(slots.fold_runs or int(slots.cpus // plan.cpus_per_run) or 1, log)
        _expect(progress, experiment, search=search)
        stack.callback(ray.kill, dispatcher)  # its pending tasks would fail noisily while Ray shuts down
        with displayed(progress, lambda known: ray.get(dispatcher.snapshot.remote(known))):
            found = None
            if storage is not None:
                progress.phase = "search"
                found = _search(experiment, dispatcher, progress, storage)
            progress.phase = "final folds"
            if found is None:
                rows = final_rows(experiment, experiment.configuration)
            else:
                rows = final_rows(experiment, found.chosen, found.score)
            # Before the runs, so that `platform.table --partial` can show an interrupted experiment.
            content = describe_experiment(experiment, rows, found)
            manifests = ray.get(dispatcher.run.remote(all_tasks(rows)))
        if storage is not None:
            record_end(_first_study(experiment, storage))
        _refuse_failures(experiment, all_tasks(rows), manifests)
    return content


@contextmanager
def _led_storage(experiment: Experiment, leadership: Leadership) -> Iterator[optuna.storages.BaseStorage]:
    """The study's storage. A database may be shared by several folders, so its study has its own lease."""
    location = experiment.storage_location
    storage = open_storage(location)
    with ExitStack() as stack:
        stack.callback(close_storage, storage)
        if "://" in location:
            stack.enter_context(leading_study(_first_study(experiment, storage), leadership))
        yield led_storage(storage, leadership.check)


def _first_study(experiment: Experiment, storage: optuna.storages.BaseStorage) -> optuna.Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)  # otherwise Optuna reports every study that it opens
    return optuna.create_study(
        storage=storage,
        study_name=experiment.name + experiment.scopes[0].suffix,
        directions=directions(experiment.plan.objectives),
        load_if_exists=True,
    )


def _search(
    experiment: Experiment, dispatcher: Any, progress: Progress, storage: optuna.storages.BaseStorage
) -> Found:
    """Run all studies to completion."""
    from platform.distributed.search import run_search, searched_trials, winner
    from platform.search.savings import measure_economy

    plan = experiment.plan
    searches = run_search(
        search_definition(experiment),
        dispatcher=dispatcher,
        store=experiment.store,
        storage=storage,
        base=experiment.configuration,
        plan=plan,
        planned=experiment.planned,
        scopes=experiment.scopes,
        observer=progress,
        extend=experiment.extend,
    )
    choices = [winner(search) for search in searches]
    studies = [
        _described(search, choice, experiment) for search, choice in zip(searches, choices, strict=True)
    ]
    progress.best = f"chosen: {_shown_choice(choices)}"
    if plan.selection_rule != "test":
        progress.expect_no_more_trials()
    chosen = dict.fromkeys(range(experiment.fold_count), choices[0].configuration)
    for scope, choice in zip(experiment.scopes, choices, strict=True):
        chosen.update(dict.fromkeys(scope.outer_folds, choice.configuration))
    trials = [trial for search in searches for trial in searched_trials(search)]
    return Found(
        studies=studies,
        chosen=[chosen[fold] for fold in sorted(chosen)],
        score=sum(choice.score for choice in choices) / len(choices),
        economy=measure_economy(trials, experiment.store).to_dict(),
    )


SCORES = {
    "inner": "inner accuracy, mean of folds",
    "nested": "inner accuracy, mean of the fold's five inner parts",
    "test": "accuracy on the test folds (leakage), mean of folds",
}
"""Selection rule to the meaning of a study's score."""


def _described(search: StudySearch, choice: Choice, experiment: Experiment) -> dict[str, Any]:
    from platform.distributed.search import described_trials, front_of

    plan = experiment.plan

    return {
        "name": search.definition.name,
        "storage": experiment.storage_location,
        "objective": SCORES[plan.selection_rule],
        "objectives": list(plan.objectives),
        "sampler": plan.sampler,
        "front": front_of(search),
        "outer_folds": list(search.scope.outer_folds),
        "winner": choice.trial,
        "trials": described_trials(search),
    }


def _shown_choice(choices: Sequence[Choice]) -> str:
    method = load_method(choices[0].configuration.method)
    backbones = "/".join(sorted({method.net(choice.configuration) for choice in choices}))
    score = sum(choice.score for choice in choices) / len(choices)
    if len(choices) == 1:
        return f"trial {choices[0].trial} ({backbones}), score {score:.1%}"
    return f"a configuration for each of {len(choices)} folds ({backbones}), mean score {score:.1%}"


def _expect(progress: Progress, experiment: Experiment, *, search: bool) -> None:
    """Set the display's upper bounds: nothing pruned, nothing cached."""
    trials = (
        len(experiment.scopes) * trials_to_run(experiment.plan, experiment.configuration) if search else 0
    )
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
            f"({task.record['method']}): {reason} Its traceback is in {where}. Finished results are kept; "
            f"running the same command again retries the failed ones."
        )
