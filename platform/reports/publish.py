"""Tables, figures, report and TensorBoard logs of a finished experiment, written from the results store."""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datasets.masks.controls import CONTROLS
from platform.aggregation.aggregate import AggregatedRow, aggregate_experiment
from platform.experiments.driver_lease import check_leading
from platform.experiments.experiment_file import check_experiment, seed_words, studies_of
from platform.experiments.led_files import write_as_leader
from platform.experiments.winner_file import winner_files
from platform.reports import figures as drawing
from platform.reports.conclusions import conclusions
from platform.reports.confusion_figure import confusion_figure
from platform.reports.front_figure import front_figure
from platform.reports.html import report_html
from platform.reports.next_commands import next_commands
from platform.reports.provenance import provenance_lines
from platform.reports.reliability_figure import reliability_figure
from platform.reports.tensorboard import read_curves, row_slug, write_tensorboard
from platform.reports.transfer_matrix import matrix_figure, matrix_grid, transfer_matrices
from platform.tables.details import confusions_of
from platform.tables.displayable import displayable
from platform.tables.formatting import row_label, units_of
from platform.tables.grid import screen_grid
from platform.tables.render import render
from platform.tables.screen import render_screen
from platform.tables.stability_part import order_sentences
from platform.tables.table import build_table

if TYPE_CHECKING:
    from platform.runs.store import ResultsStore

_TABLE_FILES = {"markdown": "table.md", "latex": "table.tex", "csv": "table.csv", "json": "table.json"}
_OWN_FIGURES = (
    "confusion-*.png",
    "reliability-*.png",
    "masks-*.png",
    "pictures-*.png",
    "curves-*.png",
    "study*.png",
    "transfer-*.png",
)


@dataclass(frozen=True, kw_only=True)
class Presentation:
    """The written files, and the text to print."""

    text: str
    """The comparison table for the end of a command: key columns, no notes."""
    conclusions: tuple[str, ...]
    """Sentences that say what the table means."""
    table_files: dict[str, Path]
    """`markdown`, `latex`, `csv`, `json` to their files."""
    figures: dict[str, Path]
    """Title to PNG file."""
    report: Path
    tensorboard: Path
    next_commands: dict[str, str]
    """Purpose to command."""
    winners: tuple[Path, ...] = ()
    """winner.yaml of a search, or those of the outer folds (platform/experiments/winner_file.py)."""


def present(
    store: ResultsStore,
    experiment: Mapping[str, Any],
    extra_figures: Mapping[str, Path] | None = None,
    *,
    partial: bool = False,
) -> Presentation:
    """Write tables, figures, report and TensorBoard logs into the experiment's folder.

    experiment: contents of experiment.json, and `reference`, the row that others are compared with, if it is
    not the first baseline. extra_figures: title to PNG file, shown first and copied
    into `figures/`. May be called again at any time: equal predictions give equal bytes of table.*.
    Raises UserError as `aggregate_experiment` does, before anything is written.
    """
    folder = store.experiment_folder(experiment["name"])
    check_experiment(experiment, str(folder / "experiment.json"))
    aggregated = aggregate_experiment(store, experiment, partial=partial)
    reference = experiment.get("reference")
    table = build_table(aggregated, reference)
    table_files = {form: folder / name for form, name in _TABLE_FILES.items()}
    for form, path in table_files.items():
        write_as_leader(path, render(table, form))
    aggregated = displayable(aggregated)
    figures = _write_figures(folder / "figures", store, experiment, aggregated, extra_figures or {})
    undivided = [one for one in aggregated if not one.row.repeat]
    logs = folder / "tensorboard"
    winners = tuple(winner_files(folder)) if studies_of(experiment) else ()
    commands = next_commands(store, experiment, logs, winners if len(winners) == 1 else ())
    report = folder / "report.html"
    sentences = (*conclusions(undivided, reference), *order_sentences(displayable(table.sections[0])))
    write_as_leader(
        report,
        report_html(
            experiment,
            table,
            figures,
            commands,
            sentences,
            winners=[path.name for path in winners],
            provenance=provenance_lines(store, experiment),
        ),
    )
    check_leading(logs)
    write_tensorboard(logs, store, experiment, aggregated, figures)
    matrices = [screen_grid(matrix_grid(one)) for one in transfer_matrices(experiment, aggregated)]
    shown = render_screen(displayable(table), brief=True)
    return Presentation(
        text="\n".join([shown, *("\n".join([*lines, ""]) for lines in matrices)]),
        conclusions=sentences,
        table_files=table_files,
        figures=figures,
        report=report,
        tensorboard=logs,
        next_commands=commands,
        winners=winners,
    )


