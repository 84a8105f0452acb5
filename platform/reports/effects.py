"""What each part of a method brings: pairs of rows compared on the same images, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.errors import UserError
from platform.evaluation import statistics
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.paired_interval import difference_interval
from platform.tables.formatting import p_value_text
from platform.tables.grid import markdown_escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BOOTSTRAP_SEED = 0


@dataclass(frozen=True, kw_only=True)
class MeasuredEffect:
    """One comparison: pooled image accuracy of the row that has the part, minus that of the row without."""

    name: str
    dataset: str
    backbone: str
    seed: int | None
    difference: float
    """In [-1, 1]."""
    interval: Interval | None
    """95 %, subjects drawn; None with one subject."""
    p_value: float
    """Two-sided exact sign-flip test over subjects, Holm-corrected over all effects of the experiment."""
    image_count: int
    subject_count: int


def measure_effects(
    experiment: Mapping[str, Any], aggregated: Sequence[AggregatedRow]
) -> list[MeasuredEffect]:
    """The comparisons that `experiment` (contents of experiment.json) lists, from stored predictions.

    aggregated: its rows, in order. UserError when two rows did not test the same images; a comparison
    whose row is incomplete is left out (the table names such rows).
    """
    found = []
    for effect in experiment.get("effects", []):
        first, second = aggregated[effect["with_it"]], aggregated[effect["without"]]
        if not (first.row.complete and second.row.complete) or not (first.answers and second.answers):
            continue
        if first.answers.tested != second.answers.tested:
            raise UserError(
                f"the effect {effect['name']!r} compares rows on the same images, but "
                f"{first.row.title} and {second.row.title} tested different ones; run "
                f"`{experiment['command']}` again under a new --name."
            )
        found.append((effect["name"], first, second))
    tests = [
        statistics.sign_flip_test(first.answers.correct, second.answers.correct, first.answers.subject)
        for _, first, second in found
        if first.answers and second.answers
    ]
    adjusted = statistics.holm([test.p_value for test in tests])
    return [
        MeasuredEffect(
            name=name,
            dataset=first.row.dataset,
            backbone=first.row.net,
            seed=first.row.seed,
            difference=test.difference,
            interval=_interval(first, second) if test.subject_count > 1 else None,
            p_value=p_value,
            image_count=len(first.answers.correct) if first.answers else 0,
            subject_count=test.subject_count,
        )
        for (name, first, second), test, p_value in zip(found, tests, adjusted, strict=True)
    ]


def _interval(first: AggregatedRow, second: AggregatedRow) -> Interval:
    assert first.answers
    assert second.answers
    return difference_interval(
        first.answers.correct,
        second.answers.correct,
        first.answers.subject,
        np.random.default_rng(BOOTSTRAP_SEED),
    )


DEFINITION = (
    "Each difference: points of pooled image accuracy, the row that has the part minus the row that has "
    "not, on the same images. 95 % interval: percentile bootstrap over subjects, 10,000 resamples; it does "
    "not contain the variance between training seeds. p: exact sign-flip test over subjects, Holm-corrected "
    "over all lines."
)


def effects_markdown(effects: Sequence[MeasuredEffect]) -> str:
    """A table of the effects, and what its numbers are."""
    lines = [
        "| what it brings | data set | backbone, seed | points | 95 % interval | p | images, subjects |",
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
    """The same for a terminal."""
    width = max(len(effect.name) for effect in effects)
    sets = max(len(effect.dataset) for effect in effects)
    lines = [
        f"{effect.name:{width}}  {effect.dataset:{sets}}  {100 * effect.difference:+6.1f} "
        f"{interval_text(effect):>16}  p {p_value_text(effect.p_value)}"
        for effect in effects
    ]
    return "\n".join(["What each part brings (points of accuracy, 95 % interval over subjects):", *lines])


def interval_text(effect: MeasuredEffect) -> str:
    """`-1.2 to +4.5`."""
    if effect.interval is None:
        return "one subject"
    return f"{100 * effect.interval.low:+.1f} to {100 * effect.interval.high:+.1f}"


def effects_figure(effects: Sequence[MeasuredEffect]) -> Figure:
    """Each effect as a point with its interval, and a line at no difference."""
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
    axes.set_xlabel("points of pooled image accuracy; 95 % interval over subjects")
    return figure
