"""Notes on measures that a row lacks, and why."""

from __future__ import annotations

from platform.aggregation.table_row import TableRow
from platform.tables.formatting import units_of


def measure_notes(row: TableRow) -> list[str]:
    """What its scores lack: classes without recall or AUC, calibration, or several images a subject.

    They follow the row's name and a colon.
    """
    scores = row.scores
    if scores is None:
        return []
    notes = []
    lacking = [one.name for one in scores.classes if not one.true_count]
    if lacking:
        notes.append(
            f"no test {units_of(row)} of {', '.join(lacking)}; UAR, macro F1 and macro AUC are means "
            f"over the other {len(scores.classes) - len(lacking)} classes."
        )
    if scores.measures.values["macro_auc"] is None:
        notes.append(f"no macro AUC, because only one class has test {units_of(row)}.")
    if scores.measures.no_calibration:
        notes.append(f"no ECE, overconfidence or Brier score: {scores.measures.no_calibration}.")
    if scores.measures.values["worst_tenth_accuracy"] is None:
        notes.append("no worst tenth of subjects, because each has a single test item.")
    return notes
