"""Pareto front of a search for several objectives, as a figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from platform.config.objectives import OBJECTIVES
from platform.reports.figures import OKABE_ITO, WIDTH_INCHES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def front_figure(study: Mapping[str, Any]) -> Figure:
    """Accuracy against each other objective: one point per complete trial, the Pareto front joined.

    study: as in experiment.json, with `objectives` (two or more), `trials`, `front` and `winner`.
    """
    from matplotlib.figure import Figure

    first, *others = study["objectives"]
    trials = [trial for trial in study["trials"] if trial["values"]]
    figure = Figure(figsize=(WIDTH_INCHES, 4.2), layout="constrained")
    panels = figure.subplots(1, len(others), sharey=True, squeeze=False)[0]
    for axes, other in zip(panels, others, strict=True):
        for trial in trials:
            on_front = trial["number"] in study["front"]
            axes.scatter(
                _shown(other, trial["values"][other]),
                _shown(first, trial["values"][first]),
                s=70,
                color=OKABE_ITO[0] if on_front else OKABE_ITO[7],
                marker="o" if on_front else "v",
                edgecolors="white",
                zorder=3 if on_front else 2,
            )
        front = sorted(
            (_shown(other, trial["values"][other]), _shown(first, trial["values"][first]), trial["number"])
            for trial in trials
            if trial["number"] in study["front"]
        )
        if len(others) == 1:
            axes.step(
                [place for place, _, _ in front], [height for _, height, _ in front],
                where="post" if OBJECTIVES[other].sign < 0 else "pre", color=OKABE_ITO[0], linewidth=1,
            )  # fmt: skip
        for place, height, number in front:
            chosen = " (chosen)" if number == study["winner"] else ""
            axes.annotate(
                f"trial {number}{chosen}",
                (place, height),
                xytext=(5, 6),
                textcoords="offset points",
                fontsize=8,
            )
        axes.set_xlabel(_label(other))
        axes.grid(alpha=0.25)
    panels[0].set_ylabel(_label(first))
    figure.suptitle("Search: circles are the Pareto front")
    return figure


def _shown(name: str, value: float) -> float:
    return value if name in ("latency", "parameters") else 100 * value


def _label(name: str) -> str:
    direction = "less is better" if OBJECTIVES[name].sign < 0 else "more is better"
    unit = "" if name in ("latency", "parameters") else " (%)"
    return f"{OBJECTIVES[name].title}{unit}: {direction}"
