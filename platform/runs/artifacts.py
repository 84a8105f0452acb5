"""Contents of artifacts: read from the results store, or made and stored."""

from __future__ import annotations

from typing import Any

from platform.errors import UserError
from platform.models.artifact import Content
from platform.models.method import Settings
from platform.models.recipe import Cached
from platform.runs.item_cache import ItemCache
from platform.runs.provenance import provenance
from platform.runs.store import ResultsStore
from platform.runs.task_view import view_of
from platform.runs.tasks import ArtifactTask, Task


class NoTraining:
    """The tools of an artifact that declares to train nothing."""

    def __init__(self, cached: Cached) -> None:
        self.cached = cached

    def train(self, stage: str, *arguments: Any, **options: Any) -> Any:
        """Always raises TypeError."""
        raise TypeError(f"an artifact that trains {stage} must declare `trains = True`")


def load_artifact(task: ArtifactTask, store: ResultsStore) -> Content:
    """The content of the artifact; made and stored if it is missing and trains nothing.

    Two workers may make the same one at once: the first writer's stays. UserError: one that trains is
    missing, or damaged.
    """
    if not store.is_complete(task.kind, task.identity):
        if task.trains:
            raise UserError(
                f"{task.artifact.title} ({task.kind} {task.identity}) is not in the results store; run the "
                "command that made it again."
            )
        cache = ItemCache(store.root, cpu_threads=None)
        made = task.artifact.make(
            view_of(task), artifact_settings(task), load_inputs(task, store), NoTraining(cache)
        )
        facts = {**made.facts, **cache.facts(), "provenance": provenance()}
        store.write(task.kind, task.identity, task.record, made.files, **facts)
    manifest = store.manifest(task.kind, task.identity)
    assert manifest is not None
    names = [name for name in manifest["sha256"] if name != "record.json"]
    return Content(
        files={name: store.read(task.kind, task.identity, name, manifest) for name in names}, facts=manifest
    )


def load_inputs(task: Task, store: ResultsStore) -> dict[str, Content]:
    """The contents of the artifacts that the task uses itself, by name."""
    return {name: load_artifact(needed, store) for name, needed in task.inputs.items()}


def artifact_settings(task: ArtifactTask) -> Settings:
    """The options that reach the artifact; reading any other raises AttributeError."""
    return Settings(task.options, task.options)
