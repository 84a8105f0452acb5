"""The comparison table as CSV and JSON: the same keys and the same numbers in both."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from platform.evaluation.reported import ReportedResult
from platform.evaluation.statistics import Interval
from platform.results.aggregate import Scores, TableRow
from platform.results.comparisons import Comparison
from platform.results.formatting import row_label
from platform.results.table import Table

_DECIMALS = 6


def render_csv(table: Table) -> str:
    """One line a row, ours and reported; accuracies in [0, 1], empty where there is no number."""
    records = [
        record
        for section in table.sections
        for record in (
            *(_record(row) for block in section.blocks for row in block.rows),
            *(_reported_record(result) for result in section.reported),
        )
    ]
    for record in records:
        record.pop("folds", None)
        record["problems"] = "; ".join(
            f"fold {fold} {what}" for fold, what in record.get("problems", {}).items()
        )
    columns = list(dict.fromkeys(key for record in records for key in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def render_json(table: Table) -> str:
    """Everything, accuracies in [0, 1], null where there is no number."""
    document = {
        "format": "comparison-table",
        "definitions": list(table.definitions),
        "sections": [
            {
                "dataset": section.dataset,
                "rows": [_record(row) for block in section.blocks for row in block.rows],
                "reported": [_reported_record(result) for result in section.reported],
                "comparisons": [
                    _comparison(block.experiment, comparison)
                    for block in section.blocks
                    for comparison in block.comparisons
                ],
                "notes": list(section.notes),
            }
            for section in table.sections
        ],
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


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


def _record(row: TableRow) -> dict[str, Any]:
    """One of our rows; the keys say what each number is."""
    record: dict[str, Any] = {
        "source": "ours",
        "experiment": row.experiment,
        "preset": row.preset,
        "dataset": row.dataset,
        "method": row.method,
        "title": row.title,
        "backbone": row.backbone,
        "selection_rule": row.selection_rule,
        "masks": row.masks,
        "kind": row.kind,
        "fold_rule": row.fold_rule,
        "fold_count": row.fold_count,
        "folds_finished": row.fold_count - len(row.problems),
        "complete": row.complete,
        "problems": {str(fold): problem for fold, problem in row.problems.items()},
        "data_hash": row.data_hash,
    }
    return record | (_numbers(row.scores) if row.scores else {})


def _numbers(scores: Scores) -> dict[str, Any]:
    deviation = scores.fold_standard_deviation
    return {
        "images": scores.image_count,
        "sequences": scores.sequence_count,
        "subjects": scores.subject_count,
        "image_errors": scores.error_count,
        "mean_of_folds_image_accuracy": round(scores.mean_of_folds, _DECIMALS),
        **_ends("mean_of_folds", scores.mean_of_folds_interval),
        "fold_standard_deviation": None if deviation is None else round(deviation, _DECIMALS),
        "pooled_image_accuracy": round(scores.pooled_image_accuracy, _DECIMALS),
        **_ends("pooled_image", scores.pooled_image_interval),
        "pooled_sequence_accuracy": round(scores.pooled_sequence_accuracy, _DECIMALS),
        "macro_f1_of_pooled_images": round(scores.macro_f1, _DECIMALS),
        "folds": [
            {
                "fold": fold.fold,
                "image_accuracy": round(fold.accuracy, _DECIMALS),
                "images": fold.image_count,
                "subjects": fold.subject_count,
            }
            for fold in scores.folds
        ],
    }


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    """The two ends of a 95 % interval under keys that say of what."""
    return {
        f"{name}_95_percent_low": None if interval is None else round(interval.low, _DECIMALS),
        f"{name}_95_percent_high": None if interval is None else round(interval.high, _DECIMALS),
    }


def _reported_record(result: ReportedResult) -> dict[str, Any]:
    return {
        "source": "reported",
        "dataset": result.dataset,
        "title": result.method,
        "selection_rule": result.selection_rule,
        "reported_accuracy": round(result.accuracy_percent / 100, _DECIMALS),
        "reported_protocol": result.protocol,
        "reported_statistic": result.statistic,
        "reported_source": result.source,
    }
