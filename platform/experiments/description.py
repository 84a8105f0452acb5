"""Stored description of an experiment: settings, folds and rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from datasets.catalogue import file_name
from datasets.folds.rules import FoldPlan
from platform.config.configuration import to_dict
from platform.config.settings_file import show
from platform.experiments.experiment import Experiment
from platform.experiments.experiment_file import write_experiment
from platform.experiments.led_files import write_as_leader
from platform.experiments.rows import Found, Row
from platform.experiments.winner_file import write_winners


def describe_experiment(
    experiment: Experiment, rows: Sequence[Row], found: Found | None = None
) -> dict[str, Any]:
    """Write experiment.json, after a search also its winner (winner_file.py), and return the content.

    found: None without a search.
    """
    rule = experiment.plan.selection_rule
    content = {
        "format": "experiment",
        "name": experiment.name,
        "command": experiment.command,
        "dataset": experiment.planned.data.dataset,
        "preset": experiment.preset,
        "selection_rule": rule,
        "config": {**to_dict(experiment.plan), **to_dict(experiment.configuration)},
        "rows": [row.describe(rule) for row in rows],
        "effects": [dataclasses.asdict(effect) for effect in experiment.effects],
        "studies": list(found.studies) if found else [],
        "economy": found.economy if found else None,
    }
    write_experiment(experiment.store, content)
    if found is not None:
        write_winners(experiment, found)
    return content


def write_settings(experiment: Experiment) -> None:
    """Store the resolved settings and the folds in the experiment's folder.

    Several splits of one data set are `folds-NAME.json`, `folds-NAME-2.json` and so on.
    """
    write_as_leader(experiment.folder / "config.yaml", show(experiment.configuration, experiment.plan))
    splits: dict[str, list[FoldPlan]] = {}
    for planned in experiment.all_data:
        of_set = splits.setdefault(planned.data.dataset, [])
        if planned.folds not in of_set:
            of_set.append(planned.folds)
    for name, plans in splits.items():
        for number, folds in enumerate(plans, start=1):
            suffix = f"-{number}" if number > 1 else ""
            write_as_leader(experiment.folder / f"folds-{file_name(name)}{suffix}.json", folds.to_json())
