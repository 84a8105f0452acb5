"""How single values are written, the same in every form of the table."""

from __future__ import annotations

from platform.evaluation.reported import ReportedResult
from platform.evaluation.statistics import Interval
from platform.results.aggregate import TableRow

ABSENT = "–"
NOT_STATED_MARK = "†"


def percent(share: float) -> str:
    """0.98058 -> `98.06`: two decimals, as the field prints accuracies."""
    return f"{100 * share:.2f}"


def interval(value: Interval | None) -> str:
    """`80.1–88.9` in percent; one decimal is all that a bootstrap's ends hold."""
    return ABSENT if value is None else f"{100 * value.low:.1f}–{100 * value.high:.1f}"


def p_value_text(value: float) -> str:
    """`0.031`, and `2.1e-05` where three decimals would show nothing."""
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def folds_text(row: TableRow) -> str:
    """`10`, or `7 of 10` for an incomplete row."""
    done = row.fold_count - len(row.problems)
    return str(row.fold_count) if row.complete else f"{done} of {row.fold_count}"


def selection_text(rule: str) -> str:
    """The selection rule, with leakage called by its name wherever it appears."""
    return "test (LEAKS)" if rule == "test" else rule


def masks_text(row: TableRow) -> str:
    """`own`, the data set that lent the masks, or a dash for a method without masks."""
    return row.masks if row.masks and row.masks != "none" else ABSENT


def row_label(row: TableRow) -> str:
    """A row's name in a sentence: its title, and what sets it apart from the other rows."""
    lent = f", masks of {row.masks}" if masks_text(row) not in (ABSENT, "own") else ""
    return f"{row.title} ({row.backbone}{lent})"


def reported_value(result: ReportedResult) -> str:
    """The printed accuracy in percent, marked where its averaging is not stated."""
    mark = NOT_STATED_MARK if result.statistic == "not stated" else ""
    return f"{result.accuracy_percent:.2f}{mark}"
