"""Figures of an experiment, as matplotlib figures and PNG files about 900 pixels wide.

Colours are Okabe and Ito's palette for colour-blind readers; marker shapes repeat the information of colours.
matplotlib is imported inside the functions, so that a command's `--help` does not wait for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES = 9.0
DOTS_PER_INCH = 100
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C8C8C")
_STATE_NAMES = {"COMPLETE": "finished", "FAIL": "failed"}
_STATE_MARKERS = {"COMPLETE": "o", "PRUNED": "v", "FAIL": "X", "RUNNING": "s", "WAITING": "s"}
_CURVE_TITLES = {
    "loss": "training loss",
    "classification_loss": "classification loss",
    "mask_loss": "mask loss",
    "training_accuracy": "training accuracy",
}
"""Drawn measures in this order; TensorBoard also has speeds and learning rates."""
_OTHER_MEASURES = ("_loss", "_training_accuracy")
"""Endings of measures drawn after them: those of a stage with several players."""


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG without date or version, so that equal figures are equal files.

    Texts are drawn literally: a `$` in a class name does not start a formula, which could be invalid.
    """
    from matplotlib import rc_context
    from matplotlib.text import Text

    path.parent.mkdir(parents=True, exist_ok=True)
    for text in figure.findobj(Text):
        text.set_parse_math(False)
    with rc_context({"text.parse_math": False}):  # for texts created while drawing
        figure.savefig(path, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})


def mask_figure(masks: np.ndarray, class_names: Sequence[str], title: str = "Motion masks") -> Figure:
    """One motion mask a class, as in the paper's figure 2. masks: uint8 (K, S, S), 255 for most motion."""
    figure, grid = _grid(1, len(class_names), title)
    for axes, mask, name in zip(grid[0], masks, class_names, strict=True):
        axes.imshow(mask, cmap="gray", vmin=0, vmax=255)
        axes.set_title(name, fontsize=10)
    return figure


def contact_sheet(
    images: np.ndarray,
    subjects: Sequence[str],
    expressions: Sequence[str],
    title: str = "Faces as the networks receive them",
    *,
    most_subjects: int = 6,
) -> Figure:
    """Subjects (rows) by expressions (columns, sorted): the first image of each, or a gap.

    images: uint8 (n, S, S, 3) RGB. subjects, expressions: n names. The first `most_subjects` subjects
    by name are shown.
    """
    shown = sorted(set(subjects))[:most_subjects]
    columns = sorted(set(expressions))
    first: dict[tuple[str, str], np.ndarray] = {}
    for image, subject, expression in zip(images, subjects, expressions, strict=True):
        first.setdefault((subject, expression), image)
    figure, grid = _grid(len(shown), len(columns), title)
    for row, subject in enumerate(shown):
        for column, expression in enumerate(columns):
            axes = grid[row][column]
            if (subject, expression) in first:
                axes.imshow(first[subject, expression])
            if row == 0:
                axes.set_title(expression, fontsize=10)
            if column == 0:
                axes.set_ylabel(subject, fontsize=9, rotation=0, ha="right", va="center")
    return figure


def curves_figure(curves: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]], title: str) -> Figure:
    """Training curves of one stage: one panel per measure, one colour per row of the table.

    curves: row's name to its fold runs' curves, each a list of epochs as in curves.json
    (`{"epoch": 1, "loss": 0.5, ...}`). Thin lines are folds, thick lines their mean.
    """
    from matplotlib.ticker import MaxNLocator

    present = {key for folds in curves.values() for epochs in folds for values in epochs for key in values}
    others = {key for key in present if key.endswith(_OTHER_MEASURES)}.difference(_CURVE_TITLES)
    measures = [*(key for key in _CURVE_TITLES if key in present), *sorted(others)]
    if not measures:
        raise ValueError(f"curves must hold one of {', '.join(_CURVE_TITLES)}, got {sorted(present)}")
    figure, grid = _grid(-(-len(measures) // 2), 2, title, height=3.0, frame=True)
    panels = [axes for line in grid for axes in line]
    for axes in panels[len(measures) :]:
        axes.set_visible(False)
    for axes, measure in zip(panels, measures, strict=False):
        for index, (name, folds) in enumerate(curves.items()):
            _draw_curves(axes, folds, measure, OKABE_ITO[index % len(OKABE_ITO)], name)
        axes.set_title(_CURVE_TITLES.get(measure, measure.replace("_", " ")), fontsize=11)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.25)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(2, len(labels)), frameon=False)
    return figure


