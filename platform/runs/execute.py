"""Execution of one task: read its inputs, train, and store the result.

Runs in any process that can access the prepared store and the results store. Independent of Ray.
"""

from __future__ import annotations

import io
import json
import shutil
import sys
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.files.local_storage import LocalStorage
from platform.runs.attempts import Attempt
from platform.runs.environment_failure import environment_failure
from platform.runs.provenance import provenance
from platform.runs.scratch import drop_scratch, own_scratch
from platform.runs.store import ResultsStore, results_storage
from platform.runs.tasks import ArtifactTask, FoldTask

if TYPE_CHECKING:
    import numpy as np
    import torch

    from platform.training.loop import Report
    from platform.training.stages import FoldOutcome
    from platform.training.workers import Workers

LIBRARIES = (
    "torch", "torchvision", "numpy", "ray", "optuna", "albumentations", "opencv-python-headless",
)  # fmt: skip
"""Their versions go into the manifest: they can change the last bits, but are no part of the identity."""


def execute(
    task: FoldTask | ArtifactTask,
    runs_root: str,
    *,
    keep_weights: bool = True,
    report: Report = lambda values: None,
    workers: Workers | None = None,
    scratch: Path | None = None,
    attempt: Attempt | None = None,
) -> dict[str, Any]:
    """Execute `task` unless its result exists; return its manifest.

    An exception of the code is stored as a failed result with its traceback: the manifest's `status` is
    `complete` or `failed`. Final fold runs keep their weights if `keep_weights`. A killed run continues from
    its newest checkpoint. With several `workers`, all compute and the first one writes; an exception is then
    raised as well, so that the others do not wait for ever.

    scratch: the checkpoint folder that all `workers` share (`own_scratch`); None creates one.
    attempt: the right to write, which ends when a newer attempt begins; None writes in any case.
    Raises EnvironmentFailure where the disk is full, a file is missing, a newer attempt has begun or the
    like. Nothing is stored then, because the task may succeed when it runs again.
    """
    try:
        return _execute(task, runs_root, keep_weights, report, workers, scratch, attempt)
    except Exception as error:
        unable = environment_failure(error)
        if unable is None:
            raise
        raise unable from error


def _execute(
    task: FoldTask | ArtifactTask,
    runs_root: str,
    keep_weights: bool,
    report: Report,
    workers: Workers | None,
    scratch: Path | None,
    attempt: Attempt | None,
) -> dict[str, Any]:
    may_write = attempt.check if attempt else lambda: None
    store, kind = ResultsStore(Path(runs_root), results_storage(may_write)), task.kind
    finished = store.manifest(kind, task.identity)
    if finished is not None and finished["status"] == "complete":
        # A kill may have struck after the manifest was written and before these were removed.
        shutil.rmtree(store.root / "checkpoints" / task.identity, ignore_errors=True)
        return finished
    may_write()  # before it takes over the checkpoints of the attempt that replaced it
    checkpoints = scratch or own_scratch(store.root, task.identity)
    _prepare_process(task.record["cpu_threads"])
    team = _Team(task, store.root, checkpoints, report, workers, may_write)
    try:
        if isinstance(task, ArtifactTask):
            files, facts = _execute_artifact(task, store, team.context)
        else:
            files, facts = _execute_fold(task, store, keep_weights and task.role == "final", team.context)
    except Exception as error:
        if not team.writes or environment_failure(error) is not None:
            raise
        failure = store.write_failure(
            kind,
            task.identity,
            task.record,
            traceback.format_exc(),
            provenance=provenance(task.record["device"]),
        )
        if team.alone:
            return failure
        raise
    if not team.writes:
        return {}
    manifest = store.write(kind, task.identity, task.record, files, **facts)
    drop_scratch(checkpoints)
    return manifest


class _Team:
    """The workers of one run, and the context that training needs: device, report, checkpoints, cache."""

    def __init__(
        self, task: FoldTask | ArtifactTask, root: Path, checkpoints: Path, report: Report,
        workers: Workers | None, may_write: Callable[[], None],
    ) -> None:  # fmt: skip
        from platform.runs.item_cache import ItemCache
        from platform.training.checkpoint import Checkpoints
        from platform.training.workers import ALONE

        together = workers or ALONE
        self.alone = together.count == 1
        self.writes = together.rank == 0
        self.context: dict[str, Any] = {
            "device": _device(task.record["device"]),
            "report": report,
            "workers": together,
            "cached": ItemCache(root, cpu_threads=task.record["cpu_threads"], writes=self.writes),
            "checkpoints": Checkpoints(
                folder=checkpoints,
                every_epochs=task.checkpoint_every_epochs,
                writes=self.writes,
                storage=LocalStorage(may_write=may_write),
            ),
        }


Outcome = tuple[dict[str, bytes], dict[str, Any]]
"""Files of a result by name, and the facts for its manifest."""


