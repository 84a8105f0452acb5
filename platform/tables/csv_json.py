"""The comparison table as CSV and JSON: the same keys and the same numbers in both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from platform.aggregation.aggregate import Scores, TableRow
from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.config.net_name import VARIOUS_WIDTHS
from platform.evaluation.reported import ReportedResult
from platform.evaluation.statistics import Interval
from platform.host.console import json_visible
from platform.tables.csv_text import csv_text
from platform.tables.definitions import definitions
from platform.tables.details import CONFUSIONS, released_fold_accuracies
from platform.tables.formatting import LEAKAGE, reported_difference, row_label
from platform.tables.notes import section_notes
from platform.tables.table import Section, Table

_DECIMALS = 6


def render_csv(table: Table, parts: Sequence[str]) -> str:
    """One line a row, ours and reported; or, with one of `parts`, one line a fold, class or matrix cell.

    Accuracies in [0, 1], empty where there is no number.
    """
    if parts:
        rows = [row for section in table.sections for row in section.rows]
        return _csv([record for row in rows for record in _DETAILS[parts[0]](row)])
    records = [
        record
        for section in table.sections
        for record in (
            *(_record(row) for row in section.rows),
            *(_seed_record(group) for group in section.seed_groups),
            *(_reported_record(result) for result in section.reported),
        )
    ]
    for record in records:
        problems = record.get("problems", {})
        record["problems"] = "; ".join(f"fold {fold} {what}" for fold, what in problems.items())
        record["seeds"] = " ".join(map(str, record.get("seeds", ())))
    return _csv(records)


def _csv(records: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for record in records for key in record))
    return csv_text(columns, records)


def render_json(table: Table, parts: Sequence[str]) -> str:
    """Rows, comparisons and notes, and `parts` below each row; in [0, 1], null where there is no number."""
    document = {
        "format": "comparison-table",
        "definitions": list(definitions()),
        "sections": [_section_record(section, parts) for section in table.sections],
    }
    # JSON itself escapes only some of the characters that give orders to a terminal.
    return json_visible(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _section_record(section: Section, parts: Sequence[str]) -> dict[str, Any]:
    return {
        "dataset": section.dataset,
        "rows": [_record(row) | {part: _json_details(part, row) for part in parts} for row in section.rows],
        "over_seeds": [_seed_record(group) for group in section.seed_groups],
        "reported": [_reported_record(result) for result in section.reported],
        "comparisons": [
            _comparison(block.experiment, comparison)
            for block in section.blocks
            for comparison in block.comparisons
        ],
        "best": None if section.best is None else _row_keys(section.best),
        "notes": list(section_notes(section)),
    }


def _json_details(part: str, row: TableRow) -> Any:
    """As CSV has them, without the keys of the row around them; a confusion matrix is a list of its rows."""
    if part == "confusions":
        if row.scores is None:
            return None
        matrices = {what: pick(row.scores) for what, pick in CONFUSIONS.items()}
        return {"class_names": row.scores.class_names, **matrices}
    around = _row_keys(row).keys()
    return [{key: value for key, value in one.items() if key not in around} for one in _DETAILS[part](row)]


def _comparison(experiment: str, comparison: Comparison) -> dict[str, Any]:
    return {
        "experiment": experiment,
        "first": row_label(comparison.first),
        "second": row_label(comparison.second),
        "pooled_image_accuracy_difference": round(comparison.difference, _DECIMALS),
        "sign_flip_p_value": float(f"{comparison.p_value:.6g}"),
        "holm_p_value": float(f"{comparison.holm_p_value:.6g}"),
        "images": comparison.image_count,
        "subjects": comparison.subject_count,
        "differing_subjects": comparison.differing_subjects,
    }


def _row_keys(row: TableRow) -> dict[str, Any]:
    """Which row it is."""
    return {
        "experiment": row.experiment,
        "dataset": row.dataset,
        "method": row.method,
        "backbone": row.backbone,
        **({} if row.width == 1 else {"backbone_width": VARIOUS_WIDTHS if row.width is None else row.width}),
        "masks": row.masks,
        "seed": row.seed,
    }


def _record(row: TableRow) -> dict[str, Any]:
    """One of our rows; the keys say what each number is."""
    record: dict[str, Any] = {
        "source": "ours",
        "preset": row.preset,
        **_row_keys(row),
        "title": row.title,
        "selection_rule": row.selection_rule,
        "leakage": LEAKAGE if row.leaks else None,
        "kind": row.kind,
        "fold_rule": row.fold_rule,
        "fold_count": row.fold_count,
        **(
            {"chosen_folds": " ".join(map(str, row.chosen_folds)), "chosen_of": row.chosen_of}
            if row.chosen_of
            else {}
        ),
        "folds_finished": row.fold_count - len(row.problems),
        "seed_count": 1,
        "repeat_count": row.repeat_count,
        "complete": row.complete,
        "problems": {str(fold): problem for fold, problem in row.problems.items()},
        "data_hash": row.data_hash,
        "result_version": row.result_version,
        "selection_score": _rounded(row.selection_score),
        "optimism_gap": _rounded(row.optimism_gap),
        "optimism_gap_is_zero_by_construction": row.leaks,
        "mean_of_folds_minus_reported": _rounded(reported_difference(row)),
    }
    return record | (_numbers(row.scores) if row.scores else {})


def _seed_record(group: SeedGroup) -> dict[str, Any]:
    first = group.rows[0]
    record: dict[str, Any] = {
        "source": "ours, mean over seeds",
        **_row_keys(first),
        "experiment": " ".join(dict.fromkeys(row.experiment for row in group.rows)),
        "seed": None,
        "seeds": list(group.seeds),
        "title": first.title,
        "selection_rule": first.selection_rule,
        "leakage": LEAKAGE if first.leaks else None,
        "kind": first.kind,
        "fold_rule": first.fold_rule,
        "fold_count": first.fold_count,
        "seed_count": len(group.seeds),
        "repeat_count": first.repeat_count,
        "result_version": first.result_version,
    }
    for name, value in (
        ("mean_of_folds_image_accuracy", group.mean_of_folds),
        ("pooled_image_accuracy", group.pooled_image_accuracy),
        ("pooled_sequence_accuracy", group.pooled_sequence_accuracy),
    ):
        record[name] = _rounded(value.mean)
        record[f"{name}_seed_standard_deviation"] = _rounded(value.standard_deviation)
    return record


def _numbers(scores: Scores) -> dict[str, Any]:
    return {
        "images": scores.image_count,
        "sequences": scores.sequence_count,
        "subjects": scores.subject_count,
        "image_errors": scores.error_count,
        "mean_of_folds_image_accuracy": _rounded(scores.mean_of_folds),
        **_ends("mean_of_folds", scores.mean_of_folds_interval),
        "fold_standard_deviation": _rounded(scores.fold_standard_deviation),
        "pooled_image_accuracy": _rounded(scores.pooled_image_accuracy),
        **_ends("pooled_image", scores.pooled_image_interval),
        "pooled_sequence_accuracy": _rounded(scores.pooled_sequence_accuracy),
        "majority_sequence_accuracy": _rounded(scores.majority_sequence_accuracy),
        "macro_f1_of_pooled_images": _rounded(scores.macro_f1),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _fold_records(row: TableRow) -> list[dict[str, Any]]:
    """Each finished fold, with the accuracy of FMPN's released one where the row has its ten folds."""
    released = released_fold_accuracies(row)
    return [
        {
            **_row_keys(row),
            "fold": fold.fold,
            "image_accuracy": _rounded(fold.accuracy),
            "images": fold.image_count,
            "subjects": fold.subject_count,
            "classes": fold.class_count,
            "released_image_accuracy": released.get(fold.fold),
        }
        for fold in (row.scores.folds if row.scores else ())
    ]


