"""Confusion matrices as a figure, in the style of the FMPN paper's figure 3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from platform.reports.figures import WIDTH_INCHES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROOM_FOR_NAMES_INCHES = 1.15
"""Height of title, class names and axis labels."""


def confusion_figure(
    matrices: Mapping[str, Sequence[Sequence[int]]], class_names: Sequence[str], title: str
) -> Figure:
    """Matrices side by side: rows are true classes; cells show the share of the row in percent and the count.

    matrices: the counted unit in plural (e.g. `images`) to K rows of K counts, as in `scores.Scores`. All
    matrices count the same items, so only the first names the true classes. A class without items has an
    empty row.
    """
    from matplotlib.figure import Figure

    height = 0.79 * WIDTH_INCHES / len(matrices) + _ROOM_FOR_NAMES_INCHES
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained", facecolor="white")
    panels = figure.subplots(1, len(matrices), squeeze=False)[0]
    for index, (axes, (what, counts)) in enumerate(zip(panels, matrices.items(), strict=True)):
        image = _draw(axes, np.asarray(counts), class_names, small=len(matrices) > 1)
        if len(matrices) > 1:
            axes.set_title(what, fontsize=10)
        if index == 0:
            axes.set_ylabel(f"true class ({what.split()[0]})")
        else:
            axes.set_yticks([])
    bar = figure.colorbar(image, ax=list(panels), fraction=0.045, pad=0.02)
    bar.set_label("share of the true class")
    bar.outline.set_visible(False)
    figure.suptitle(title, fontsize=12)
    return figure


def _draw(axes: Axes, counts: np.ndarray, class_names: Sequence[str], *, small: bool):  # type: ignore[no-untyped-def]
    """One matrix; returns matplotlib's image. counts: int (K, K)."""
    totals = counts.sum(axis=1, keepdims=True)
    rates = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)
    image = axes.imshow(rates, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in np.ndindex(*counts.shape):
        if counts[row, column]:
            _cell_text(axes, row, column, rates[row, column], int(counts[row, column]), small)
    places = range(len(class_names))
    axes.set_xticks(places, class_names, rotation=30, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, [f"{name} ({n})" for name, n in zip(class_names, totals[:, 0], strict=True)])
    # White lines between the cells: minor ticks lie on the cell borders.
    axes.set_xticks(np.arange(-0.5, len(class_names)), minor=True)
    axes.set_yticks(np.arange(-0.5, len(class_names)), minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0, labelsize=8 if small else 10)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted class")
    return image


def _cell_text(axes: Axes, row: int, column: int, rate: float, count: int, small: bool) -> None:
    colour = "white" if rate > 0.55 else "#222222"
    weight = "bold" if row == column else "normal"
    percent = f"{100 * rate:.0f}" if small else f"{100 * rate:.0f} %"
    for text, offset, size in ((percent, -0.1, 8 if small else 10), (str(count), 0.24, 6 if small else 8)):
        axes.text(
            column,
            row + offset,
            text,
            ha="center",
            va="center",
            color=colour,
            fontsize=size,
            weight=weight if offset < 0 else "normal",
        )
