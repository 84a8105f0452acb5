"""Aggregation of several experiments, in parallel processes when there are many fold runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.aggregation.aggregate import AggregatedRow, aggregate_row, mixes_units, with_ablations
from platform.aggregation.selection_score import winners_only
from platform.host.machine_limits import usable_cpus
from platform.runs.store import ResultsStore

if TYPE_CHECKING:
    from concurrent.futures import Executor

MANY_FOLD_RUNS = 1000
"""Fold runs from which parallel processes outweigh their start-up of one or two seconds."""
MOST_PROCESSES = 4
"""Each process loads the libraries again, about 0.2 GiB."""
ROWS_A_MESSAGE = 4

Job = tuple[Path, dict[str, Any], Mapping[str, Any], bool]


def aggregate_experiments(
    store: ResultsStore,
    experiments: Sequence[Mapping[str, Any]],
    *,
    partial: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[AggregatedRow]:
    """All rows of several experiments, in their order. Raises UserError as `aggregate_row` does.

    progress: called with (fold runs read, all fold runs) when there are at least MANY_FOLD_RUNS.
    """
    jobs: list[Job] = []
    # Rows of all experiments are compared with one another.
    mixed = mixes_units({"rows": [row for experiment in experiments for row in experiment["rows"]]})
    for experiment in experiments:
        # Sent to a process with every row, so only the parts that a row uses.
        facts = {key: experiment[key] for key in ("name", "preset", "command")}
        facts["config"] = experiment.get("config", {})
        facts["studies"] = winners_only(experiment)
        facts["mixes_units"] = mixed or mixes_units(experiment)
        jobs += [(store.root, facts, row, partial) for row in experiment["rows"]]
    sizes = [len(row["runs"]) for _, _, row, _ in jobs]
    if sum(sizes) < MANY_FOLD_RUNS:
        return _by_experiment(experiments, [_aggregate(job) for job in jobs])
    rows, done = [], 0
    for row, size in zip(_aggregate_in_parallel(jobs), sizes, strict=True):
        rows.append(row)
        done += size
        if progress is not None:
            progress(done, sum(sizes))
    return _by_experiment(experiments, rows)


def _by_experiment(
    experiments: Sequence[Mapping[str, Any]], rows: Sequence[AggregatedRow]
) -> list[AggregatedRow]:
    """The rows, in order, with the ablations of their experiments."""
    found: list[AggregatedRow] = []
    for experiment in experiments:
        found += with_ablations(experiment, rows[len(found) : len(found) + len(experiment["rows"])])
    return found


def _aggregate_in_parallel(jobs: Sequence[Job]) -> Iterator[AggregatedRow]:
    count = min(MOST_PROCESSES, usable_cpus())
    if count < 2:
        yield from map(_aggregate, jobs)
        return
    pool: Executor
    # Spawned: pyarrow's threads do not survive a fork.
    with ProcessPoolExecutor(count, get_context("spawn")) as pool:
        try:
            yield from pool.map(_aggregate, jobs, chunksize=ROWS_A_MESSAGE)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _aggregate(job: Job) -> AggregatedRow:
    root, experiment, row, partial = job
    return aggregate_row(ResultsStore(root), experiment, row, partial=partial)
