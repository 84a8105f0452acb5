"""Carry out one task: read what it names, train, and store the result with its manifest last.

Runs in any process that sees the prepared store and the results store; knows nothing of Ray.
"""

from __future__ import annotations

import io
import json
import sys
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.results.store import Kind, ResultsStore
from platform.results.tasks import FoldTask, MaskTask, Stage1Task

if TYPE_CHECKING:
    import numpy as np
    import torch

    from datasets.fold_view import FoldView
    from datasets.masks import MaskSet
    from platform.training.loop import Report
    from platform.training.stages import FoldOutcome

LIBRARIES = ("torch", "torchvision", "numpy", "ray", "optuna")
"""Their versions go into the manifest: they can change the last bits, but name no result."""


def task_kind(task: FoldTask | Stage1Task) -> Kind:
    """The folder of the results store that the task's result goes to."""
    return "stage1" if isinstance(task, Stage1Task) else "fold_runs"


def execute(
    task: FoldTask | Stage1Task,
    runs_root: str,
    *,
    keep_weights: bool = True,
    report: Report = lambda values: None,
) -> dict[str, Any]:
    """Carry out `task` unless its result is there; return its manifest.

    An exception is stored as a failed result with its traceback, and the manifest says so:
    `status` is `complete` or `failed`. Final fold runs keep their weights if `keep_weights`.
    """
    store, kind = ResultsStore(Path(runs_root)), task_kind(task)
    finished = store.manifest(kind, task.identity)
    if finished is not None and finished["status"] == "complete":
        return finished
    _prepare_process(task.record["cpu_threads"])
    try:
        if isinstance(task, Stage1Task):
            return _execute_stage1(task, store, report)
        return _execute_fold(task, store, keep_weights and task.role == "final", report)
    except Exception:
        return store.write_failure(kind, task.identity, task.record, traceback.format_exc())


