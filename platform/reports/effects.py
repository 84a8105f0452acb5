"""Ablation: contribution of each component, from pairs of rows on the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform.aggregation.aggregate import AggregatedRow, with_ablations
from platform.aggregation.comparisons import MeasuredAblation, paired
from platform.errors import UserError
from platform.evaluation.accuracy_interval import Interval
from platform.tables.formatting import difference_interval, p_value_text, seeds_text
from platform.tables.grid import markdown_escape
from platform.tables.table import build_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
    seeds: tuple[int, ...]
    """Those that both rows have."""
    difference: float
    """In [-1, 1]; the mean over seeds."""
    interval: Interval | None
    """95 % CI over subjects, and over seeds where there are several; None with one subject."""
    p_value: float | None
    """Two-sided, corrected over all differences of the experiment on the data set; None: cannot be tested."""
    image_count: int
    subject_count: int
    unit: str = "image"
    """What is compared, `image` or `sequence`."""


def measure_effects(
    experiment: Mapping[str, Any], aggregated: Sequence[AggregatedRow]
) -> list[MeasuredEffect]:
    """The comparisons listed in `experiment` (contents of experiment.json), from stored predictions.

    aggregated: its rows, in order. Rows that differ in the seed alone are one effect. UserError when two rows
    tested different images. Comparisons with an incomplete row are left out; the table names such rows.
    """
    for effect in experiment.get("effects", []):
        first, second = aggregated[effect["with_it"]], aggregated[effect["without"]]
        if first.row.complete and second.row.complete and paired(first, second) is None:
            raise UserError(
                f"the ablation {effect['name']!r} must compare rows on the same images, but "
                f"{first.row.title} and {second.row.title} tested different ones; run "
                f"`{experiment['command']}` again under a new --name."
            )
    if not experiment.get("effects"):
        return []
    rows = with_ablations(experiment, aggregated)
    return [
        _measured(one)
        for section in build_table(rows, experiment.get("reference")).sections
        for one in section.comparisons.ablations
    ]


def _measured(one: MeasuredAblation) -> MeasuredEffect:
    found, first = one.comparison.found, one.comparison.first
    return MeasuredEffect(
        name=SHOWN_NAMES.get(one.name, one.name),
        dataset=first.first.dataset,
        backbone=first.first.net,
        seeds=tuple(seed for seed, _ in one.comparison.seeds if seed is not None),
        difference=found.difference,
        interval=found.interval,
        p_value=one.comparison.holm_p_value,
        image_count=one.comparison.image_count,
        subject_count=found.subject_count,
        unit=one.comparison.unit,
    )


DEFINITION = (
    "Difference: pooled image accuracy of the row with the component minus the row without, in points, on "
    "the same images. 95 % CI: paired, for new subjects; with several seeds for new subjects and new seeds, "
    "with one seed without the variation between seeds. p: Holm-corrected together with the differences of "
    "the table, over all that are tested on the data set."
)


def effects_markdown(effects: Sequence[MeasuredEffect]) -> str:
    """A Markdown table of the ablation, and the definition of its numbers."""
    lines = [
        "| component | data set | backbone, seeds | points | 95 % CI | p (Holm) | images, subjects |",
        "|---|---|---|---|---|---|---|",
    ]
    for effect in effects:
        sequences = " sequences" if effect.unit == "sequence" else ""
        cells = (
            effect.name,
            effect.dataset,
            f"{effect.backbone}, {seeds_text(effect.seeds)}",
            f"{100 * effect.difference:+.1f}",
            interval_text(effect),
            p_value_text(effect.p_value),
            f"{effect.image_count}{sequences}, {effect.subject_count}",
        )
        lines.append(f"| {' | '.join(map(markdown_escape, cells))} |")
    return "\n".join([*lines, "", DEFINITION, ""])


def effects_screen(effects: Sequence[MeasuredEffect]) -> str:
    """The ablation as lines for a terminal."""
    width = max(len(effect.name) for effect in effects)
    places = _places(effects)
    sets = max(map(len, places))
    lines = [
        f"{effect.name:{width}}  {place:{sets}}  {100 * effect.difference:+6.1f} "
        f"{interval_text(effect):>16}  {_p_text(effect)}, {seeds_text(effect.seeds)}"
        for effect, place in zip(effects, places, strict=True)
    ]
    tested = dict.fromkeys(
        f"{effect.image_count} {effect.unit}s of {effect.subject_count} subjects of {effect.dataset}"
        for effect in effects
    )
    return "\n".join(
        [
            "Ablation: contribution of each component (points of pooled accuracy, paired 95 % CI, Holm's p)",
            f"on the same {', '.join(tested)}:",
            *lines,
        ]
    )


def _places(effects: Sequence[MeasuredEffect]) -> list[str]:
    """The data set of each effect, and its backbone where there are several."""
    several = len({effect.backbone for effect in effects}) > 1
    return [effect.dataset + (f", {effect.backbone}" if several else "") for effect in effects]


def _p_text(effect: MeasuredEffect) -> str:
    said = p_value_text(effect.p_value)
    return said if effect.p_value is None else f"p {said}"


def interval_text(effect: MeasuredEffect) -> str:
    """`-1.2 to +4.5`."""
    return "one subject" if effect.interval is None else difference_interval(effect.interval)


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
        range(len(effects)),
        [f"{one.name} ({place})" for one, place in zip(effects, _places(effects), strict=True)][::-1],
        fontsize=8,
    )
    axes.set_xlabel("points of pooled image accuracy; paired 95 % CI")
    return figure