def _prepare_process(cpu_threads: int) -> None:
    """Set what changes the last bits: a reused worker may have another number of threads."""
    import torch

    torch.set_num_threads(cpu_threads)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    # Scoring always uses float32; torch's default would let convolutions use TF32.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def _execute_artifact(task: ArtifactTask, store: ResultsStore, context: dict[str, Any]) -> Outcome:
    from platform.runs.artifacts import artifact_settings, load_inputs
    from platform.runs.task_view import view_of
    from platform.training.tools import RunTools

    view, settings = view_of(task), artifact_settings(task)
    tools = RunTools(view=view, settings=settings, minimum_batch=task.costs.minimum_batch, **context)
    made = task.artifact.make(view, settings, load_inputs(task, store), tools)
    return dict(made.files), {**made.facts, **_facts(context)}


def _execute_fold(
    task: FoldTask, store: ResultsStore, keep_weights: bool, context: dict[str, Any]
) -> Outcome:
    from platform.models import load_method
    from platform.runs.artifacts import load_inputs
    from platform.runs.task_view import view_of
    from platform.training.stages import train_and_evaluate

    view = view_of(task)
    method = load_method(task.record["method"])
    outcome = train_and_evaluate(
        method,
        method.settings(task.record["config"]),
        view,
        load_inputs(task, store),
        minimum_batch=task.costs.minimum_batch,
        **context,
    )
    files = {"curves.json": json.dumps(outcome.curves).encode()}
    files["predictions.parquet"], accuracy = _predictions(task, outcome)
    files |= _measured(task, outcome)
    if outcome.pictures:
        files["pictures.png"] = pictures_png(outcome.pictures)
    if keep_weights:
        files |= outcome.fitted.save()
    facts = _facts(context)
    facts |= {"accuracy": accuracy, outcome.scored.counted_as: len(outcome.scores)}
    if outcome.pictures:
        facts["pictures"] = list(outcome.pictures)
    return files, {**facts, **outcome.diagnostics}


def _facts(context: dict[str, Any]) -> dict[str, Any]:
    libraries = {name: version(name) for name in LIBRARIES}
    libraries["python"] = sys.version.split()[0]
    seconds = round(context["checkpoints"].clock.seconds(), 3)
    where = provenance(str(context["device"]))
    return {"seconds": seconds, "libraries": libraries, "provenance": where, **context["cached"].facts()}


def _device(name: str) -> torch.device:
    """UserError: torch finds no GPU, which says something about this host and nothing about the run."""
    import torch

    if torch.device(name).type == "cuda" and not torch.cuda.is_available():
        raise UserError(
            f"the run was planned for {name}, but torch finds no GPU there; look at the driver (nvidia-smi), "
            "or pass --gpus-per-run 0 to train on the CPU."
        )
    return torch.device(name)


def _predictions(task: FoldTask, outcome: FoldOutcome) -> tuple[bytes, float]:
    """The predictions as a Parquet file, and their accuracy in [0, 1]."""
    import numpy as np

    from platform.evaluation.predictions import Predictions, to_bytes

    scored, names = outcome.scored, np.array(outcome.class_names)
    count, true, predicted = len(outcome.scores), names[scored.labels], names[outcome.scores.argmax(1)]
    predictions = Predictions(
        dataset=np.full(count, task.data.dataset),
        fold=np.full(count, task.fold_index, dtype=np.int64),
        subject=scored.subjects,
        sequence=scored.sequences,
        image=scored.names,
        true=true,
        predicted=predicted,
        class_names=outcome.class_names,
        scores=outcome.scores,
    )
    content = to_bytes(predictions, f"fold run {task.identity}", _metadata(task))
    return content, float((true == predicted).mean())


def _measured(task: FoldTask, outcome: FoldOutcome) -> dict[str, bytes]:
    """A file for each fact whose numbers are stored too, with the lines of the predictions."""
    import numpy as np

    from platform.evaluation.measured_values import MeasuredValues, file_name, to_bytes

    scored = outcome.scored
    return {
        file_name(fact): to_bytes(
            MeasuredValues(
                fold=np.full(len(scored.labels), task.fold_index, dtype=np.int64),
                subject=scored.subjects,
                image=scored.names,
                true=np.array(outcome.class_names)[scored.labels],
                values=values,
            ),
            _metadata(task),
        )
        for fact, values in outcome.measured.items()
    }


def _metadata(task: FoldTask) -> dict[str, str]:
    """What a file of the fold run says of itself to those who meet it without its record."""
    facts = {"method": task.record["method"], "seed": str(task.record["seed"]), "role": task.role}
    return facts | {"fold": str(task.fold_index), "identity": task.identity}


def pictures_png(pictures: dict[str, np.ndarray]) -> bytes:
    """A grid as PNG: one row per kind of picture (in the order of the dictionary), one column per face."""
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