def _class_records(row: TableRow) -> list[dict[str, Any]]:
    return [
        {
            **_row_keys(row),
            "class": score.name,
            "images": score.true_count,
            "answered": score.predicted_count,
            "precision": _rounded(score.precision),
            "recall": _rounded(score.recall),
            "f1": _rounded(score.f1),
        }
        for score in (row.scores.classes if row.scores else ())
    ]


def _confusion_records(row: TableRow) -> list[dict[str, Any]]:
    """Every cell of the three confusion matrices."""
    if row.scores is None:
        return []
    names = row.scores.class_names
    return [
        {
            **_row_keys(row),
            "of": what,
            "true": true,
            "predicted": predicted,
            "count": count,
            "rate": _rounded(count / sum(counts)) if sum(counts) else None,
        }
        for what, pick in CONFUSIONS.items()
        for true, counts in zip(names, pick(row.scores), strict=True)
        for predicted, count in zip(names, counts, strict=True)
    ]


_DETAILS = {"folds": _fold_records, "classes": _class_records, "confusions": _confusion_records}
"""Keys of details.PARTS to their records of one row."""


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    """The two ends of a 95 % interval under keys that say of what."""
    return {
        f"{name}_95_percent_low": None if interval is None else _rounded(interval.low),
        f"{name}_95_percent_high": None if interval is None else _rounded(interval.high),
    }


def _reported_record(result: ReportedResult) -> dict[str, Any]:
    return {
        "source": "reported",
        "dataset": result.dataset,
        "method": result.our_method,
        "title": result.method,
        "selection_rule": result.selection_rule,
        "reported_accuracy": round(result.accuracy_percent / 100, _DECIMALS),
        "reported_protocol": result.protocol,
        "reported_statistic": result.statistic,
        "reported_classes": result.classes,
        "reported_frames": result.frames,
        "reported_folds": result.folds,
        "reported_source": result.source,
    }
