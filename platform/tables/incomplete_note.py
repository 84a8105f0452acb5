"""Notes on rows that lack fold runs: which folds, and the command that completes them."""

from __future__ import annotations

from collections.abc import Sequence

from platform.aggregation.table_row import TableRow
from platform.tables.formatting import row_label
from platform.tables.table import Section

_SEVERAL = {"is missing": "are missing"}
"""Problems of one fold, in the words for several."""


def incomplete_notes(section: Section) -> list[str]:
    """A note for each command that completes rows of the section, also rows of further divisions.

    Rows with the same problem are named together, so that an interrupted experiment of many rows has a short
    note.
    """
    repeated = set(map(id, section.repeated))
    commands: dict[str, dict[str, list[TableRow]]] = {}
    for row in section.every_row:
        if row.problems and id(row) not in repeated:
            commands.setdefault(row.command, {}).setdefault(problems_text(row), []).append(row)
    whole = len(section.every_row) - len(repeated)
    return [
        f"INCOMPLETE. {' '.join(_sentence(section, said, rows, whole) for said, rows in problems.items())}"
        f"{_means(section)} Complete with `{command}`."
        for command, problems in commands.items()
    ]


def problems_text(row: TableRow) -> str:
    """`all 10 folds are missing`, or `folds 4 to 9 are missing; fold 2 failed (MemoryError)`."""
    folds: dict[str, list[int]] = {}
    for fold, problem in row.problems.items():
        folds.setdefault(problem, []).append(fold)
    return "; ".join(_of_folds(problem, sorted(found), row.fold_count) for problem, found in folds.items())


def _of_folds(problem: str, folds: Sequence[int], fold_count: int) -> str:
    if len(folds) == 1:
        return f"fold {folds[0]} {problem}"
    problem = _SEVERAL.get(problem, problem)
    return (
        f"all {fold_count} folds {problem}" if len(folds) == fold_count else f"folds {_runs(folds)} {problem}"
    )


def _runs(numbers: Sequence[int]) -> str:
    """`2, 4 to 9`: ascending numbers, three or more successive ones as a range."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def _sentence(section: Section, said: str, rows: Sequence[TableRow], whole: int) -> str:
    """`FMPN (resnet18), seeds 0, 1; CNN (resnet18), seed 1: all 10 folds are missing.`

    whole: number of all rows; where it is of several and all have the problem, they are not named.
    """
    if 1 < whole == len(rows):
        return f"Every row: {said}."
    seeds: dict[str, list[int]] = {}
    for row in rows:
        name, seed = _name(section, row)
        seeds.setdefault(name, []).extend(() if seed is None else (seed,))
    named = [
        name + (f", seed{'s' if len(found) > 1 else ''} {', '.join(map(str, found))}" if found else "")
        for name, found in seeds.items()
    ]
    return f"{'; '.join(named)}: {said}."


def _name(section: Section, row: TableRow) -> tuple[str, int | None]:
    """The row's line, and its seed where the line has several."""
    for line in section.lines:
        if any(one is row for one in line.rows):
            return section.label(line), row.seed if len(line.members) > 1 else None
    name = row_label(row)
    alike = [one for one in section.every_row if row_label(one) == name]
    return name, row.seed if len({one.seed for one in alike}) > 1 else None


def _means(section: Section) -> str:
    several = any(line.finished and not line.complete for line in section.seed_groups)
    return " Means over seeds are of the complete seeds only." if several else ""
