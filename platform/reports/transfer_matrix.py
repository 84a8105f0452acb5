"""Whose masks or generator serve which data set how well: a matrix of one method, from a table's rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from platform.aggregation.aggregate import AggregatedRow, TableRow
from platform.tables.formatting import ABSENT, percent
from platform.tables.grid import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One source on one target: the rows of all draws of the target's split, or just one."""

    rows: tuple[TableRow, ...]

    @property
    def mean_of_folds(self) -> float:
        """Mean accuracy of the folds in [0, 1], over draws of the split."""
        return fmean(row.scores.mean_of_folds for row in self.rows if row.scores)

    @property
    def text(self) -> str:
        """`53.97 (n 126)`; `53.97 (3 draws)` for several draws of a split."""
        counted = f"{len(self.rows)} draws" if len(self.rows) > 1 else f"n {_images(self.rows[0])}"
        return f"{percent(self.mean_of_folds)} ({counted})"


@dataclass(frozen=True, kw_only=True)
class TransferMatrix:
    """Cells of one method, backbone and seed."""

    name: str
    """The method, its backbone and its seed: no other matrix of the experiment has them all."""
    cells: Mapping[tuple[str, str], Cell]
    """(source, target) to its accuracy; a pair that cannot be is absent."""

    @property
    def sources(self) -> tuple[str, ...]:
        """In the order of the rows."""
        return tuple(dict.fromkeys(source for source, _ in self.cells))

    @property
    def targets(self) -> tuple[str, ...]:
        """In the order of the rows."""
        return tuple(dict.fromkeys(target for _, target in self.cells))


def transfer_matrices(
    experiment: Mapping[str, Any], aggregated: Sequence[AggregatedRow]
) -> list[TransferMatrix]:
    """A matrix for each method, backbone and seed for which something was lent at least twice.

    experiment: contents of experiment.json; aggregated: its rows, in order. Rows of a variation of the
    method or with masks that carry no prior are no part of it, nor are incomplete rows.
    """
    found: dict[str, dict[tuple[str, str], list[TableRow]]] = {}
    lent: dict[str, set[tuple[str, str]]] = {}
    for row, made in zip(experiment["rows"], aggregated, strict=True):
        source = _source(row)
        if source is None or row.get("variation") or not made.row.complete:
            continue
        name = f"{made.row.title} ({made.row.net}, seed {made.row.seed})"
        found.setdefault(name, {}).setdefault((source, made.row.dataset), []).append(made.row)
        if row["kind"] == "transfer":
            lent.setdefault(name, set()).add((source, made.row.dataset))
    return [
        TransferMatrix(name=name, cells={place: Cell(rows=tuple(rows)) for place, rows in cells.items()})
        for name, cells in found.items()
        if len(lent.get(name, ())) > 1
    ]


def _source(row: Mapping[str, Any]) -> str | None:
    """Who lent what is lent; the data set itself where nothing is; None for masks that nobody lent."""
    if row["masks"] == "none":
        return None
    if row["kind"] == "crossval":
        return str(row["dataset"]) if row["masks"] == "own" else None
    return str(row["masks"] if row["masks"] != "own" else row["generator"])


def matrix_grid(matrix: TransferMatrix) -> Grid:
    """A line a source, a column a target."""
    lines = [
        (
            source,
            *(
                matrix.cells[source, target].text if (source, target) in matrix.cells else ABSENT
                for target in matrix.targets
            ),
        )
        for source in matrix.sources
    ]
    return Grid(
        caption=f"Transfer of {matrix.name}: mean of folds % (test images) on each target, by who lent. "
        "A set to itself has its own masks and its own stage 1.",
        header=("Lent by", *matrix.targets),
        rows=tuple(lines),
        left_columns=1,
    )


def matrix_figure(matrix: TransferMatrix) -> Figure:
    """The same as colours with numbers."""
    import numpy as np
    from matplotlib.figure import Figure

    sources, targets = matrix.sources, matrix.targets
    values = np.full((len(sources), len(targets)), np.nan)
    figure = Figure(figsize=(2.5 + 1.7 * len(targets), 1.8 + 0.7 * len(sources)), layout="constrained")
    axes = figure.add_subplot()
    for (source, target), cell in matrix.cells.items():
        values[sources.index(source), targets.index(target)] = 100 * cell.mean_of_folds
    image = axes.imshow(values, vmin=0, vmax=100, cmap="viridis", aspect="auto")
    for (source, target), cell in matrix.cells.items():
        axes.text(
            targets.index(target),
            sources.index(source),
            cell.text.replace(" (", "\n("),
            ha="center",
            va="center",
            color="black" if cell.mean_of_folds > 0.6 else "white",
        )
    axes.set_xticks(range(len(targets)), targets)
    axes.set_yticks(range(len(sources)), sources)
    axes.set_xlabel("target")
    axes.set_ylabel("lent by")
    figure.colorbar(image, label="mean of folds %")
    return figure


def _images(row: TableRow) -> int:
    return row.scores.image_count if row.scores else 0
