"""TensorBoard logs of an experiment, rebuilt from the results store each time.

`<row>/fold-0/` holds the curves of a fold run (every measure of `curves.json`, also of stage 1), the quality
of its masks (step = fold) and its pictures of test faces. `<row>/` holds the accuracy of its folds (step =
fold), `figures/` the figures, and `trials/trial-0000/` configuration and score of a trial (tab HPARAMS).
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.catalogue import file_name
from platform.aggregation.aggregate import AggregatedRow
from platform.experiments.experiment_file import seed_words, studies_of
from platform.files.json_files import parse_own_json
from platform.files.opening import read_bytes
from platform.runs.artifact_records import artifacts_of, folder_of
from platform.runs.store import Kind, ResultsStore

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def write_tensorboard(
    folder: Path,
    store: ResultsStore,
    experiment: Mapping[str, Any],
    aggregated: Sequence[AggregatedRow],
    figures: Mapping[str, Path],
) -> None:
    """Replace `folder` by new logs. aggregated: the experiment's rows, in its order.

    figures: title to PNG file.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for index, (row, made) in enumerate(zip(experiment["rows"], aggregated, strict=True)):
        _write_row(folder / row_slug(index, row, experiment), store, row, made)
    _write_figures(folder / "figures", figures)
    studies = studies_of(experiment)
    for study in studies:
        place = folder / "trials" if len(studies) == 1 else folder / "trials" / study["name"]
        for trial in study["trials"]:
            _write_trial(place / f"trial-{trial['number']:04d}", trial)


def row_slug(index: int, row: Mapping[str, Any], experiment: Mapping[str, Any]) -> str:
    """A row's name for files and folders: `00-fmpn-synthetic`; `00-fmpn-synthetic-seed-0` among several
    seeds."""
    seed = seed_words(row, experiment).replace(", seed ", "-seed-")
    return f"{index:02d}-{row['method']}-{file_name(row['dataset'])}{seed}"


def read_curves(store: ResultsStore, identity: str) -> dict[str, list[dict[str, Any]]]:
    """Stage to epochs of a finished fold run and of the artifacts that it uses itself."""
    curves: dict[str, list[dict[str, Any]]] = {}
    for name, artifact in artifacts_of(store.record("fold_runs", identity)).items():
        manifest = store.manifest(folder_of(name), artifact)
        if manifest is not None and "curves.json" in manifest.get("sha256", {}):
            curves.update(_curves(store, folder_of(name), artifact))
    curves.update(_curves(store, "fold_runs", identity))
    return curves


def _curves(store: ResultsStore, kind: Kind, identity: str) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = parse_own_json(
        store.read(kind, identity, "curves.json"), f"the curves of {kind} {identity}"
    )
    return found


def _write_row(folder: Path, store: ResultsStore, row: Mapping[str, Any], made: AggregatedRow) -> None:
    from torch.utils.tensorboard import SummaryWriter

    for run in row["runs"]:
        if run["fold"] in made.row.problems:
            continue
        with SummaryWriter(str(folder / f"fold-{run['fold']}")) as writer:
            for stage, epochs in read_curves(store, run["identity"]).items():
                for values in epochs:
                    for name, value in values.items():
                        if name != "epoch":
                            writer.add_scalar(f"{stage}/{name}", value, values["epoch"])
            _write_masks(writer, store, run["identity"], run["fold"])
    if made.row.scores is not None:
        with SummaryWriter(str(folder)) as writer:
            for fold in made.row.scores.folds:
                units = "sequences" if made.row.scores_sequences else "images"
                writer.add_scalar(f"test/accuracy of each fold, {units}", fold.accuracy, fold.fold)


def _write_masks(writer: SummaryWriter, store: ResultsStore, identity: str, fold: int) -> None:
    """Mask quality and pictures of a fold run; a net without masks has neither."""
    manifest = store.manifest("fold_runs", identity) or {}
    for name, value in (manifest.get("mask_quality") or {}).items():
        if value is not None:
            writer.add_scalar(f"mask_quality/{name}", value, fold)
    if "pictures.png" in manifest["sha256"]:
        names = manifest.get("pictures")
        title = "test faces" + (f", from above: {', '.join(names)}" if names else "")
        _write_image(writer, title, store.read("fold_runs", identity, "pictures.png"))


def _write_image(writer: SummaryWriter, title: str, png: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        writer.add_image(title, np.asarray(image.convert("RGB")), dataformats="HWC")


def _write_figures(folder: Path, figures: Mapping[str, Path]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder)) as writer:
        for title, path in figures.items():
            _write_image(writer, title, read_bytes(path))


def _write_trial(folder: Path, trial: Mapping[str, Any]) -> None:
    from torch.utils.tensorboard import SummaryWriter

    # TensorBoard accepts only numbers, booleans and text.
    settings = {
        name: value if isinstance(value, bool | int | float | str) else str(value)
        for name, value in trial["params"].items()
    }
    metrics = {} if trial["score"] is None else {"score": trial["score"]}
    with SummaryWriter(str(folder)) as writer:
        writer.add_hparams({**settings, "state": trial["state"]}, metrics, run_name=".")
