"""Notes on measures that a row lacks, and why."""

from __future__ import annotations

from platform.aggregation.table_row import TableRow
from platform.tables.formatting import units_of


def measure_notes(row: TableRow, name: str) -> list[str]:
    """Classes without recall or AUC, scores without calibration, and subjects of one image each.

    name: of the row, in sentences.
    """
    scores = row.scores
    if scores is None:
        return []
    notes = []
    lacking = [one.name for one in scores.classes if not one.true_count]
    if lacking:
        notes.append(
            f"{name}: no test {units_of(row)} of {', '.join(lacking)}; UAR, macro F1 and macro AUC are means "
            f"over the other {len(scores.classes) - len(lacking)} classes."
        )
    if scores.measures.values["macro_auc"] is None:
        notes.append(f"{name}: no macro AUC, because only one class has test {units_of(row)}.")
    if scores.measures.no_calibration:
        notes.append(f"{name}: no ECE, overconfidence or Brier score: {scores.measures.no_calibration}.")
    if scores.measures.values["worst_tenth_accuracy"] is None:
        notes.append(f"{name}: no worst tenth of subjects, because each has a single test item.")
    return notes
