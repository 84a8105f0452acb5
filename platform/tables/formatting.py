"""Texts of single values, the same in every format of the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from datasets.masks.controls import CONTROLS
from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup, SeedMean
from platform.aggregation.table_row import TableRow
from platform.config.mask_source import PERMUTED_RELEASED
from platform.config.training_seeds import named_seeds
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.reported.papers import reported_counterpart
from platform.evaluation.reported.result import NOT_STATED, UNKNOWN, ReportedResult

ABSENT = "–"
NOT_STATED_MARK = "†"
DIFFERS_MARK = "*"
"""Follows a difference whose corrected p is below 0.05."""
NOT_TESTED = "cannot be tested"
LEAKAGE = "selected on the test folds: leakage"
PUBLISHED = ("paper", "released")
"""Presets with the settings of the reported numbers."""


def percent(share: float) -> str:
    """0.98058 -> `98.06`: two decimals, as the field prints accuracies."""
    return f"{100 * share:.2f}"


def points(difference: float | None) -> str:
    """A difference of two shares in percentage points: `+3.10`, or a dash."""
    return ABSENT if difference is None else f"{100 * difference:+z.2f}"


def interval(value: Interval | None) -> str:
    """`80.1–88.9` in percent, with one decimal: the ends are less precise than the accuracy."""
    return ABSENT if value is None else f"{100 * value.low:.1f}–{100 * value.high:.1f}"


def p_value_text(value: float | None) -> str:
    """`0.031`, or `2.1e-05` below 0.001; `cannot be tested` without one."""
    if value is None:
        return NOT_TESTED
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def difference_interval(value: Interval | None) -> str:
    """`+3.3 to +16.4`: ends of the interval of a difference, in points."""
    return "no interval" if value is None else f"{100 * value.low:+.1f} to {100 * value.high:+.1f}"


def comparison_text(comparison: Comparison) -> str:
    """`+9.76* [+3.3, +16.4]`: the difference from the reference, in points, marked where it differs."""
    found = comparison.found
    text = points(found.difference) + (DIFFERS_MARK if comparison.differs else "")
    if found.interval is None:
        return text
    return f"{text} [{100 * found.interval.low:+.1f}, {100 * found.interval.high:+.1f}]"


def seed_mean_text(value: SeedMean | None, shown: Callable[[float], str] = percent) -> str:
    """`58.10 (SD 4.89)`, in percent; without an SD where one seed is complete."""
    if value is None:
        return ABSENT
    spread = value.standard_deviation
    return shown(value.mean) + ("" if spread is None else f" (SD {shown(spread)})")


def seeds_text(seeds: Sequence[int]) -> str:
    """`one seed`, or `3 seeds (0, 1, 2)`."""
    return "one seed" if len(seeds) < 2 else named_seeds(seeds)


def interval_of_numbers(value: Interval | None) -> str:
    """`0.712–0.803`, `-0.114 to 0.011`: the ends of a number that is no percentage."""
    if value is None:
        return ABSENT
    return f"{value.low:.3f}{' to ' if value.low < 0 else '–'}{value.high:.3f}"


def units_of(row: TableRow) -> str:
    """`images`, or `sequences` for a row that scores those."""
    return "sequences" if row.scores_sequences else "images"


def images_and_subjects(row: TableRow) -> str:
    """`981/118`; a dash for the images of a row that scores sequences."""
    if row.scores is None:
        return "0/0"
    images = ABSENT if row.scores_sequences else row.scores.image_count
    return f"{images}/{row.scores.subject_count}"


def folds_text(row: TableRow) -> str:
    """`10`; `7 of 10` for an incomplete row; `2, 6 of 10` where only folds 2 and 6 were requested."""
    if row.chosen_of and row.complete:
        return f"{', '.join(map(str, row.chosen_folds))} of {row.chosen_of}"
    done = row.fold_count - len(row.problems)
    return str(row.fold_count) if row.complete else f"{done} of {row.fold_count}"


def title_text(row: TableRow, incomplete: str = "INCOMPLETE") -> str:
    """The method's name, and in brackets whatever makes the row not comparable with others.

    incomplete: the words for a row that is.
    """
    marks = []
    if row.chosen_of:
        marks.append(f"folds {', '.join(map(str, row.chosen_folds))} only")
    if not row.complete:
        marks.append(incomplete)
    if row.leaks:
        marks.append(LEAKAGE)
    if row.of_other_version:
        marks.append(f"version {row.result_version}")
    return row.title + (f" ({', '.join(marks)})" if marks else "")


def method_text(row: TableRow) -> str:
    """The cell of the column Method: `title_text`, and the source of masks that are not the row's own."""
    return title_text(row) + _transferred(row)


def seeds_method_text(group: SeedGroup) -> str:
    """The same for a mean over seeds: `FMPN, 3 seeds (0, 1, 2)`; names the seeds that are incomplete."""
    left = [str(row.seed) for row in group.rows if not row.complete]
    row = next((row for row in group.rows if not row.complete), group.first)
    lacking = "INCOMPLETE"
    if len(left) < len(group.rows):
        lacking += f": seed{'s' if len(left) > 1 else ''} {', '.join(left)}"
    return f"{title_text(row, lacking)}{_transferred(row)}, {seeds_text(group.seeds)}"


def seed_count_text(group: SeedGroup) -> str:
    """`3`, or `2 of 3` where one seed is incomplete."""
    done, asked = len(group.finished), len(group.members)
    return str(asked) if done == asked else f"{done} of {asked}"


