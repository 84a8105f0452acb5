"""Checked arguments of `prepare_dataset` from the flags of `python -m platform.prepare`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.alignment.face_alignment_detector import FaceAlignmentDetector
from datasets.alignment.landmark_detection import Detector, detect_dense, detect_landmarks
from datasets.catalogue import raw_folder
from datasets.fold_lists.frame_lists import read_frame_list
from datasets.prepared.layer_frames import LayerSources
from datasets.raw.choices import BadItems, Choices
from datasets.raw.class_names import read_renamed
from datasets.records import DatasetDescription, FrameRecord
from platform.cli.progress_line import ProgressLine
from platform.errors import UserError
from platform.host.machine_limits import usable_cpus

DETECT = "detect"
"""Value of --landmarks that selects face-alignment."""


def preparation_settings(arguments: argparse.Namespace, description: DatasetDescription) -> dict[str, Any]:
    """Keyword arguments of `prepare_dataset`. Raises UserError for values out of range."""
    raw = raw_folder(arguments.data_root, arguments.dataset)
    if description.embedded and arguments.source is None and not raw.exists():
        print(f"drawing {description.title} into {raw} first (about ten seconds) ...", flush=True)
    workers = arguments.workers if arguments.workers is not None else usable_cpus()
    for flag, value, least in (
        ("--workers", workers, 1),
        ("--allow-missing", arguments.allow_missing, 0),
        ("--per-class", 1 if arguments.per_class is None else arguments.per_class, 1),
        ("--draw-seed", arguments.draw_seed, 0),
    ):
        if value < least:
            raise UserError(f"{flag} must be at least {least}, but got {value}; pass {flag} {least} or more.")
    if arguments.allow_missing and arguments.landmarks is None:
        raise UserError(
            "--allow-missing skips frames without a face in --landmarks, so it needs --landmarks; remove it, "
            "or pass --landmarks."
        )
    detect = arguments.landmarks == DETECT
    return {
        "data_root": arguments.data_root,
        "source": arguments.source,
        "landmarks": None if detect or arguments.landmarks is None else Path(arguments.landmarks),
        "find_landmarks": _detection(arguments) if detect else None,
        "allow_missing": arguments.allow_missing,
        "aligned": arguments.aligned,
        "resample": arguments.resample,
        "choices": Choices(
            frames=None if arguments.frames is None else read_frame_list(arguments.frames),
            whole_sequences=arguments.whole_sequences,
            per_class=arguments.per_class,
            draw_seed=arguments.draw_seed,
            renamed=read_renamed(arguments.map or []),
            own_classes=arguments.classes_from_folders,
        ),
        "skip_bad": arguments.skip_bad,
        "workers": workers,
    }


def layer_settings(
    arguments: argparse.Namespace, settings: Mapping[str, Any]
) -> tuple[list[str], LayerSources]:
    """The layers to add, and what they are made from. settings: those of the images."""
    asked = {
        "sequences": arguments.sequences,
        "landmarks": arguments.dense_landmarks is not None,
        "neutral": arguments.neutral_class,
    }
    shared = ("data_root", "source", "landmarks", "find_landmarks", "skip_bad", "workers")
    return [name for name, is_asked in asked.items() if is_asked], LayerSources(
        **{name: settings[name] for name in shared},
        find_dense=_detection(arguments) if arguments.dense_landmarks == DETECT else None,
    )


@dataclass(frozen=True, kw_only=True)
class _FaceAlignment:
    """Landmark detection by face-alignment, as the flags configure it."""

    detector: Detector
    cache_folder: Path
    allow_missing: int

    @property
    def name(self) -> str:
        return self.detector.name

    def __call__(
        self, records: list[FrameRecord], read_frame: Callable[[FrameRecord], np.ndarray], bad: BadItems
    ) -> list[FrameRecord]:
        found, report = detect_landmarks(
            records,
            read_frame,
            self.detector,
            self.cache_folder,
            ProgressLine("searched for faces"),
            allow_missing=self.allow_missing,
            bad=bad,
        )
        for image_name, why in report.left_out:
            bad.leave_out(image_name, why)
        print("\n".join(report.lines()))
        return found

    def dense(
        self,
        records: list[FrameRecord],
        read_frame: Callable[[FrameRecord], np.ndarray],
        *,
        skip_bad: bool,
    ) -> dict[str, np.ndarray]:
        found = detect_dense(
            records,
            read_frame,
            self.detector,
            self.cache_folder,
            ProgressLine("searched for faces"),
            bad=BadItems(skip=skip_bad),
        )
        print(f"{self.name}: a face in {len(found)} of {len(records)} frames")
        return found


def _detection(arguments: argparse.Namespace) -> _FaceAlignment:
    return _FaceAlignment(
        detector=FaceAlignmentDetector(arguments.detector, arguments.device),
        cache_folder=arguments.data_root / "landmarks",
        allow_missing=arguments.allow_missing,
    )
