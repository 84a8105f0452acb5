"""Makers of columns that show one number of a row's scores."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from platform.aggregation.scores import Scores
from platform.aggregation.seeds import SeedGroup, SeedMean
from platform.aggregation.table_row import TableRow
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.reported.result import ReportedResult
from platform.evaluation.row_metrics import Metric
from platform.evaluation.unit_metrics import Measure, Measures, UnitMetric
from platform.tables.column import ALL, HTML, STORED, WIDE, Column, PerLine, Record
from platform.tables.formatting import ABSENT, interval, percent, seed_mean_text
from platform.tables.stored_facts import interval_ends, rounded

T = TypeVar("T")
SEED_MEAN_WIDTH = 9
"""`58.10 (SD 4.89)` takes two lines in the narrow formats."""


def count(
    key: str,
    heading: str,
    value: Callable[[Scores], int],
    *,
    formats: tuple[str, ...] = ALL,
    of_images: bool = False,
) -> Column:
    """A column of whole numbers, 0 for a row without a finished fold."""
    return Column(
        key=key,
        formats=formats,
        heading=heading,
        text=PerLine(
            row=lambda row: str(value(row.scores)) if row.scores else "0",
            seeds=lambda group: _count_over_seeds(group, value),
        ),
        record=_stored(lambda scores: {key: value(scores)}),
        of_images=of_images,
    )


def _count_over_seeds(group: SeedGroup, value: Callable[[Scores], int]) -> str:
    """`420` where all seeds have this count, otherwise its mean over seeds, `187.3`."""
    found = group.over_seeds(value)
    if found is None:
        return "0"
    return f"{found.mean:.0f}" if not found.standard_deviation else f"{found.mean:.1f}"


def accuracy(
    key: str,
    heading: str,
    value: Callable[[Scores], float],
    *,
    seeds: Callable[[SeedGroup], SeedMean | None],
    definition: str,
    reported: Callable[[ReportedResult], str] | None = None,
    narrow_heading: str = "",
    marks_best: bool = False,
    of_images: bool = False,
    brief_for_sequences: bool = False,
    sequence_key: str = "",
) -> Column:
    """A column of accuracies: percent with two decimals for people, shares in [0, 1] in CSV and JSON.

    seeds: the mean over seeds, stored under `key` and `key`_seed_standard_deviation.
    reported: the cell of a published number, which is stored as `reported_accuracy` in any case.
    sequence_key: stored key in place of `key`, which is then null, for a row that scores sequences.
    """

    def row_record(row: TableRow) -> Record:
        if row.scores is None:
            return {}
        return _by_unit(row, {key: rounded(value(row.scores))})

    def _by_unit(row: TableRow, record: dict[str, float | None]) -> Record:
        if not (sequence_key and row.scores_sequences):
            return record
        return dict.fromkeys(record) | {name.replace(key, sequence_key): one for name, one in record.items()}

    def seeds_record(group: SeedGroup) -> Record:
        mean = seeds(group)
        if mean is None:
            return {}
        record = {
            key: rounded(mean.mean),
            f"{key}_seed_standard_deviation": rounded(mean.standard_deviation),
        }
        return _by_unit(group.first, record)

    return Column(
        key=key,
        formats=ALL,
        heading=heading,
        narrow_heading=narrow_heading,
        text=PerLine(
            row=_shown(lambda scores: percent(value(scores))),
            seeds=lambda group: seed_mean_text(seeds(group)),
            reported=reported,
        ),
        record=PerLine(row=row_record, seeds=seeds_record),
        width=SEED_MEAN_WIDTH,
        brief=True,
        brief_for_sequences=brief_for_sequences,
        marks_best=marks_best,
        definition=definition,
        of_images=of_images,
    )


def percentage_interval(
    name: str,
    heading: str,
    value: Callable[[Scores], Interval | None],
    *,
    definition: str,
    narrow_heading: str = "",
    seeds: Callable[[SeedGroup], Interval | None] | None = None,
    formats: tuple[str, ...] = ALL,
    brief: bool = False,
    of_images: bool = False,
    for_sequences: bool = False,
) -> Column:
    """A column of 95 % CIs, stored as `name`_95_percent_low and `name`_95_percent_high.

    seeds: the interval of a mean over seeds. for_sequences: only of rows that score sequences.
    """

    def ends(found: Interval | None) -> Record:
        return {
            f"{name}_95_percent_low": None if found is None else rounded(found.low),
            f"{name}_95_percent_high": None if found is None else rounded(found.high),
        }

    def of_seeds(group: SeedGroup) -> Interval | None:
        hidden = seeds is None or (for_sequences and not group.first.scores_sequences)
        return None if hidden or seeds is None else seeds(group)

    shown = _shown(lambda scores: interval(value(scores)))
    stored = _row_record(lambda scores: ends(value(scores)))
    seeds_stored = None if seeds is None or for_sequences else (lambda group: ends(of_seeds(group)))
    return Column(
        key=f"{name}_interval",
        formats=formats,
        heading=heading,
        narrow_heading=narrow_heading,
        text=PerLine(
            row=_only(shown, ABSENT) if for_sequences else shown,
            seeds=lambda group: interval(of_seeds(group)),
        ),
        record=PerLine(row=_only(stored, {}) if for_sequences else stored, seeds=seeds_stored),
        definition=definition,
        of_one_seed=True,
        brief=brief,
        of_images=of_images,
        for_sequences=for_sequences,
    )


def deviation(
    key: str,
    heading: str,
    value: Callable[[Scores], float | None],
    *,
    definition: str,
    formats: tuple[str, ...] = ALL,
) -> Column:
    """A column of standard deviations of shares, in points for people."""
    return Column(
        key=key,
        formats=formats,
        heading=heading,
        text=PerLine(row=_shown(lambda scores: _or_absent(value(scores), percent))),
        record=_stored(lambda scores: {key: rounded(value(scores))}),
        definition=definition,
    )


def metric_column(metric: Metric) -> Column:
    """The column of an entry of `row_metrics.METRICS`."""

    def shown(value: float) -> str:
        return percent(value) if metric.percent else f"{value:.3f}"

    return Column(
        key=metric.key,
        formats=ALL if metric.narrow else (*WIDE, *STORED),
        heading=metric.heading,
        text=PerLine(
            row=_shown(lambda scores: _or_absent(scores.metrics[metric.key], shown)),
            seeds=lambda group: seed_mean_text(
                group.over_seeds(lambda scores: scores.metrics[metric.key]), shown
            ),
        ),
        record=_stored(lambda scores: {metric.key: rounded(scores.metrics[metric.key])}),
        width=SEED_MEAN_WIDTH,
        definition=metric.definition,
        of_images=metric.of_images,
    )


def unit_metric_column(metric: UnitMetric) -> Column:
    """The column of an entry of `unit_metrics.UNIT_METRICS`: of what the row scores, images or sequences."""

    def shown(value: float) -> str:
        return percent(value) if metric.percent else f"{value:.3f}"

    def row_text(row: TableRow) -> str:
        found = None if row.scores is None else row.scores.measures.values[metric.key]
        return ABSENT if found is None else shown(found.value)

    def seeds_text(group: SeedGroup) -> str:
        return _or_absent(_over_seeds(group, lambda scores: scores.measures.values[metric.key]), shown)

    def row_record(row: TableRow) -> Record:
        if row.scores is None:
            return {}
        own, sequences = (_stored_measure(one, metric) for one in _by_unit(row))
        return own | sequences

    def _by_unit(row: TableRow) -> tuple[tuple[str, Measures | None], tuple[str, Measures]]:
        assert row.scores is not None
        if row.scores_sequences:
            return (metric.image_key, None), (metric.sequence_key, row.scores.measures)
        return (metric.image_key, row.scores.measures), (metric.sequence_key, row.scores.sequence_measures)

    def seeds_record(group: SeedGroup) -> Record:
        of_images = _over_seeds(group, lambda scores: scores.measures.values[metric.key])
        of_sequences = _over_seeds(group, lambda scores: scores.sequence_measures.values[metric.key])
        if group.rows[0].scores_sequences:
            return {metric.image_key: None, metric.sequence_key: rounded(of_images)}
        return {metric.image_key: rounded(of_images), metric.sequence_key: rounded(of_sequences)}

    return Column(
        key=metric.key,
        formats=(*((HTML,) if metric.shown == "report" else ()), *WIDE, *STORED),
        heading=metric.heading,
        text=PerLine(row=row_text, seeds=seeds_text),
        record=PerLine(row=row_record, seeds=seeds_record),
        definition=metric.definition,
    )


def _stored_measure(found: tuple[str, Measures | None], metric: UnitMetric) -> dict[str, float | None]:
    """The value and the ends of its interval under the key."""
    key, measured = found
    measure = None if measured is None else measured.values[metric.key]
    ends = interval_ends(key, None if measure is None else measure.interval) if metric.has_interval else {}
    return {key: None if measure is None else rounded(measure.value), **ends}


def _over_seeds(group: SeedGroup, pick: Callable[[Scores], Measure | None]) -> float | None:
    """Mean over the complete rows of a line; None where one has no such number."""
    found = [pick(one.row.scores) for one in group.finished if one.row.scores]
    values = [one.value for one in found if one is not None]
    return sum(values) / len(values) if values and len(values) == len(found) else None


def _shown(text: Callable[[Scores], str]) -> Callable[[TableRow], str]:
    """The row's cell; a dash without a finished fold."""
    return lambda row: ABSENT if row.scores is None else text(row.scores)


def _stored(record: Callable[[Scores], Record]) -> PerLine[Record]:
    """The row's record; no key without a finished fold."""
    return PerLine(row=_row_record(record))


def _row_record(record: Callable[[Scores], Record]) -> Callable[[TableRow], Record]:
    return lambda row: {} if row.scores is None else record(row.scores)


def _only(of_row: Callable[[TableRow], T], otherwise: T) -> Callable[[TableRow], T]:
    """`otherwise` for a row that scores no sequences."""
    return lambda row: of_row(row) if row.scores_sequences else otherwise


def _or_absent(value: float | None, text: Callable[[float], str]) -> str:
    return ABSENT if value is None else text(value)
