"""Ablation: contribution of each component, from pairs of rows on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.errors import UserError
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.paired_interval import difference_interval
from platform.evaluation.paired_tests import holm, sign_flip_test
from platform.tables.formatting import p_value_text
from platform.tables.grid import markdown_escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOOTSTRAP_SEED = 0
SHOWN_NAMES = {
    "FMPN with lent masks instead of the CNN": "FMPN with transferred masks instead of the CNN",
    "lent masks and mask loss": "transferred masks and mask loss",
}
"""Name stored in experiment.json to the name shown; other names are shown as stored."""


@dataclass(frozen=True, kw_only=True)
class MeasuredEffect:
    """One comparison: pooled image accuracy of the row with the component minus that of the row without."""

    name: str
    dataset: str
    backbone: str
    seed: int | None
    difference: float
    """In [-1, 1]."""
    interval: Interval | None
    """95 % CI by bootstrap over subjects; None with one subject."""
    p_value: float
    """Two-sided exact sign-flip test over subjects, Holm-corrected over all effects of the experiment."""
    image_count: int
    subject_count: int


def measure_effects(
    experiment: Mapping[str, Any], aggregated: Sequence[AggregatedRow]
) -> list[MeasuredEffect]:
    """The comparisons listed in `experiment` (contents of experiment.json), from stored predictions.

    aggregated: its rows, in order. UserError when two rows tested different images. Comparisons with an
    incomplete row are left out; the table names such rows.
    """
    found = []
    for effect in experiment.get("effects", []):
        first, second = aggregated[effect["with_it"]], aggregated[effect["without"]]
        if not (first.row.complete and second.row.complete) or not (first.images and second.images):
            continue
        if first.images.tested != second.images.tested:
            raise UserError(
                f"the ablation {effect['name']!r} must compare rows on the same images, but "
                f"{first.row.title} and {second.row.title} tested different ones; run "
                f"`{experiment['command']}` again under a new --name."
            )
        found.append((effect["name"], first, second))
    tests = [
        sign_flip_test(first.images.correct, second.images.correct, first.images.subject)
        for _, first, second in found
        if first.images and second.images
    ]
    adjusted = holm([test.p_value for test in tests])
    return [
        MeasuredEffect(
            name=SHOWN_NAMES.get(name, name),
            dataset=first.row.dataset,
            backbone=first.row.net,
            seed=first.row.seed,
            difference=test.difference,
            interval=_interval(first, second) if test.subject_count > 1 else None,
            p_value=p_value,
            image_count=len(first.images.correct) if first.images else 0,
            subject_count=test.subject_count,
        )
        for (name, first, second), test, p_value in zip(found, tests, adjusted, strict=True)
    ]


def _interval(first: AggregatedRow, second: AggregatedRow) -> Interval:
    assert first.images
    assert second.images
    return difference_interval(
        first.images.correct,
        second.images.correct,
        first.images.subject,
        np.random.default_rng(BOOTSTRAP_SEED),
    )


DEFINITION = (
    "Difference: pooled image accuracy of the row with the component minus the row without, in points, on "
    "the same images. 95 % CI: percentile bootstrap over subjects, 10,000 resamples; it does not include the "
    "variation between training seeds. p: exact sign-flip test over subjects, Holm-corrected over all lines."
)


def effects_markdown(effects: Sequence[MeasuredEffect]) -> str:
    """A Markdown table of the ablation, and the definition of its numbers."""
    lines = [
        "| component | data set | backbone, seed | points | 95 % CI | p | images, subjects |",
        "|---|---|---|---|---|---|---|",
    ]
    for effect in effects:
        cells = (
            effect.name,
            effect.dataset,
            f"{effect.backbone}, {effect.seed}",
            f"{100 * effect.difference:+.1f}",
            interval_text(effect),
            p_value_text(effect.p_value),
            f"{effect.image_count}, {effect.subject_count}",
        )
        lines.append(f"| {' | '.join(map(markdown_escape, cells))} |")
    return "\n".join([*lines, "", DEFINITION, ""])


def effects_screen(effects: Sequence[MeasuredEffect]) -> str:
    """The ablation as lines for a terminal."""
    width = max(len(effect.name) for effect in effects)
    sets = max(len(effect.dataset) for effect in effects)
    lines = [
        f"{effect.name:{width}}  {effect.dataset:{sets}}  {100 * effect.difference:+6.1f} "
        f"{interval_text(effect):>16}  p {p_value_text(effect.p_value)}"
        for effect in effects
    ]
    return "\n".join(
        ["Ablation: contribution of each component (points of accuracy, 95 % CI over subjects):", *lines]
    )


def interval_text(effect: MeasuredEffect) -> str:
    """`-1.2 to +4.5`."""
    if effect.interval is None:
        return "one subject"
    return f"{100 * effect.interval.low:+.1f} to {100 * effect.interval.high:+.1f}"


def effects_figure(effects: Sequence[MeasuredEffect]) -> Figure:
    """Each difference as a point with its 95 % CI, and a line at zero."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 1.2 + 0.32 * len(effects)), layout="constrained")
    axes = figure.add_subplot()
    colours = {name: f"C{number}" for number, name in enumerate(dict.fromkeys(e.dataset for e in effects))}
    for place, effect in enumerate(reversed(effects)):
        colour = colours[effect.dataset]
        if effect.interval is not None:
            axes.plot(
                [100 * effect.interval.low, 100 * effect.interval.high], [place, place], color=colour, lw=2
            )
        axes.plot(100 * effect.difference, place, "o", color=colour)
    axes.axvline(0, color="0.6", lw=1, zorder=0)
    axes.set_yticks(
        range(len(effects)), [f"{effect.name} ({effect.dataset})" for effect in reversed(effects)], fontsize=8
    )
    axes.set_xlabel("points of pooled image accuracy; 95 % CI over subjects")
    return figure
