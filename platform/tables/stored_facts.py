"""Columns of CSV and JSON alone: facts about a line that people read in headings, notes or nowhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.config.net_name import VARIOUS_WIDTHS
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.reported.result import ReportedResult
from platform.tables import mask_facts
from platform.tables.column import STORED, Column, PerLine, Record
from platform.tables.formatting import LEAKAGE, row_label

DECIMALS = 6


def rounded(value: float | None) -> float | None:
    """`value` as CSV and JSON hold it."""
    return None if value is None else round(value, DECIMALS)


def interval_ends(key: str, value: Interval | None) -> dict[str, float | None]:
    """The ends of a 95 % CI as CSV and JSON hold them; null without one."""
    return {
        f"{key}_95_percent_low": None if value is None else rounded(value.low),
        f"{key}_95_percent_high": None if value is None else rounded(value.high),
    }


def folds(row: TableRow) -> Record:
    """The number of folds, those that were requested where not all were, and the finished ones."""
    requested = {"chosen_folds": " ".join(map(str, row.chosen_folds)), "chosen_of": row.chosen_of}
    return {
        "fold_count": row.fold_count,
        **(requested if row.chosen_of else {}),
        "folds_finished": row.fold_count - len(row.problems),
    }


def optimism(row: TableRow) -> Record:
    """The optimism gap, the score behind it, and whether the gap is zero by construction."""
    return {
        "selection_score": rounded(row.selection_score),
        "optimism_gap": rounded(row.optimism_gap),
        "optimism_gap_is_zero_by_construction": row.gap_is_zero_by_construction,
    }


def mean_optimism(line: SeedGroup) -> Record:
    """The mean gap over seeds; no key where the test folds selected, or no score did."""
    mean = None if line.first.leaks else line.optimism_gap
    return {} if mean is None else {"optimism_gap": rounded(mean)}


def optimism_interval(line: TableRow | SeedGroup) -> Record:
    """The ends of the gap's interval; no keys where it has none."""
    found = line.optimism_gap_interval
    if found is None:
        return {}
    return {
        "optimism_gap_95_percent_low": rounded(found.low),
        "optimism_gap_95_percent_high": rounded(found.high),
    }


def _repeat(row: TableRow) -> Record:
    """The number of a further division of the subjects; nothing of a row on the rule's own."""
    return {"repeat": row.repeat} if row.repeat else {}


def _fact(
    key: str,
    row: Callable[[TableRow], Any],
    *,
    over_seeds: bool = True,
    identifies: bool = False,
    reported: Callable[[ReportedResult], Any] | None = None,
) -> Column:
    """One stored value. over_seeds: rows of a mean over seeds share it, and the mean has it too."""
    return Column(
        key=key,
        formats=STORED,
        record=PerLine(
            row=lambda one: {key: row(one)},
            seeds=(lambda group: {key: row(group.first)}) if over_seeds else None,
            reported=None if reported is None else (lambda result: {key: reported(result)}),
        ),
        identifies=identifies,
    )


def _width(row: TableRow) -> Record:
    """The share of channels that the net keeps; no key for the published net."""
    if row.width == 1:
        return {}
    return {"backbone_width": VARIOUS_WIDTHS if row.width is None else row.width}


def _unit(row: TableRow) -> Record:
    """What the method scores; no key for images."""
    return {"unit": row.unit} if row.scores_sequences else {}


def _settings(row: TableRow) -> Record:
    """Whose settings the row ran with; no keys where it is not known."""
    stored = row.settings.to_dict()
    return stored | ({"settings_given": " ".join(row.settings.given)} if row.settings.given else {})


def _reported(result: ReportedResult) -> Record:
    """The number with its protocol; further keys where the paper has more numbers, or tests other items."""
    measures = result.measures
    return {
        "reported_accuracy": rounded(result.accuracy_percent / 100),
        "reported_protocol": result.protocol,
        "reported_statistic": result.statistic,
        "reported_classes": result.classes,
        "reported_frames": result.frames,
        "reported_folds": result.folds,
        "reported_source": result.paper.source,
        **(
            {}
            if measures is None
            else {
                "reported_precision": rounded(measures.precision / 100),
                "reported_recall": rounded(measures.recall / 100),
                "reported_f1": rounded(measures.f1 / 100),
            }
        ),
        **({"reported_test_items": result.test_items} if result.test_items else {}),
    }


