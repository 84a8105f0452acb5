"""The comparison table as CSV and JSON, with the same keys and numbers in both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from platform.aggregation.comparisons import Comparison
from platform.aggregation.table_row import TableRow
from platform.host.console import json_visible
from platform.tables import mask_facts
from platform.tables.column import CSV, JSON
from platform.tables.columns import columns_of, definitions
from platform.tables.csv_text import csv_text
from platform.tables.details import confusions_of, released_fold_accuracies
from platform.tables.formatting import row_label
from platform.tables.notes import section_notes
from platform.tables.records import KEY_ORDER, record_of, row_keys
from platform.tables.stored_facts import rounded
from platform.tables.table import Section, Table


def render_csv(table: Table, parts: Sequence[str]) -> str:
    """One line a row, ours and reported; or, with one of `parts`, one line a fold, class or matrix cell.

    Accuracies in [0, 1]; an empty cell where a number does not exist.
    """
    if parts:
        rows = [row for section in table.sections for row in section.rows]
        details = [record for row in rows for record in _DETAILS[parts[0]](row)]
        return csv_text(_columns(details), details)
    records = [
        record
        for section in table.sections
        for record in (
            *(record_of(row, CSV) for row in section.rows),
            *(record_of(group, CSV) for group in section.seed_groups),
            *(record_of(result, CSV) for result in section.reported),
        )
    ]
    for record in records:
        problems = record.get("problems", {})
        record["problems"] = "; ".join(f"fold {fold} {what}" for fold, what in problems.items())
        record["seeds"] = " ".join(map(str, record.get("seeds", ())))
    # Columns that files have not always had come last, so that the others keep their places.
    return csv_text(sorted(_columns(records), key=lambda column: column not in KEY_ORDER), records)


def _columns(records: Sequence[dict[str, Any]]) -> list[str]:
    """The keys of all records in order of first appearance."""
    return list(dict.fromkeys(key for record in records for key in record))


def render_json(table: Table, parts: Sequence[str]) -> str:
    """Rows, comparisons and notes, and `parts` below each row; shares in [0, 1], null for no number."""
    document = {
        "format": "comparison-table",
        "definitions": list(definitions(columns_of(JSON))),
        "sections": [_section_record(section, parts) for section in table.sections],
    }
    # JSON itself escapes only some of the characters that control a terminal.
    return json_visible(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _section_record(section: Section, parts: Sequence[str]) -> dict[str, Any]:
    return {
        "dataset": section.dataset,
        "rows": [
            record_of(row, JSON) | {part: _json_details(part, row) for part in parts} for row in section.rows
        ],
        "over_seeds": [record_of(group, JSON) for group in section.seed_groups],
        "reported": [record_of(result, JSON) for result in section.reported],
        "comparisons": [
            _comparison(block.experiment, comparison)
            for block in section.blocks
            for comparison in block.comparisons
        ],
        "best": None if section.best is None else row_keys(section.best),
        "notes": list(section_notes(section)),
    }


def _json_details(part: str, row: TableRow) -> Any:
    """The records of CSV without the keys of their row; a confusion matrix is a list of its rows."""
    if part == "confusions":
        if row.scores is None:
            return None
        return {"class_names": row.scores.class_names, **confusions_of(row)}
    around = row_keys(row).keys()
    return [{key: value for key, value in one.items() if key not in around} for one in _DETAILS[part](row)]


def _comparison(experiment: str, comparison: Comparison) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "first": row_label(comparison.first),
        "second": row_label(comparison.second),
        "pooled_image_accuracy_difference": rounded(comparison.difference),
        "sign_flip_p_value": float(f"{comparison.p_value:.6g}"),
        "holm_p_value": float(f"{comparison.holm_p_value:.6g}"),
        **_counted(comparison.unit == "sequence", comparison.image_count),
        "subjects": comparison.subject_count,
        "differing_subjects": comparison.differing_subjects,
    }


def _counted(sequences: bool, count: int) -> dict[str, int | None]:
    """`images`, or `sequences` beside no images."""
    return {"images": None, "sequences": count} if sequences else {"images": count}


def _fold_records(row: TableRow) -> list[dict[str, Any]]:
    """Each finished fold, with the accuracy of FMPN's released fold where the row has the same ten folds."""
    released = released_fold_accuracies(row)
    return [
        {
            **row_keys(row),
            "fold": fold.fold,
            "image_accuracy": None if row.scores_sequences else rounded(fold.accuracy),
            **({"sequence_accuracy": rounded(fold.accuracy)} if row.scores_sequences else {}),
            **_counted(row.scores_sequences, fold.image_count),
            "subjects": fold.subject_count,
            "classes": fold.class_count,
            "released_image_accuracy": released.get(fold.fold),
            **mask_facts.of_fold(row, fold.fold),
        }
        for fold in (row.scores.folds if row.scores else ())
    ]


def _class_records(row: TableRow) -> list[dict[str, Any]]:
    return [
        {
            **row_keys(row),
            "class": score.name,
            **_counted(row.scores_sequences, score.true_count),
            "answered": score.predicted_count,
            "precision": rounded(score.precision),
            "recall": rounded(score.recall),
            "f1": rounded(score.f1),
            **mask_facts.of_class(row, score.name),
        }
        for score in (row.scores.classes if row.scores else ())
    ]


def _confusion_records(row: TableRow) -> list[dict[str, Any]]:
    """Every cell of the confusion matrices."""
    if row.scores is None:
        return []
    names = row.scores.class_names
    return [
        {
            **row_keys(row),
            "of": what,
            "true": true,
            "predicted": predicted,
            "count": count,
            "rate": rounded(count / sum(counts)) if sum(counts) else None,
        }
        for what, matrix in confusions_of(row).items()
        for true, counts in zip(names, matrix or (), strict=matrix is not None)
        for predicted, count in zip(names, counts, strict=True)
    ]


_DETAILS = {"folds": _fold_records, "classes": _class_records, "confusions": _confusion_records}
"""Keys of details.PARTS to the function that makes their records for one row."""
