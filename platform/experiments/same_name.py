"""One name, one experiment: refusal of other settings or rows under a name that is in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from platform.config.configuration import Configuration, Plan, to_dict
from platform.config.settings_file import stored_settings
from platform.config.training_seeds import named_seeds, training_seeds
from platform.errors import UserError
from platform.experiments.experiment_file import EXPERIMENT_FILE, IDENTIFYING_KEYS, read_experiment
from platform.experiments.rows import Row
from platform.models.options.fields import later_fields
from platform.runs.identity import canonical_json
from platform.runs.store import ResultsStore

SETTINGS_FILE = "config.yaml"
MAY_CHANGE = ("trials", "retries", "tune_baselines", "repeats", "seeds")
"""Settings that a later start of the same experiment may change: they change no stored result."""
ONLY_SEARCHES = ("space",)
"""Settings that change nothing without a search; a method's default space may have changed since."""
MAY_NOT_GO = ("tune_baselines",)
"""Those of MAY_CHANGE that a later start must still have: a baseline that was tuned stays tuned."""
MAY_GROW = ("repeats", "seeds")
"""Those of MAY_CHANGE that are numbers of rows: a later start may ask for more, not for fewer."""


def refuse_other_settings(folder: Path, configuration: Configuration, plan: Plan, *, search: bool) -> None:
    """UserError if the experiment of that folder was made with other settings, listing the differences.

    Stored options that the method does not have change nothing: earlier versions stored those of all methods.
    """
    path = folder / SETTINGS_FILE
    if not path.exists():
        return
    stored, current = stored_settings(path), {**to_dict(plan), **to_dict(configuration)}
    later = {**later_fields(Plan), **later_fields(type(configuration))}
    keys = [*current, *(key for key in later if key in stored and key not in current)]
    free = MAY_CHANGE if search else (*MAY_CHANGE, *ONLY_SEARCHES)
    fixed = [key for key in keys if key not in free or (key in MAY_NOT_GO and key not in current)]
    changed = [key for key in fixed if _meant(key, stored) != _meant(key, current)]
    if changed:
        shown = "; ".join(f"{key} was {stored.get(key)!r} and is now {current.get(key)!r}" for key in changed)
        raise UserError(
            f"the experiment {folder.name} was made with other settings ({shown}; they are in {path}); pass "
            "--name with a new name to keep both, or the settings it was made with."
        )
    for key in MAY_GROW:
        had, asked = stored.get(key, later[key]), current.get(key, later[key])
        if type(had) is int and had > asked:
            raise UserError(
                f"the {key} of an experiment may become more, not fewer, but {folder.name} was started with "
                f"--{key} {had}, and now it is {asked}; pass --{key} {had}, or --name with a new name, which "
                "finds the finished fold runs again."
            )


def added_seeds(store: ResultsStore, name: str, configuration: Configuration, plan: Plan) -> tuple[str, ...]:
    """A sentence if the experiment is there with fewer seeds, as one of an earlier version is."""
    folder = store.experiment_folder(name)
    if not (folder / SETTINGS_FILE).exists() or not (folder / EXPERIMENT_FILE).exists():
        return ()
    if stored_settings(folder / SETTINGS_FILE).get("seeds", 1) == plan.seeds:
        return ()
    had = {row.get("seed", configuration.seed) for row in read_experiment(store, name)["rows"]}
    added = [seed for seed in training_seeds(configuration.seed, plan.seeds) if seed not in had]
    if not added:
        return ()
    return (
        f"{name} has {named_seeds(sorted(had))} so far and gets {named_seeds(added)} more; its finished fold "
        "runs are kept",
    )


def _meant(key: str, settings: Mapping[str, Any]) -> Any:
    """What of the setting changes results: whether runs compute on a GPU, not how many share one."""
    value = settings.get(key)
    return bool(value) if key == "gpus_per_run" else value


def refuse_other_rows(store: ResultsStore, name: str, rows: Sequence[Row], selection_rule: str) -> None:
    """UserError if the stored experiment has a row that is not among `rows`.

    Rows may be added: another data set may have been prepared since.
    """
    if not (store.experiment_folder(name) / EXPERIMENT_FILE).exists():
        return
    planned = [row.describe(selection_rule) for row in rows]
    planned_by: dict[tuple[str, ...], set[str]] = {}
    for row in read_experiment(store, name)["rows"]:
        known = tuple(key for key in IDENTIFYING_KEYS if key in row)
        if known not in planned_by:
            planned_by[known] = {_said(one, known) for one in planned}
        if _said(row, known) not in planned_by[known]:
            raise UserError(
                f"running again under the same name must ask for every existing row, but {name} has a row "
                f"that is not asked for now ({row['title']} on {row['dataset']}, backbone {row['backbone']}, "
                f"masks {row['masks']}, rule {row['fold_rule']}, seed {row.get('seed', 'unknown')}); pass "
                "--name with a new name to keep both, or the flags it was made with."
            )


def _said(row: Mapping[str, Any], keys: Sequence[str]) -> str:
    """What a row says under these keys, to be compared."""
    return canonical_json([row[key] for key in keys])
