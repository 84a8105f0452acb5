"""Correlation of our motion masks with FMPN's released ones, by class and fold."""

from __future__ import annotations

from pathlib import Path

from platform.errors import UserError
from platform.experiments.experiment import Experiment
from platform.experiments.led_files import write_as_leader
from platform.runs.mask_sets import load_masks, own_masks, released_masks
from platform.tables.csv_text import csv_text

FILE = "mask_agreement.csv"


def write_mask_agreement(experiment: Experiment) -> list[str]:
    """Compare the masks of each fold's training subjects with the released masks that the experiment used.

    Writes `mask_agreement.csv` (fold, class, correlation) into the experiment's folder and returns lines
    for the screen: the mean over folds of each class's Pearson correlation, or the reason why our own masks
    cannot be built (no neutral faces).
    """
    from datasets.masks.released import correlation_by_class

    data, store = experiment.planned.data, experiment.store
    rows: list[tuple[int, str, float]] = []
    released = released_masks(experiment.planned, Path(experiment.plan.masks))
    try:
        folds, own = experiment.planned.folds.folds, own_masks(experiment.planned)
        for fold, ours, theirs in zip(folds, own, released, strict=True):
            pair = [load_masks(one, store, data.class_names) for one in (ours, theirs)]
            found = correlation_by_class(*pair)
            rows += [(fold.index, name, value) for name, value in found.items()]
    except UserError as error:
        return [f"Our own masks cannot be compared with the released ones: {error}"]
    columns = ("fold", "class", "correlation")
    records = [dict(zip(columns, (fold, name, f"{value:.4f}"), strict=True)) for fold, name, value in rows]
    write_as_leader(experiment.folder / FILE, csv_text(columns, records))
    means = {
        name: sum(value for _, one, value in rows if one == name) / len(released) for name in data.class_names
    }
    shown = ", ".join(f"{name} {value:.2f}" for name, value in means.items())
    return [
        f"Correlation of our masks of each fold's training subjects with the released ones (Pearson over "
        f"pixels, mean of {len(released)} folds): {shown}",
        f"By fold:        {experiment.folder / FILE}",
    ]
