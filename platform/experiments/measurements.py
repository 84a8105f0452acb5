"""Measurements of a place, each made once: kept in the folder `measurements` of the runs folder.

A file holds what was measured and everything that it depends on. One that is damaged or says otherwise is
measured again. A dry run writes none, and trains nothing to learn a memory that is not known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.errors import UserError
from platform.experiments.place import MeasurementError, Place
from platform.files.dry_run import is_dry_run
from platform.files.json_files import read_json_object
from platform.files.writing import write_atomically
from platform.runs.identity import RESULT_VERSION, canonical_json, identity
from platform.runs.peak_memory import can_be_measured, face_bytes
from platform.runs.tasks import ArtifactTask, FoldTask

if TYPE_CHECKING:
    from platform.runs.precision_speed import Speed

FOLDER = "measurements"
WITHOUT_EFFECT = ("seed",)
"""Options that change no memory."""


@dataclass(frozen=True)
class Measurements:
    """What is known of a place, and what it is asked."""

    place: Place
    runs_root: Path

    def peak_bytes(self, task: FoldTask | ArtifactTask, gpu: str) -> int | None:
        """Memory of a process that trains the task on a GPU of that model, its faces included.

        None: it does not fit on it. MeasurementError: it cannot be measured, or a dry run does not know it.
        """
        if not can_be_measured(task):
            raise MeasurementError("it trains no net by the training loop on single faces")
        depends_on = {
            "measured": "peak memory",
            "result_version": RESULT_VERSION,
            "torch": version("torch"),
            "gpu": gpu,
            "kind": task.record["kind"],
            "method": task.record.get("method", task.artifact.name if isinstance(task, ArtifactTask) else ""),
            "plugin": task.record.get("plugin", ""),
            "config": {k: v for k, v in task.record["config"].items() if k not in WITHOUT_EFFECT},
            "batch": task.batch_size,
            "classes": len(task.data.class_names),
        }
        known = self._read(depends_on)
        if type(known.get("bytes")) is int and known["bytes"] > 0:
            return int(known["bytes"]) + face_bytes(task)
        if is_dry_run():
            raise MeasurementError("a dry run trains nothing")
        measured = self.place.peak_bytes(task, gpu)
        if measured is None:
            return None
        self._write(depends_on, {"bytes": measured})
        return measured + face_bytes(task)

    def speed(self, gpu: str, cpu_threads: int) -> Speed:
        """Training in either precision on GPUs of that model, or, if it is empty, on a processor.

        MeasurementError: it cannot be measured.
        """
        from platform.runs.precision_speed import Speed

        depends_on = {
            "measured": "precision",
            "torch": version("torch"),
            "device": gpu or self.place.processor(),
            "cpu_threads": 0 if gpu else cpu_threads,
        }
        known = self._read(depends_on)
        seconds = [known.get(name) for name in ("fp32_seconds", "bf16_seconds")]
        if all(type(one) is float and one > 0 for one in seconds):
            return Speed(device=str(depends_on["device"]), fp32_seconds=seconds[0], bf16_seconds=seconds[1])  # type: ignore[arg-type]
        found = self.place.speed(gpu, cpu_threads)
        self._write(depends_on, {"fp32_seconds": found.fp32_seconds, "bf16_seconds": found.bf16_seconds})
        return found

    def _path(self, depends_on: Mapping[str, Any]) -> Path:
        return self.runs_root / FOLDER / f"{identity(dict(depends_on))}.json"

    def _read(self, depends_on: Mapping[str, Any]) -> Mapping[str, Any]:
        """What was measured; empty where nothing sound is stored."""
        path = self._path(depends_on)
        if not path.exists():
            return {}
        try:
            content = read_json_object(path)
        except UserError:  # damaged: it is measured again
            return {}
        found = content.get("found")
        stated = content.get("depends_on")
        same = isinstance(stated, dict) and canonical_json(stated) == canonical_json(depends_on)
        return found if same and isinstance(found, dict) else {}

    def _write(self, depends_on: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        if not is_dry_run():
            text = json.dumps({"depends_on": depends_on, "found": found}, indent=1)
            write_atomically(self._path(depends_on), text + "\n")