def _prepare_process(cpu_threads: int) -> None:
    """A reused worker can come with another number of threads, and the number changes the last bits."""
    import torch

    torch.set_num_threads(cpu_threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def _view(task: FoldTask | Stage1Task | MaskTask) -> FoldView:
    """The prepared store as this task may see it. ValueError when it is not the store of the record."""
    from datasets.fold_view import FoldView
    from datasets.store import PreparedStore

    prepared = PreparedStore.open(Path(task.data.folder))
    if prepared.hash != task.data.hash:
        raise ValueError(
            f"{task.data.folder} holds data {prepared.hash}, but this run was planned for {task.data.hash}"
        )
    if isinstance(task, FoldTask):
        return FoldView(
            prepared,
            train_subjects=task.train_subjects,
            evaluation_subjects=task.evaluation_subjects,
            role=task.role,
        )
    return FoldView(prepared, train_subjects=task.train_subjects, evaluation_subjects=(), role="final")


def _execute_stage1(task: Stage1Task, store: ResultsStore, report: Report) -> dict[str, Any]:
    from safetensors.torch import save

    from platform.models.method import STAGE1_FIELDS, Settings
    from platform.training.stages import pretrain_generator

    started = time.monotonic()
    view = _view(task)
    outcome = pretrain_generator(
        Settings(task.record["config"], STAGE1_FIELDS),
        view,
        load_masks(task.masks, store, view.class_names),
        device=_device(task.record["device"]),
        report=report,
    )
    files = {
        "mask_generator.safetensors": save(outcome.generator_state),
        "curves.json": json.dumps({"stage1": outcome.curve}).encode(),
    }
    facts = {"image_count": len(view.training_rows), **_facts(started)}
    return store.write("stage1", task.identity, task.record, files, **facts)


def _execute_fold(task: FoldTask, store: ResultsStore, keep_weights: bool, report: Report) -> dict[str, Any]:
    from safetensors.torch import load, save

    from platform.models import load_method
    from platform.training.stages import train_and_evaluate

    started = time.monotonic()
    view = _view(task)
    method = load_method(task.record["method"])
    generator_state = None
    if task.stage1 is not None:
        generator_state = load(store.read("stage1", task.stage1.identity, "mask_generator.safetensors"))
    outcome = train_and_evaluate(
        method,
        method.settings(task.record["config"]),
        view,
        load_masks(task.masks, store, view.class_names) if task.masks else None,
        generator_state,
        device=_device(task.record["device"]),
        report=report,
    )
    files = {"curves.json": json.dumps({"stage2": outcome.curve}).encode()}
    files["predictions.parquet"], accuracy = _predictions(task, view, outcome)
    if outcome.pictures:
        files["pictures.png"] = pictures_png(outcome.pictures)
    if keep_weights:
        files["weights.safetensors"] = save(outcome.state)
    facts = {"accuracy": accuracy, "image_count": len(outcome.evaluation_rows), **_facts(started)}
    return store.write("fold_runs", task.identity, task.record, files, **facts)


def _facts(started: float) -> dict[str, Any]:
    libraries = {name: version(name) for name in LIBRARIES}
    libraries["python"] = sys.version.split()[0]
    return {"seconds": round(time.monotonic() - started, 3), "libraries": libraries}


def _device(name: str) -> torch.device:
    import torch

    return torch.device(name)


def load_masks(task: MaskTask, store: ResultsStore, class_names: tuple[str, ...]) -> MaskSet:
    """The task's motion masks in the order of `class_names`, from the store or built and stored.

    Two workers may build the same set at once: both write the same bytes. UserError names a class
    without a mask.
    """
    import numpy as np

    from datasets.masks import MaskSet, build_masks, select_masks

    if not store.is_complete("masks", task.identity):
        if task.released_folder:
            masks = _released_masks(task)
        else:
            masks = build_masks(_view(task))
        buffer = io.BytesIO()
        np.save(buffer, masks.images, allow_pickle=False)
        store.write(
            "masks",
            task.identity,
            task.record,
            {"masks.npy": buffer.getvalue()},
            classes=list(masks.class_names),
        )
    manifest = store.manifest("masks", task.identity)
    assert manifest is not None
    images = np.load(io.BytesIO(store.read("masks", task.identity, "masks.npy")), allow_pickle=False)
    return select_masks(MaskSet(class_names=tuple(manifest["classes"]), images=images), class_names)


def _released_masks(task: MaskTask) -> MaskSet:
    """The released masks that the task's record names. UserError where the files have changed since."""
    from datasets.released_masks import released_mask_set
    from datasets.store import PreparedStore

    size = PreparedStore.open(Path(task.data.folder)).size_pixels
    masks = released_mask_set(Path(task.released_folder), task.released_fold, task.data.class_names, size)
    if masks.hash != task.record["released"]:
        raise UserError(
            f"the masks in {task.released_folder} are no longer those that this run was planned with; "
            "run the same command again."
        )
    return masks


def _predictions(task: FoldTask, view: FoldView, outcome: FoldOutcome) -> tuple[bytes, float]:
    """The predictions as a Parquet file, and the share that is right."""
    import numpy as np

    from platform.evaluation.predictions import Predictions, to_bytes

    rows, names = outcome.evaluation_rows, np.array(outcome.class_names)
    true, predicted = names[view.labels(rows)], names[outcome.scores.argmax(1)]
    predictions = Predictions(
        dataset=np.full(len(rows), task.data.dataset),
        fold=np.full(len(rows), task.fold_index, dtype=np.int64),
        subject=view.subjects(rows),
        sequence=view.sequences(rows),
        image=view.image_names(rows),
        true=true,
        predicted=predicted,
        class_names=outcome.class_names,
        scores=outcome.scores,
    )
    content = to_bytes(predictions, f"fold run {task.identity}")
    return content, float((true == predicted).mean())


def pictures_png(pictures: dict[str, np.ndarray]) -> bytes:
    """PNG of a grid: a row a kind of picture (in the dictionary's order), a column a face."""
    import numpy as np
    from PIL import Image

    rows = []
    for values in pictures.values():  # float32 [n, 1 or 3, S, S] in [0, 1]
        colour = np.repeat(values, 3, axis=1) if values.shape[1] == 1 else values
        rows.append(np.concatenate(list(colour.transpose(0, 2, 3, 1)), axis=1))
    pixels = (np.concatenate(rows, axis=0).clip(0, 1) * 255).round().astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


Executor = Callable[..., dict[str, Any]]
"""The shape of `execute`: tests pass a stand-in."""