def _draw_curves(axes: Axes, folds: Sequence[Any], measure: str, colour: str, name: str) -> None:
    """Folds as thin lines and their mean as a thick one, up to the last epoch of the shortest fold."""
    lines = [[values[measure] for values in epochs if measure in values] for epochs in folds]
    lines = [line for line in lines if line]
    if not lines:
        return
    for line in lines:
        axes.plot(range(1, len(line) + 1), line, color=colour, alpha=0.22, linewidth=0.8)
    shortest = min(len(line) for line in lines)
    mean = np.mean([line[:shortest] for line in lines], axis=0)
    # A single epoch draws no line, so it gets a marker.
    marker = "o" if shortest == 1 else ""
    axes.plot(range(1, shortest + 1), mean, color=colour, linewidth=2.2, marker=marker, label=name)


def study_figure(trials: Sequence[Mapping[str, Any]], objective: str) -> Figure:
    """The search: score by trial number, colour by backbone, shape by state, and the best score so far.

    trials: as in experiment.json (`number`, `state`, `params`, `score` or None). Trials without a score
    (failed, or pruned before their first fold) lie on the bottom line.
    """
    from matplotlib.ticker import MaxNLocator

    figure, axes = _figure(4.6)
    scored = [trial for trial in trials if trial["score"] is not None]
    floor = min((trial["score"] for trial in scored), default=0.0) - 0.03
    backbones = sorted({_backbone(trial) for trial in trials})
    for trial in trials:
        score = floor if trial["score"] is None else trial["score"]
        axes.scatter(
            trial["number"],
            100 * score,
            color=OKABE_ITO[backbones.index(_backbone(trial)) % len(OKABE_ITO)],
            marker=_STATE_MARKERS.get(trial["state"], "D"),
            s=70,
            edgecolors="white",
            linewidths=0.8,
            zorder=3,
        )
    finished = sorted((t for t in scored if t["state"] == "COMPLETE"), key=lambda trial: trial["number"])
    if finished:
        best = 100 * np.maximum.accumulate([trial["score"] for trial in finished])
        axes.step(
            [t["number"] for t in finished], best, where="post", color="#8C8C8C", linewidth=1.2, zorder=1
        )
    if len(scored) < len(trials):
        axes.axhline(100 * floor, color="#8C8C8C", linewidth=0.8, linestyle=":")
        axes.text(
            1.0, 100 * floor, " no score", transform=axes.get_yaxis_transform(), va="center", fontsize=9
        )
    axes.set_xlabel("trial")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel(f"{objective} (%)")
    axes.set_title("Search: score of each trial")
    axes.grid(alpha=0.25)
    right = 1.08 if len(scored) < len(trials) else 1.01
    handles = _study_legend(backbones, trials, bool(finished))
    axes.legend(handles=handles, loc="center left", bbox_to_anchor=(right, 0.5), frameon=False)
    return figure


def _study_legend(backbones: Sequence[str], trials: Sequence[Mapping[str, Any]], best: bool) -> list[Any]:
    from matplotlib.lines import Line2D

    def point(label: str, colour: str, marker: str) -> Line2D:
        return Line2D([], [], linestyle="", marker=marker, markersize=8, color=colour, label=label)

    handles = [point(name, OKABE_ITO[index % len(OKABE_ITO)], "o") for index, name in enumerate(backbones)]
    for state in dict.fromkeys(trial["state"] for trial in trials):
        handles.append(
            point(_STATE_NAMES.get(state, state.lower()), "#444444", _STATE_MARKERS.get(state, "D"))
        )
    if best:
        handles.append(Line2D([], [], color="#8C8C8C", linewidth=1.2, label="best so far"))
    return handles


def _backbone(trial: Mapping[str, Any]) -> str:
    return str(trial["params"].get("backbone", "one backbone"))


def _figure(height: float) -> tuple[Figure, Axes]:
    """One panel of full width."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained", facecolor="white")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _grid(
    rows: int, columns: int, title: str, *, height: float | None = None, frame: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """Panels of equal size; `height` of a row in inches (default: square), `frame=False` hides axes."""
    from matplotlib.figure import Figure

    # 0.94: gaps and row names make panels narrower than their share of the width.
    row_height = 0.94 * WIDTH_INCHES / columns if height is None else height
    figure = Figure(figsize=(WIDTH_INCHES, rows * row_height + 0.55), layout="constrained", facecolor="white")
    panels = figure.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.spines[:].set_visible(frame)
        if frame:
            axes.spines[["top", "right"]].set_visible(False)
        else:
            axes.set_xticks([])
            axes.set_yticks([])
    figure.suptitle(title, fontsize=12)
    return figure, [list(line) for line in panels]
