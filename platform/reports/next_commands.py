"""Commands that follow a finished experiment; they work as printed, from the same folder."""

from __future__ import annotations

import itertools
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform.config.training_seeds import MOST_SEEDS, training_seeds
from platform.experiments.experiment_file import studies_of
from platform.host.launcher import command_words, pasteable, this_python

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

TABLE_PURPOSE = (
    "Show the table with all columns and notes (--format markdown, latex, csv or json for other uses)"
)
WINNER_PURPOSE = (
    "Train the chosen configuration with more seeds, beside those that it has (--dataset names another data "
    "set)"
)
SEEDS_PURPOSE = "Run every row with more seeds, under the same name (finished fold runs are kept)"
FEW_SEEDS = 3
"""So many are suggested to whoever has fewer; to others two more than they have."""


def next_commands(
    store: ResultsStore, experiment: Mapping[str, Any], logs: Path, winners: Sequence[Path]
) -> dict[str, str]:
    """Purpose to command. experiment: content of experiment.json. logs: the TensorBoard folder. winners: the
    file of the chosen configuration, if there is exactly one."""
    runs, name = shlex.quote(shown_path(store.root)), shlex.quote(experiment["name"])
    table = shlex.join(command_words("table"))
    return {
        **({WINNER_PURPOSE: _winner_again(store, experiment, winners[0])} if winners else {}),
        "Curves, figures and trials in TensorBoard": (
            f"{shlex.quote(this_python())} -m tensorboard.main --logdir {shlex.quote(shown_path(logs))}"
        ),
        **_dashboard(experiment),
        TABLE_PURPOSE: f"{table} --runs {runs} --experiment {name}",
        **({} if studies_of(experiment) else _with_more_seeds(experiment)),
        "Continue after an interruption (finished fold runs are kept)": pasteable(experiment["command"]),
    }


def _winner_again(store: ResultsStore, experiment: Mapping[str, Any], winner: Path) -> str:
    """The command that trains the chosen configuration with more seeds, those that it has among them."""
    seeds = _more_seeds(experiment)
    words = [
        "--config",
        shown_path(winner),
        "--seeds",
        str(seeds),
        "--name",
        f"{experiment['name']}-{seeds}-seeds",
    ]
    kept = _flags_of(experiment["command"], ("--data-root", "--address", "--method", "--plugins"))
    words += [word for flag, value in kept.items() if _is_no_setting(flag, value) for word in (flag, value)]
    return shlex.join([*command_words("crossval"), *words, "--runs", shown_path(store.root)])


def _more_seeds(experiment: Mapping[str, Any]) -> int:
    """The number of seeds to go on with."""
    count = int(experiment["config"].get("seeds", 1))
    return min(FEW_SEEDS if count < FEW_SEEDS else count + 2, MOST_SEEDS)


def _with_more_seeds(experiment: Mapping[str, Any]) -> dict[str, str]:
    """The experiment's own command with more seeds; nothing where its rows have other seeds than those of
    --seed and --seeds, which a reproduction may list."""
    config = experiment["config"]
    own = training_seeds(int(config.get("seed", 0)), int(config.get("seeds", 1)))
    if {row.get("seed") for row in experiment["rows"]} != set(own):
        return {}
    words, left = [], iter(shlex.split(experiment["command"]))
    for word in left:
        if word == "--seeds":
            next(left, None)
        elif not word.startswith("--seeds="):
            words.append(word)
    more = shlex.join([*words, "--seeds", str(_more_seeds(experiment))])
    return {SEEDS_PURPOSE: pasteable(more)}


def _is_no_setting(flag: str, value: str) -> bool:
    """Whether a flag says what winner.yaml does not: a method's name is in it, a method's file is not."""
    return flag != "--method" or value.partition(":")[0].endswith(".py")


def _flags_of(command: str, names: Sequence[str]) -> dict[str, str]:
    """Those of the flags `names` that a stored command has, with their values."""
    words = shlex.split(command)
    found = {name: value for name, value in itertools.pairwise(words) if name in names}
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name in names:
            found[name] = value
    return found


def _dashboard(experiment: Mapping[str, Any]) -> dict[str, str]:
    """The command that shows the search's studies in a browser."""
    studies = studies_of(experiment)
    if not studies:
        return {}
    location = studies[0]["storage"]
    shown = location if "://" in location else shown_path(Path(location))
    program = shown_path(Path(sys.executable).with_name("optuna-dashboard"))
    return {"The search in a browser": shlex.join([program, shown])}


def shown_path(path: Path) -> str:
    """`path` relative to the working directory if it lies below it, as a user would type it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
