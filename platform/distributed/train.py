"""One task as a Ray Train run: in the calling worker process, or in one or more separate Train workers."""

from __future__ import annotations

import os
import shutil
import socket
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import ray

from platform.distributed.lost_workers import at_named_host, environment_failure_of
from platform.distributed.travel import Lists, Subjects, with_lists
from platform.runs.attempts import Attempt
from platform.runs.execute import execute
from platform.runs.node_proof import UnfitNode
from platform.runs.scratch import own_scratch
from platform.runs.store import ResultsStore
from platform.runs.tasks import ArtifactTask, FoldTask

_PROVED: set[str] = set()
"""Keys of proofs that this process's node has passed, as the dispatcher told it."""


def train_loop(config: dict[str, Any]) -> None:
    """Loop function of Ray Train: the whole task. Its outcome is in the results store, not in the Result."""
    from platform.distributed.process_group import process_group

    task = with_lists(config["task"], config["lists"])
    with process_group(Path(config["rendezvous"])) as workers:
        execute(
            task,
            config["runs_root"],
            workers=workers,
            scratch=Path(config["scratch"]),
            attempt=config["attempt"],
        )


def run_on_train(
    task: FoldTask | ArtifactTask,
    runs_root: str,
    *,
    train_workers: int,
    resources: Mapping[str, float],
    attempt: Attempt | None = None,
    selector: Mapping[str, str] | None = None,
    lists: Lists = MappingProxyType({}),
) -> dict[str, Any]:
    """Run `task` through Ray Train and return its manifest.

    `train_workers` 0: Train's local mode, in this process. 1: a separate Train worker with the given
    `resources` (CPU, GPU, memory in bytes). 2 or more: each worker has as many, and they share every batch.
    attempt: as for `execute`. selector: Ray's labels of the nodes on which separate workers may be. lists:
    subjects of the task that travel apart.
    EnvironmentFailure: a worker was lost, or its environment prevented it; it names the host.
    """
    from ray.train import RunConfig, ScalingConfig

    from platform.distributed.team_trainer import TeamTrainer

    store = ResultsStore(Path(runs_root))
    if attempt is not None:
        attempt.check()  # before it takes over the checkpoints of the attempt that replaced it
    # A unique name: Train would silently "resume" a finished run of the same name.
    name = f"{task.identity}-{uuid.uuid4().hex[:8]}"
    storage = store.root / "ray_train"
    held = {name: amount for name, amount in resources.items() if amount}
    kept_off: dict[str, Any] = {"label_selector": dict(selector)} if selector and train_workers else {}
    trainer = TeamTrainer(
        train_loop,
        train_loop_config={
            "task": task,
            "lists": dict(lists),
            "runs_root": runs_root,
            # Chosen here, so that all workers resume from the same checkpoint.
            "scratch": str(own_scratch(store.root, task.identity)),
            "rendezvous": str(storage / f"{name}.rendezvous"),
            "attempt": attempt,
        },
        scaling_config=ScalingConfig(
            num_workers=train_workers,
            use_gpu="GPU" in held,
            resources_per_worker=held if train_workers else None,
            **kept_off,
        ),
        run_config=RunConfig(name=name, storage_path=str(storage)),
    )
    storage.mkdir(parents=True, exist_ok=True)
    try:
        trainer.fit()
    except ray.train.TrainingFailedError as error:
        # With several workers an exception propagates after the first has stored it as the result. A failure
        # stored by an earlier attempt says nothing about a worker lost in this one.
        failed = store.manifest(task.kind, task.identity)
        failure = environment_failure_of(error)
        if failure is not None and failure.worker_lost:
            raise at_named_host(failure, ray.nodes()) from error
        if failure is not None:
            raise
        own = isinstance(error, ray.train.WorkerGroupError) and 0 in error.worker_failures
        if not own or train_workers < 2 or failed is None or failed["status"] != "failed":
            raise
    finally:
        shutil.rmtree(storage / name, ignore_errors=True)
        (storage / f"{name}.rendezvous").unlink(missing_ok=True)
    manifest = store.manifest(task.kind, task.identity)
    if manifest is None:
        raise RuntimeError(f"Ray Train finished {task.identity} without a manifest")
    return manifest


@ray.remote(max_retries=0, max_calls=0)
def carry_out(
    task: FoldTask | ArtifactTask,
    runs_root: str,
    train_workers: int,
    resources: Mapping[str, float],
    dispatcher: Any,
    attempt: Attempt,
    proof: str,
    selector: Mapping[str, str],
    lists: Lists,
    **here: Subjects,
) -> dict[str, Any]:
    """`run_on_train` as a Ray task in a reused worker process, which reports itself to `dispatcher` first.

    proof: what the node must have shown before its first task (a key); empty: nothing. selector: keeps
    separate workers off nodes that get nothing. lists: references of subjects that travel apart, for separate
    workers; here: the lists themselves. UnfitNode: this node lacks something.
    """
    node = ray.get_runtime_context().get_node_id()
    if proof and proof not in _PROVED:
        lacks = ray.get(dispatcher.lacks.remote(node))
        if lacks:
            raise UnfitNode(lacks, socket.gethostname(), node)
        _PROVED.add(proof)
    dispatcher.started.remote(task.identity, node, socket.gethostname(), os.getpid())
    return run_on_train(
        task,
        runs_root,
        train_workers=train_workers,
        resources=resources,
        attempt=attempt,
        selector=selector,
        lists={**lists, **here},
    )
