"""Comparison table of finished experiments, from stored predictions."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

from platform.cli.parser import Parser, run
from platform.errors import UserError
from platform.host.launcher import default_folder, pasteable

DESCRIPTION = """\
Print the comparison table of finished experiments. Every number is recomputed from the stored
predictions; what the FMPN, FERAtt and DGCN papers report on the data set is added. Accuracy is
given as the mean of folds (as in the paper) and pooled over images and over sequences, with a 95 % CI
over subjects. Notes below the table explain every number. A row with a missing or failed fold is an
error, which names the command that completes it.
"""
EPILOG = """\
examples:
  python -m platform.table                                     every experiment in runs/, with notes
  python -m platform.table --experiment tune-synthetic-quick   one experiment
  python -m platform.table --format latex --out table.tex      for a paper (booktabs)
  python -m platform.table --parts classes confusions          also precision, recall, confusion matrices
  python -m platform.table --format csv --parts folds          every fold, for a spreadsheet
  python -m platform.table --reference fmpn                    differences from FMPN's row
  python -m platform.table --predictions predictions.parquet   every prediction, for other programs
  python -m platform.table --partial                           before all folds are finished

formats: screen (fixed width), markdown, latex, csv, json. All but csv include the notes.
parts: seeds (each training seed of a row), folds (beside FMPN's released ones), classes, confusions (of
  images and of sequences), stability (order of rows under further divisions of the subjects, --repeats),
  calibration, groups (of subjects, where the data set knows them). Without --parts, markdown, latex and
  json contain all parts, screen and csv none. A CSV file holds one part.
columns and notes: docs/table.md
"""


def parser() -> Parser:
    """The command's flags."""
    made = Parser(prog="python -m platform.table", description=DESCRIPTION, epilog=EPILOG)
    made.add_argument(
        "--runs", type=Path, default=default_folder("runs"), metavar="DIR", help="runs folder (default: runs)"
    )
    made.add_argument(
        "--experiment",
        nargs="+",
        metavar="NAME",
        help="experiments to show (default: all in the runs folder)",
    )
    made.add_argument(
        "--format", default="screen", metavar="FORM", help="screen (default), markdown, latex, csv, json"
    )
    made.add_argument(
        "--parts",
        nargs="*",
        metavar="PART",
        help="seeds, folds, classes, confusions, stability, calibration, groups: below the rows",
    )
    made.add_argument(
        "--reference",
        metavar="ROW",
        help="row that the others are compared with: a method or title, or EXPERIMENT:METHOD (default: the "
        "first baseline of each data set)",
    )
    made.add_argument(
        "--partial", action="store_true", help="show incomplete rows, marked, instead of an error"
    )
    made.add_argument("--out", type=Path, metavar="FILE", help="write to FILE instead of the screen")
    made.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="also write all predictions, one line per image and row, to FILE (.csv or .parquet)",
    )
    return made


def main(argv: list[str]) -> int | None:
    """Aggregate the requested experiments and print or write the table."""
    arguments = parser().parse_args(argv)
    from datasets.catalogue import names_with_groups
    from platform.aggregation.parallel import aggregate_experiments
    from platform.cli.progress_line import ProgressLine
    from platform.experiments.experiment_file import read_experiment
    from platform.files.writing import write_atomically
    from platform.reports.predictions_file import check_suffix, write_predictions
    from platform.runs.store import ResultsStore
    from platform.tables.details import absent_parts
    from platform.tables.render import check_form, render
    from platform.tables.table import build_table

    check_form(arguments.format, arguments.parts)
    if arguments.predictions is not None:
        check_suffix(arguments.predictions)
    store = ResultsStore(arguments.runs)
    names = store.experiments()
    if not names:
        what = "has no experiments" if arguments.runs.is_dir() else "does not exist"
        is_usual = arguments.runs == default_folder("runs")
        runs = "" if is_usual else f" --runs {shlex.quote(str(arguments.runs))}"
        raise UserError(
            f"the runs folder must hold an experiment, but {arguments.runs} {what}; "
            f"run `python -m platform.tune --dataset synthetic --preset quick{runs}` or pass --runs DIR."
        )
    wanted = list(dict.fromkeys(arguments.experiment or names))
    experiments = [read_experiment(store, name) for name in wanted]
    progress = ProgressLine("reading fold runs", stream=sys.stderr)
    rows = aggregate_experiments(store, experiments, partial=arguments.partial, progress=progress)
    table = build_table(rows, arguments.reference)
    text = render(table, arguments.format, arguments.parts, width=_width(arguments.out))
    if "groups" in (arguments.parts or ()) and not any(
        one.row.scores is not None and one.row.scores.groups for one in rows
    ):
        sets = ", ".join(names_with_groups())
        print(f"no groups of subjects: only {sets} names them, for new experiments", file=sys.stderr)
    for missing in absent_parts(table, arguments.parts or ()):
        print(missing, file=sys.stderr)
    if arguments.out is None:
        print(pasteable(text) if arguments.format == "screen" else text, end="")
    else:
        write_atomically(arguments.out, text)
        print(f"wrote {arguments.out}")
    if arguments.predictions is not None:
        lines = write_predictions(arguments.predictions, store, experiments)
        print(f"wrote {arguments.predictions} ({lines:,} lines)")
    return None


def _width(out: Path | None) -> int:
    """Characters of a terminal that the table is printed on; else the usual width."""
    from platform.tables.screen import NARROWEST, SCREEN_WIDTH

    if out is not None or not sys.stdout.isatty():
        return SCREEN_WIDTH
    columns = shutil.get_terminal_size((SCREEN_WIDTH, 24)).columns
    return max(NARROWEST, min(columns, SCREEN_WIDTH))


if __name__ == "__main__":
    run(main)
