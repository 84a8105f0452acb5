"""Reliability of class probabilities as a figure: accuracy by confidence, and how often each occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from platform.evaluation.unit_metrics import MeasuredBin
from platform.reports.figures import OKABE_ITO, WIDTH_INCHES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_figure(bins: Sequence[MeasuredBin], title: str, unit: str = "images") -> Figure:
    """Accuracy of each bin that is not empty against its mean confidence, with its 95 % CI over subjects;
    the diagonal is perfect calibration. Below: the share of `unit` in each bin.

    bins: in ascending order, at least one not empty, else ValueError.
    """
    from matplotlib.figure import Figure

    filled = [one for one in bins if one.bin.count]
    if not filled:
        raise ValueError("a reliability figure needs a bin that is not empty")
    figure = Figure(figsize=(WIDTH_INCHES, 6.2), layout="constrained", facecolor="white")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot(
        [0, 100], [0, 100], color="#8C8C8C", linewidth=1.0, linestyle="--", label="perfect calibration"
    )
    sure = [100 * (one.bin.mean_confidence or 0.0) for one in filled]
    right = [100 * (one.bin.accuracy or 0.0) for one in filled]
    for x, one in zip(sure, filled, strict=True):
        if one.interval is not None:
            ends = [100 * one.interval.low, 100 * one.interval.high]
            upper.plot([x, x], ends, color=OKABE_ITO[0], linewidth=1.4, alpha=0.6)
    upper.plot(
        sure, right, color=OKABE_ITO[0], marker="o", linewidth=1.2, label="accuracy, 95 % CI over subjects"
    )
    total = sum(one.bin.count for one in filled)
    lower.bar(
        [50 * (one.bin.low + one.bin.high) for one in bins],
        [100 * one.bin.count / total for one in bins],
        width=94 / len(bins),
        color=OKABE_ITO[5],
    )
    upper.set_ylabel("accuracy (%)")
    upper.set_ylim(0, 100)
    lower.set_ylabel(f"{unit} (%)")
    lower.set_xlabel("confidence: score of the predicted class (%)")
    lower.set_xlim(0, 100)
    upper.legend(frameon=False, loc="upper left")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.25)
    figure.suptitle(title, fontsize=12)
    return figure
