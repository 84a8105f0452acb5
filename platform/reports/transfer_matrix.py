"""Transfer matrix of a method: accuracy on each target by the source of its masks or generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.table_row import TableRow
from platform.tables.formatting import ABSENT, percent
from platform.tables.grid import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One source on one target: one row, or the rows of all draws of the target's split."""

    rows: tuple[TableRow, ...]

    @property
    def mean_of_folds(self) -> float:
        """Mean accuracy of the folds in [0, 1], over draws of the split."""
        return fmean(row.scores.mean_of_folds for row in self.rows if row.scores)

    @property
    def text(self) -> str:
        """`53.97 (n 126)`, or `53.97 (3 draws)` for several draws of a split."""
        counted = f"{len(self.rows)} draws" if len(self.rows) > 1 else f"n {_images(self.rows[0])}"
        return f"{percent(self.mean_of_folds)} ({counted})"


@dataclass(frozen=True, kw_only=True)
class TransferMatrix:
    """Cells of one method, backbone and seed."""

    name: str
    """Method, backbone and seed; unique among the matrices of an experiment."""
    cells: Mapping[tuple[str, str], Cell]
    """(source, target) to its accuracy; impossible pairs are absent."""

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
    """A matrix for each method, backbone and seed with at least two transfers.

    experiment: contents of experiment.json; aggregated: its rows, in order. Variations of the method, control
    masks and incomplete rows are left out.
    """
    found: dict[str, dict[tuple[str, str], list[TableRow]]] = {}
    transfers: dict[str, set[tuple[str, str]]] = {}
    for row, made in zip(experiment["rows"], aggregated, strict=True):
        source = _source(row)
        if source is None or row.get("variation") or not made.row.complete:
            continue
        name = f"{made.row.title} ({made.row.net}, seed {made.row.seed})"
        found.setdefault(name, {}).setdefault((source, made.row.dataset), []).append(made.row)
        if row["kind"] == "transfer":
            transfers.setdefault(name, set()).add((source, made.row.dataset))
    return [
        TransferMatrix(name=name, cells={place: Cell(rows=tuple(rows)) for place, rows in cells.items()})
        for name, cells in found.items()
        if len(transfers.get(name, ())) > 1
    ]


def _source(row: Mapping[str, Any]) -> str | None:
    """The source of masks or generator: the data set itself without a transfer, None for control masks."""
    if row["masks"] == "none":
        return None
    if row["kind"] == "crossval":
        return str(row["dataset"]) if row["masks"] == "own" else None
    return str(row["masks"] if row["masks"] != "own" else row["generator"])


def matrix_grid(matrix: TransferMatrix) -> Grid:
    """One line per source, one column per target."""
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
        caption=f"Transfer of {matrix.name}: mean of folds % (test images) by source and target. On the "
        "diagonal, masks and stage 1 are the data set's own.",
        header=("Source", *matrix.targets),
        rows=tuple(lines),
        left_columns=1,
    )


def matrix_figure(matrix: TransferMatrix) -> Figure:
    """The matrix as colours and numbers."""
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
    axes.set_ylabel("source")
    figure.colorbar(image, label="mean of folds %")
    return figure


def _images(row: TableRow) -> int:
    return row.scores.image_count if row.scores else 0
