"""Remarks on single rows, those of equal words together: what their numbers lack, and how far they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from platform.aggregation.scores import Scores
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.tables.formatting import units_of
from platform.tables.measure_notes import measure_notes

NEAR_CEILING = 0.95
"""Pooled accuracy from which the number of errors is shown, which is more telling than the percentage."""


@dataclass(frozen=True)
class NamedLine:
    """A line of the table and its name in sentences."""

    name: str
    line: SeedGroup


def row_remarks(lines: Sequence[NamedLine]) -> list[str]:
    """`FMPN (resnet18), seeds 0, 1; CNN (resnet18): never predicted fear.`; `All rows` where it is of all."""
    found: dict[str, dict[str, list[TableRow]]] = {}
    for one in lines:
        for row in one.line.rows:
            for text in _remarks(row):
                found.setdefault(text, {}).setdefault(one.name, []).append(row)
    scored = sum(row.scores is not None for one in lines for row in one.line.rows)
    several = {one.name for one in lines if len(one.line.rows) > 1}
    return [f"{_names(named, several, scored)}: {text}" for text, named in found.items()]


def error_notes(lines: Sequence[NamedLine]) -> list[str]:
    """The errors of lines near 100 % or with an interval of narrow validity; one note a caveat."""
    found: dict[str, list[str]] = {}
    for one in lines:
        caveat, text = _errors(one.line)
        if text:
            found.setdefault(caveat, []).append(f"{one.name}: {text}")
    return [f"{'; '.join(texts)}.{f' {caveat}' if caveat else ''}" for caveat, texts in found.items()]


def _names(named: dict[str, list[TableRow]], several: set[str], scored: int) -> str:
    if scored > 1 and sum(map(len, named.values())) == scored:
        return "All rows"
    said = []
    for name, rows in named.items():
        seeds = [str(row.seed) for row in rows]
        word = "seed" if len(seeds) == 1 else "seeds"
        said.append(f"{name}, {word} {', '.join(seeds)}" if name in several else name)
    return "; ".join(said)


def _remarks(row: TableRow) -> list[str]:
    """Properties of the data or predictions that leave some numbers undefined."""
    scores = row.scores
    if scores is None:
        return []
    said = []
    never = [score.name for score in scores.classes if not score.predicted_count and score.true_count]
    if never:
        said.append(f"never predicted {', '.join(never)}; F1 of such a class counts as 0.")
    single = [str(fold.fold) for fold in scores.folds if fold.class_count == 1]
    if single and len(scores.class_names) > 1:
        verb = "fold {} tests" if len(single) == 1 else "folds {} test"
        said.append(f"{verb.format(', '.join(single))} only one class.")
    if scores.subject_count == 1:
        said.append("with one test subject, no 95 % CI over subjects exists.")
    return [*said, *measure_notes(row)]


def _errors(line: SeedGroup) -> tuple[str, str]:
    """The caveat of the line's interval, and its errors; both empty where its accuracy says enough."""
    row = line.first
    if len(line.members) == 1:
        return ("", "") if row.scores is None else _errors_of_one(row, row.scores)
    mean, limits = line.pooled_image_accuracy, line.pooled_interval
    caveat = (limits.caveat or "") if limits is not None else ""
    if mean is None or row.scores is None or (mean.mean < NEAR_CEILING and not caveat):
        return "", ""
    errors = ", ".join(str(one.row.scores.error_count) for one in line.finished if one.row.scores)
    return caveat, f"{errors} errors in {row.scores.image_count} {units_of(row)}, by seed"


def _errors_of_one(row: TableRow, scores: Scores) -> tuple[str, str]:
    interval = scores.pooled_image_interval
    caveat = (interval.caveat or "") if interval is not None else ""
    if scores.pooled_image_accuracy < NEAR_CEILING and not caveat:
        return "", ""
    return caveat, (
        f"{scores.error_count} errors in {scores.image_count} {units_of(row)}, by "
        f"{scores.subjects_with_errors} of {scores.subject_count} subjects"
    )
