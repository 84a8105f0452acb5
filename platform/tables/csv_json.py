"""The comparison table as CSV and JSON, with the same keys and numbers in both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.host.console import json_visible
from platform.tables import mask_facts
from platform.tables.calibration_details import bin_records
from platform.tables.class_details import class_facts
from platform.tables.column import CSV, JSON
from platform.tables.columns import columns_of, definitions
from platform.tables.csv_text import csv_text
from platform.tables.details import SEEDS, confusions_of, released_fold_accuracies
from platform.tables.group_details import group_records
from platform.tables.notes import section_notes
from platform.tables.records import KEY_ORDER, record_of, row_keys
from platform.tables.stability_part import STABILITY, pair_records, stability_record
from platform.tables.stored_facts import difference_facts, rounded, significant
from platform.tables.table import Section, Table


def render_csv(table: Table, parts: Sequence[str]) -> str:
    """One line a row, ours and reported; or, with one of `parts`, one line a fold, class or matrix cell.

    Accuracies in [0, 1]; an empty cell where a number does not exist.
    """
    if parts:
        details = [record for section in table.sections for record in _part_records(section, parts[0])]
        return csv_text(_columns(details), details)
    records = [
        record
        for section in table.sections
        for record in (
            *(record_of(row, CSV, section.comparison_of(row)) for row in section.every_row),
            *(record_of(group, CSV, section.comparisons.of(group)) for group in section.seed_groups),
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
            record_of(row, JSON, section.comparison_of(row))
            | {part: _json_details(part, row) for part in parts if part in _OF_ROWS}
            for row in section.every_row
        ],
        "over_seeds": [
            record_of(group, JSON, section.comparisons.of(group)) for group in section.seed_groups
        ],
        "reported": [record_of(result, JSON) for result in section.reported],
        "comparisons": [_comparison(section, one) for one in section.comparisons.to_reference],
        "best": None if section.best is None else _keys_of(section.best),
        "notes": list(section_notes(section)),
        "ablations": [
            {"name": one.name, **_comparison(section, one.comparison)}
            for one in section.comparisons.ablations
        ],
        "highest_against_others": [_comparison(section, one) for one in section.comparisons.of_highest],
        **({STABILITY: stability_record(section)} if STABILITY in parts and section.stability else {}),
    }


def _keys_of(line: SeedGroup) -> dict[str, Any]:
    return row_keys(line.rows[0] if len(line.members) == 1 else line)


def _part_records(section: Section, part: str) -> list[dict[str, Any]]:
    """The records of a part in CSV: of rows, of rows of lines with several seeds, or of pairs of lines."""
    if part == STABILITY:
        return pair_records(section)
    rows: Sequence[TableRow] = section.every_row
    if part == SEEDS:
        rows = [row for group in section.seed_groups for row in group.rows]
    return [record for row in rows for record in _DETAILS[part](row)]


def _json_details(part: str, row: TableRow) -> Any:
    """The records of CSV without the keys of their row; a confusion matrix is a list of its rows."""
    if part == "confusions":
        if row.scores is None:
            return None
        return {"class_names": row.scores.class_names, **confusions_of(row)}
    around = row_keys(row).keys()
    return [{key: value for key, value in one.items() if key not in around} for one in _DETAILS[part](row)]


def _comparison(section: Section, comparison: Comparison) -> dict[str, Any]:
    """A difference; the p value of several seeds is not that of a sign-flip test alone."""
    found = comparison.found
    return {
        "experiment": " ".join(comparison.first.experiments),
        "first": section.label(comparison.first),
        "second": section.label(comparison.second),
        "pooled_image_accuracy_difference": rounded(found.difference),
        "sign_flip_p_value": significant(found.p_value) if found.seed_count == 1 else None,
        "holm_p_value": significant(comparison.holm_p_value),
        **_counted(comparison.unit == "sequence", comparison.image_count),
        "subjects": found.subject_count,
        "differing_subjects": found.differing_subjects,
        "second_experiment": " ".join(comparison.second.experiments),
        "seeds": [first for first, _ in comparison.seeds],
        "second_seeds": [second for _, second in comparison.seeds],
        **difference_facts(comparison),
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
            **class_facts(measures),
        }
        for score, measures in (
            zip(row.scores.classes, row.scores.measures.classes, strict=True) if row.scores else ()
        )
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


def _seed_records(row: TableRow) -> list[dict[str, Any]]:
    """The accuracies of one seed."""
    scores = row.scores
    if scores is None:
        return [{**row_keys(row), "complete": False}]
    numbers = {key: value for key, value in record_of(row, CSV).items() if key in _OF_A_SEED}
    return [{**row_keys(row), "complete": row.complete, **numbers}]


_OF_A_SEED = (
    "mean_of_folds_image_accuracy", "mean_of_folds_sequence_accuracy", "mean_of_folds_95_percent_low",
    "mean_of_folds_95_percent_high", "fold_standard_deviation", "pooled_image_accuracy",
    "pooled_image_95_percent_low", "pooled_image_95_percent_high", "pooled_sequence_accuracy",
)  # fmt: skip

_DETAILS = {
    SEEDS: _seed_records,
    "folds": _fold_records,
    "classes": _class_records,
    "confusions": _confusion_records,
    "calibration": lambda row: [row_keys(row) | one for one in bin_records(row)],
    "groups": lambda row: [row_keys(row) | one for one in group_records(row)],
}
"""Keys of details.PARTS to the function that makes their records for one row."""
_OF_ROWS = tuple(part for part in _DETAILS if part != SEEDS)
"""Those that JSON holds below each row; its rows are single seeds already."""
