"""Lines of the table as stored records: the keys and values of CSV and JSON, in their fixed order."""

from __future__ import annotations

from typing import Any

from platform.aggregation.comparisons import Comparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.tables.column import Line
from platform.tables.columns import columns_of

KEY_ORDER = (
    "source", "preset", "experiment", "dataset", "method", "backbone", "backbone_width", "masks", "seed",
    "seeds", "title", "selection_rule", "leakage", "kind", "fold_rule", "fold_count", "chosen_folds",
    "chosen_of", "folds_finished", "seed_count", "repeat_count", "complete", "problems", "data_hash",
    "result_version", "selection_score", "optimism_gap", "optimism_gap_is_zero_by_construction",
    "mean_of_folds_minus_reported", "images", "sequences", "subjects", "image_errors",
    "mean_of_folds_image_accuracy", "mean_of_folds_image_accuracy_seed_standard_deviation",
    "mean_of_folds_95_percent_low", "mean_of_folds_95_percent_high", "fold_standard_deviation",
    "pooled_image_accuracy", "pooled_image_accuracy_seed_standard_deviation", "pooled_image_95_percent_low",
    "pooled_image_95_percent_high", "pooled_sequence_accuracy",
    "pooled_sequence_accuracy_seed_standard_deviation", "majority_sequence_accuracy",
    "macro_f1_of_pooled_images", "reported_accuracy", "reported_protocol", "reported_statistic",
    "reported_classes", "reported_frames", "reported_folds", "reported_source",
)  # fmt: skip
"""Keys in the order in which files have had them so far; files that exist are compared with new ones.

Frozen: a key of a new column is not added here, it follows these in the order of the registry.
"""
_PLACE = {key: place for place, key in enumerate(KEY_ORDER)}


def record_of(line: Line, form: str, comparison: Comparison | None = None) -> dict[str, Any]:
    """The stored keys and values of `line` in `form`, CSV or JSON; comparison: with the reference."""
    return _ordered({k: v for column in columns_of(form) for k, v in column.stored(line, comparison).items()})


def row_keys(row: TableRow | SeedGroup) -> dict[str, Any]:
    """The keys and values that say which row or line it is."""
    columns = [column for column in columns_of("json") if column.identifies]
    found = {key: value for column in columns for key, value in column.stored(row).items()}
    return _ordered(found)


def _ordered(record: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(record.items(), key=lambda item: _PLACE.get(item[0], len(_PLACE))))