def significant(value: float | None) -> float | None:
    """A p value with six significant digits."""
    return None if value is None else float(f"{value:.6g}")


def difference_facts(comparison: Comparison) -> Record:
    """What a paired comparison found, under the keys of CSV and JSON: shares, not points."""
    found, ends, probability = comparison.found, comparison.found.interval, comparison.probability
    return {
        "difference": rounded(found.difference),
        "difference_95_percent_low": None if ends is None else rounded(ends.low),
        "difference_95_percent_high": None if ends is None else rounded(ends.high),
        "difference_p_value": significant(found.p_value),
        "difference_holm_p_value": significant(comparison.holm_p_value),
        "tests_in_family": comparison.family_size,
        "smallest_p_value": significant(found.smallest_p),
        "compared_seeds": found.seed_count,
        "detectable_difference": rounded(comparison.detectable),
        "probability_better": None if probability is None else rounded(probability.better),
        "probability_equivalent": None if probability is None else rounded(probability.equivalent),
        "probability_worse": None if probability is None else rounded(probability.worse),
    }


def _compared(comparison: Comparison) -> Record:
    """Of a line: what it was compared with, and what was found."""
    return {
        "reference": row_label(comparison.second.first),
        "reference_experiment": " ".join(comparison.second.experiments),
        **difference_facts(comparison),
    }


COMPARED = Column(key="compared", formats=STORED, record=PerLine(compared=_compared))
"""The difference from the reference; no keys for a line that is not compared."""

FACTS: tuple[Column, ...] = (
    _fact("preset", lambda row: row.preset, over_seeds=False),
    Column(
        key="experiment",
        formats=STORED,
        record=PerLine(
            row=lambda row: {"experiment": row.experiment},
            seeds=lambda group: {"experiment": " ".join(dict.fromkeys(row.experiment for row in group.rows))},
        ),
        identifies=True,
    ),
    _fact("dataset", lambda row: row.dataset, identifies=True, reported=lambda result: result.dataset),
    _fact("method", lambda row: row.method, identifies=True, reported=lambda result: result.our_method),
    _fact("backbone", lambda row: row.backbone, identifies=True),
    Column(
        key="backbone_width",
        formats=STORED,
        record=PerLine(row=_width, seeds=lambda group: _width(group.first)),
        identifies=True,
    ),
    Column(
        key="seed",
        formats=STORED,
        record=PerLine(row=lambda row: {"seed": row.seed}, seeds=lambda group: {"seed": None}),
        identifies=True,
    ),
    _fact("leakage", lambda row: LEAKAGE if row.leaks else None),
    _fact("kind", lambda row: row.kind),
    _fact("fold_rule", lambda row: row.fold_rule),
    _fact("complete", lambda row: row.complete, over_seeds=False),
    _fact(
        "problems",
        lambda row: {str(fold): problem for fold, problem in row.problems.items()},
        over_seeds=False,
    ),
    _fact("data_hash", lambda row: row.data_hash, over_seeds=False),
    _fact("result_version", lambda row: row.result_version),
    Column(key="reported", formats=STORED, record=PerLine(reported=_reported)),
    Column(
        key="unit",
        formats=STORED,
        record=PerLine(row=_unit, seeds=lambda group: _unit(group.first)),
    ),
    Column(
        key="repeat",
        formats=STORED,
        record=PerLine(row=_repeat, seeds=lambda group: _repeat(group.first)),
        identifies=True,
    ),
    Column(
        key="settings_of",
        formats=STORED,
        record=PerLine(row=_settings, seeds=lambda group: _settings(group.first)),
    ),
    Column(
        key="optimism_gap_interval",
        formats=STORED,
        record=PerLine(row=optimism_interval, seeds=optimism_interval),
    ),
    Column(
        key="masks_measured",
        formats=STORED,
        record=PerLine(row=mask_facts.of_row, seeds=mask_facts.over_seeds),
    ),
)
