"""Notes on the optimism gap: its interval, and what it contains."""

from __future__ import annotations

from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.tables.formatting import seeds_text

WHAT_IT_CONTAINS = (
    "The optimism gap contains the learning curve: the nets that selected the configuration trained without "
    "their validation split, so on fewer people than the final ones. On small data it is therefore usually "
    "negative, and a negative gap does not show that nothing was chosen by luck (docs/search.md measures "
    "both parts)."
)
NEGATIVE = "A negative optimism gap means that the test folds scored higher than the validation splits. "


def gap_note(name: str, row: TableRow) -> str:
    """The gap of a row that a score selected, with its interval or the reason why it has none."""
    assert row.scores is not None
    assert row.selection_score is not None
    assert row.optimism_gap is not None
    return (
        f"{name}: {100 * row.selection_score:.2f} % validation accuracy selected the configuration, "
        f"{100 * row.scores.mean_of_folds:.2f} % is the mean of the test folds; optimism gap "
        f"{100 * row.optimism_gap:+z.2f} points ({_interval(row)})."
    )


def seeds_gap_note(line: SeedGroup, name: str) -> str:
    """The mean gap of a line of several seeds, with its interval; empty where it has none."""
    found = line.optimism_gap_interval
    if found is None or line.optimism_gap is None:
        return ""
    return (
        f"{name}: mean optimism gap {100 * line.optimism_gap:+z.2f} points (95 % CI "
        f"{100 * found.low:+z.2f} to {100 * found.high:+z.2f}, over {found.subject_count} subjects and "
        f"{seeds_text(line.finished_seeds)} of the final runs; the search has one seed)."
    )


def gap_points(row: TableRow) -> str:
    """`-4.56 points, 95 % CI -12.30 to +3.18`, without an interval where none is known; the row has a gap."""
    assert row.optimism_gap is not None
    found = row.optimism_gap_interval
    known = "" if found is None else f", 95 % CI {100 * found.low:+z.2f} to {100 * found.high:+z.2f}"
    return f"{100 * row.optimism_gap:+z.2f} points{known}"


def _interval(row: TableRow) -> str:
    found, subjects = row.optimism_gap_interval, row.gap_subjects
    if subjects is None:
        return "no interval: the fold runs of the validation splits are not known"
    if found is None:
        return "no interval: one subject"
    return (
        f"95 % CI {100 * found.low:+z.2f} to {100 * found.high:+z.2f}, over {found.subject_count} subjects, "
        f"{subjects.both} of whom were validated and tested; one seed"
    )