def _transferred(row: TableRow) -> str:
    """Masks, mask generator and division of the subjects, where they are not the usual ones."""
    parts = [] if masks_text(row) in (ABSENT, "own") else [masks_name(row.masks)]
    if row.generator not in ("", "own", "none", row.masks):
        parts.append(f"generator of {row.generator}")
    if row.repeat:
        parts.append(f"repeat {row.repeat}")
    return "".join(f", {part}" for part in parts)


def source_text(row: TableRow) -> str:
    """Experiment, preset and seed of one of our rows."""
    seed = ABSENT if row.seed is None else row.seed
    return f"ours: {row.experiment} (preset {row.preset_text}), seed {seed}"


def seeds_source_text(group: SeedGroup) -> str:
    """Experiments, presets and seeds of a mean over seeds."""
    sources = dict.fromkeys(f"{row.experiment} (preset {row.preset_text})" for row in group.rows)
    return f"ours: {', '.join(sources)}, {seeds_text(group.seeds)}"


def masks_text(row: TableRow) -> str:
    """`own`, the source of transferred or control masks, or a dash for a method without masks."""
    return row.masks if row.masks and row.masks != "none" else ABSENT


def masks_name(masks: str) -> str:
    """`masks of ckplus`, `released masks`, `permuted masks` of a control, `permuted released masks`."""
    return f"{masks} masks" if masks in (*CONTROLS, "released", PERMUTED_RELEASED) else f"masks of {masks}"


def row_label(row: TableRow) -> str:
    """A row's name in a sentence: its title, and what distinguishes it from other rows."""
    leaks = f", {LEAKAGE}" if row.leaks else ""
    some = f", folds {', '.join(map(str, row.chosen_folds))} only" if row.chosen_of else ""
    return f"{row.title} ({row.net}{_transferred(row)}{some}{leaks})"


def reported_difference(row: TableRow) -> float | None:
    """Our mean of folds minus the reported accuracy of the same method, in [-1, 1].

    None where none is reported, for an incomplete row, for one that scores sequences, where only some folds
    were requested, and where the reported number distinguishes another number of classes.
    """
    reported = reported_counterpart(row.method, row.reported_as)
    if reported is None or row.scores_sequences or row.chosen_of or row.scores is None or not row.complete:
        return None
    if reported.class_count != len(row.scores.class_names):
        return None
    return row.scores.mean_of_folds - reported.accuracy_percent / 100


def difference_text(row: TableRow) -> str:
    """`reported_difference` in points; a dash for a row that is not comparable with the reported one, because
    its settings are not those that were published (a note says so)."""
    as_published = row.preset in PUBLISHED and row.preset_text == row.preset and not row.variation
    return points(reported_difference(row) if as_published else None)


def mean_reported_difference(group: SeedGroup) -> float | None:
    """The mean of the rows' `reported_difference`; None where a row has none."""
    found = [reported_difference(row) for row in group.rows]
    numbers = [one for one in found if one is not None]
    return sum(numbers) / len(numbers) if numbers and len(numbers) == len(found) else None


def seeds_difference_text(group: SeedGroup) -> str:
    """`difference_text` of a mean over seeds."""
    shown = all(difference_text(row) != ABSENT for row in group.rows)
    return points(mean_reported_difference(group) if shown else None)


def seeds_gap_text(group: SeedGroup) -> str:
    """`gap_text` of a mean over seeds; a dash where the test folds of one of them selected."""
    if group.first.leaks:
        own = [row.gap_is_zero_by_construction for row in group.rows if row.complete]
        return "0 by construction" if own and all(own) else ABSENT
    return points(group.optimism_gap)


def gap_text(row: TableRow) -> str:
    """The optimism gap in points; a dash where no score selected the configuration."""
    zero = row.gap_is_zero_by_construction and row.scores
    return "0 by construction" if zero else points(row.optimism_gap)


def reported_value(result: ReportedResult) -> str:
    """The reported accuracy in percent, marked where its averaging is not stated or not known."""
    mark = NOT_STATED_MARK if result.statistic in (NOT_STATED, UNKNOWN) else ""
    return f"{result.accuracy_percent:.2f}{mark}"


def reported_rule(result: ReportedResult) -> str:
    """The selection rule of a reported number; a dash where it is not stated or not known."""
    return ABSENT if result.selection_rule in (NOT_STATED, UNKNOWN) else result.selection_rule


def scored_units(result: ReportedResult) -> str:
    """`images` or `sequences`: what the published accuracy counts."""
    return result.protocol.removesuffix("-based") + "s"


def reported_source(result: ReportedResult) -> str:
    """Publication and protocol of a reported number."""
    items = f", {result.test_items}" if result.test_items else ""
    stated = f"; {protocol_text(result)}" if result.protocol_known else ""
    return f"reported: {result.paper.source}, {result.protocol}{items}{stated}"


def protocol_text(result: ReportedResult) -> str:
    """`classes: 7; frames: last 3 of each sequence; folds: 10, by subject`."""
    return f"classes: {result.classes}; frames: {result.frames}; folds: {result.folds}"


def reported_title(result: ReportedResult) -> str:
    """Method, paper and unit of a reported number, for a format without a column for the source."""
    return f"{result.title} (reported, {result.paper.name}, {result.protocol})"


def reported_measures(result: ReportedResult) -> str:
    """`83.64/84.90/84.25`: precision, recall and F1 in percent; a dash without them."""
    found = result.measures
    return ABSENT if found is None else f"{found.precision:.2f}/{found.recall:.2f}/{found.f1:.2f}"