def _write_figures(
    folder: Path,
    store: ResultsStore,
    experiment: Mapping[str, Any],
    aggregated: Sequence[AggregatedRow],
    extra: Mapping[str, Path],
) -> dict[str, Path]:
    """All figures, by title. Figures of an earlier call are removed, because its rows may have differed."""
    check_leading(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in _OWN_FIGURES:
        for stale in folder.glob(pattern):
            stale.unlink()
    written: dict[str, Path] = {}
    for title, source in extra.items():
        written[title] = folder / source.name
        if source.resolve() != written[title].resolve():
            shutil.copyfile(source, written[title])
    shown_masks: set[str] = set()
    for index, (row, made) in enumerate(zip(experiment["rows"], aggregated, strict=True)):
        if made.row.repeat:
            continue  # its figures would have the titles of those of the rule's own division
        seed, slug = seed_words(row, experiment), row_slug(index, row, experiment)
        written.update(_row_figures(folder, store, slug, row, made, shown_masks, seed))
    written.update(_curve_figures(folder, store, experiment, aggregated))
    for number, matrix in enumerate(transfer_matrices(experiment, aggregated)):
        title = f"Transfer of {matrix.name}: source by target"
        written[title] = folder / f"transfer-{number:02d}.png"
        drawing.save_figure(matrix_figure(matrix), written[title])
    studies = studies_of(experiment)
    for study in studies:
        only = len(studies) == 1
        title = "Search: score of each trial" + ("" if only else f" ({study['name']})")
        written[title] = folder / ("study.png" if only else f"study-{study['name']}.png")
        drawing.save_figure(drawing.study_figure(study["trials"], study["objective"]), written[title])
        if len(study.get("objectives", ())) > 1:
            title = "Search: accuracy against the other objectives" + ("" if only else f" ({study['name']})")
            written[title] = folder / ("study-front.png" if only else f"study-front-{study['name']}.png")
            drawing.save_figure(front_figure(study), written[title])
    return written


def _row_figures(
    folder: Path,
    store: ResultsStore,
    slug: str,
    row: Mapping[str, Any],
    made: AggregatedRow,
    shown_masks: set[str],
    seed: str,
) -> dict[str, Path]:
    """Confusion matrices, motion masks (once for rows that share them) and example pictures of a row.

    seed: follows the row's name in the titles.
    """
    scores, written = made.row.scores, {}
    if scores is None:
        return {}
    name = f"{row_label(made.row)} on {made.row.dataset}{seed}"
    matrices = {what: matrix for what, matrix in confusions_of(made.row).items() if matrix is not None}
    of_images = {what: matrices.pop(what) for what in ("images",) if what in matrices}
    for shown, unit in ((of_images, "images"), (matrices, "sequences")):
        if not shown:
            continue
        title = f"Confusion matrix: {name}, pooled test {unit}"
        written[title] = folder / f"confusion-{unit}-{slug}.png"
        drawing.save_figure(confusion_figure(shown, scores.class_names, title), written[title])
    if scores.measures.bins:
        title = f"Reliability: {name}, pooled test {units_of(made.row)}"
        written[title] = folder / f"reliability-{slug}.png"
        bins, unit = scores.measures.bins, units_of(made.row)
        drawing.save_figure(reliability_figure(bins, title, unit), written[title])
    fold, identity = min(
        (run["fold"], run["identity"]) for run in row["runs"] if run["fold"] not in made.row.problems
    )
    masks = store.record("fold_runs", identity).get("masks")
    if masks and masks not in shown_masks:
        shown_masks.add(masks)
        titles = {
            "own": f"Motion masks of fold {fold} of {made.row.dataset} (training subjects only)",
            "released": f"FMPN's released motion masks of fold {fold}",
        }
        transferred = (
            f"Control masks {made.row.masks} of fold {fold}"
            if made.row.masks in CONTROLS
            else f"Motion masks of {made.row.masks}, transferred to {name} (training subjects only)"
        )
        title = titles.get(made.row.masks, transferred)
        written[title] = folder / f"masks-{slug}.png"
        classes = displayable((store.manifest("masks", masks) or {})["classes"])
        images = np.load(io.BytesIO(store.read("masks", masks, "masks.npy")), allow_pickle=False)
        drawing.save_figure(drawing.mask_figure(images, classes, title), written[title])
    if "pictures.png" in (store.manifest("fold_runs", identity) or {})["sha256"]:
        title = f"Inputs and outputs of the networks: {name}, test faces of fold {fold}"
        written[title] = folder / f"pictures-{slug}.png"
        write_as_leader(written[title], store.read("fold_runs", identity, "pictures.png"))
    return written


def _curve_figures(
    folder: Path, store: ResultsStore, experiment: Mapping[str, Any], aggregated: Sequence[AggregatedRow]
) -> dict[str, Path]:
    """One figure per stage, with all rows that have it."""
    stages: dict[str, dict[str, list[list[dict[str, Any]]]]] = {}
    for row, made in zip(experiment["rows"], aggregated, strict=True):
        for run in row["runs"]:
            if made.row.repeat or run["fold"] in made.row.problems:
                continue
            for stage, epochs in read_curves(store, run["identity"]).items():
                rows = stages.setdefault(stage, {})
                rows.setdefault(f"{row_label(made.row)} on {made.row.dataset}", []).append(epochs)
    written = {}
    for stage, curves in sorted(stages.items()):
        title = f"Training curves of {stage.replace('stage', 'stage ')}: folds thin, their mean thick"
        written[title] = folder / f"curves-{stage}.png"
        drawing.save_figure(drawing.curves_figure(curves, title), written[title])
    return written
