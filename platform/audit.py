"""Check of fold lists for leaks between training and test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.parser import Parser, run
from platform.host.console import one_line
from platform.host.launcher import pasteable

if TYPE_CHECKING:
    from datasets.audit.findings import Audit

DESCRIPTION = """\
Check fold lists for leaks: subjects, sequences or images in both training and test of a fold, duplicate
or untested images, missing classes, contradictory labels. With access to the images, also identical
images, near-duplicates under different subjects, and missing files.
"""
EPILOG = """\
FOLDS is one of
  a folder with train_ids_K.csv and test_ids_K.csv, one image name per line (FMPN's release)
  a table (.csv) with the columns image and fold (the fold that tests the image), or image, split (train
    or test) and fold; optional columns: subject, sequence, expression, label
  a fold file (.json) of this repository, with --data for the prepared set that it divides

examples:
  python -m platform.audit ~/fmpn/CK+ --images ~/fmpn/CK+/imgs
  python -m platform.audit my_folds.csv --data data/prepared/ckplus-320
  python -m platform.audit runs/experiments/tune-ckplus-paper/folds-ckplus.json \\
      --data data/prepared/ckplus-320

exit status: 0 no leak, 1 a leak was found, 2 bad input.
"""


def make_parser() -> Parser:
    """Parser of the command's flags."""
    parser = Parser(prog="python -m platform.audit", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("folds", type=Path, metavar="FOLDS", help="the fold lists (see below)")
    images = parser.add_mutually_exclusive_group()
    images.add_argument("--images", type=Path, metavar="DIR", help="also check the image files in DIR")
    images.add_argument("--data", type=Path, metavar="STORE", help="also check the faces of a prepared set")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all findings to FILE")
    return parser


def main(argv: list[str]) -> int:
    """Audit the lists and print the findings. Returns 1 if there is a leak."""
    arguments = make_parser().parse_args(argv)
    from datasets.audit.audited_images import FolderImages, Images, StoreImages
    from datasets.audit.findings import judge
    from datasets.audit.images import image_findings
    from datasets.fold_lists.read import read_fold_lists
    from datasets.prepared.store import PreparedStore
    from platform.cli.layer_report import layer_lines
    from platform.cli.progress_line import ProgressLine
    from platform.files.writing import write_atomically

    store = PreparedStore.open(arguments.data) if arguments.data else None
    lists = read_fold_lists(arguments.folds, store)
    images: Images | None = FolderImages(arguments.images) if arguments.images else None
    if store is not None:
        images = faces = StoreImages(store)
        lists = lists.with_expressions({name: faces.expression(name) for name in lists.images})
    found = image_findings(lists, images, ProgressLine("images")) if images is not None else []
    audit = judge(lists, found)
    if arguments.json:
        write_atomically(arguments.json, json.dumps(audit.as_record(), indent=1, allow_nan=False) + "\n")
    print("\n".join(report_lines(audit)))
    if store is not None:
        print(pasteable("\n".join(layer_lines(store.folder) or ["layer:      none beside the images"])))
    if images is None:
        print("Images were not checked; pass --images DIR or --data STORE to check them too.")
    print(audit.verdict)
    return int(audit.leaks)


def report_lines(audit: Audit) -> list[str]:
    """Sizes of the folds and findings, as lines for the screen."""
    lines = ["fold   training: images  subjects  classes   test: images  subjects  classes"]
    for row in audit.sizes:
        training = f"{row.train_images:16}  {row.train_subjects:8}  {row.train_classes:7}"
        test = f"{row.test_images:12}  {row.test_subjects:8}  {row.test_classes:7}"
        lines.append(f"{row.fold:4}   {training}   {test}")
    for finding in audit.findings:
        lines += [
            "",
            f"{finding.severity}: {finding.what} ({finding.rule})",
            f"  for example: {one_line(finding.example)}",
            f"  what to do:  {finding.remedy}",
        ]
    return [*lines, ""]


if __name__ == "__main__":
    run(main)
