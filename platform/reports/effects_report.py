"""The ablation of a finished experiment as screen text, file and figure, and its computing time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from platform.aggregation.aggregate import aggregate_experiment
from platform.experiments.led_files import write_as_leader
from platform.host.durations import duration
from platform.reports.effects import effects_figure, effects_markdown, effects_screen, measure_effects
from platform.reports.figures import save_figure
from platform.runs.artifact_records import artifacts_of, folder_of
from platform.runs.store import ResultsStore
from platform.tables.displayable import displayable


def write_effects(store: ResultsStore, experiment: Mapping[str, Any]) -> str:
    """Write `effects.md` and `figures/effects.png` beside the table; return the text for the screen."""
    folder = store.experiment_folder(experiment["name"])
    effects = displayable(measure_effects(experiment, aggregate_experiment(store, experiment)))
    if not effects:
        return hours_text(store, experiment)
    write_as_leader(folder / "effects.md", effects_markdown(effects))
    figure = folder / "figures" / "effects.png"
    save_figure(effects_figure(effects), figure)
    return "\n".join(
        [
            effects_screen(effects),
            f"Ablation as table and figure: {folder / 'effects.md'}, {figure}",
            hours_text(store, experiment),
        ]
    )


def hours_text(store: ResultsStore, experiment: Mapping[str, Any]) -> str:
    """Computing time of the experiment's runs; what several share counts once."""
    shared: dict[tuple[str, str], float] = {}
    seconds = 0.0
    runs = [run["identity"] for row in experiment["rows"] for run in row["runs"]]
    for identity in dict.fromkeys(runs):
        seconds += (store.manifest("fold_runs", identity) or {}).get("seconds", 0.0)
        for name, artifact in artifacts_of(store.record("fold_runs", identity)).items():
            manifest = store.manifest(folder_of(name), artifact) or {}
            if "seconds" in manifest:
                shared[name, artifact] = manifest["seconds"]
    return (
        f"Computing time: {duration(seconds + sum(shared.values()))}, summed over {len(set(runs))} "
        f"fold runs and {len(shared)} shared stages, some of which ran in parallel."
    )
