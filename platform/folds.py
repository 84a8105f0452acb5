"""Fold plans: a data set's subjects, divided by a rule."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from platform.cli.parser import Parser, run
from platform.config.configuration import Plan
from platform.host.launcher import default_folder

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore

DESCRIPTION = """\
Divide the subjects of a prepared data set into folds by a rule, audit the folds and write them to a file,
which crossval and tune take (--folds FILE). The same rule and set give the same file.
"""
EPILOG = """\
examples:
  python -m platform.folds --dataset ckplus --rule step --out ckplus-step.json
  python -m platform.audit ckplus-step.json --data data/prepared/ckplus-320
  python -m platform.crossval --dataset ckplus --folds ckplus-step.json
"""


def make_parser() -> Parser:
    """Parser of the command's flags."""
    parser = Parser(prog="python -m platform.folds", description=DESCRIPTION, epilog=EPILOG)
    add = parser.add_argument
    add("--dataset", required=True, metavar="NAME", help="a prepared data set, or an embedded one")
    add("--rule", default=Plan.fold_rule, choices=("paper", "step", "holdout"),
        help="paper: FMPN's folds (default); step: sorted subjects, every tenth to the same fold; holdout: a "
        "single seeded split")  # fmt: skip
    add("--folds", type=int, default=Plan.folds, metavar="N",
        help="number of folds of the rules paper and step (default: %(default)s)")  # fmt: skip
    add("--holdout-share", type=float, default=Plan.holdout_share, metavar="X",
        help="share of images tested under the rule holdout (default: %(default)s)")  # fmt: skip
    add("--seed", type=int, default=Plan.study_seed, metavar="N",
        help="seed of the rule holdout (default: %(default)s)")  # fmt: skip
    add("--size", type=int, metavar="PIXELS", help="size of the prepared set (default: the only one)")
    add("--data-root", type=Path, default=default_folder("data"), metavar="DIR",
        help="folder of prepared sets (default: data)")  # fmt: skip
    add("--out", type=Path, required=True, metavar="FILE", help="file of the fold plan, ending in .json")
    return parser


def main(argv: list[str]) -> int:
    """Write the plan and print its folds and their audit."""
    arguments = make_parser().parse_args(argv)
    from datasets.audit.findings import judge
    from datasets.fold_lists.read import read_fold_lists
    from datasets.folds.rules import check_training_classes, count_classes
    from platform.audit import report_lines
    from platform.errors import UserError
    from platform.files.opening import read_bytes
    from platform.files.writing import write_atomically
    from platform.runs.fold_plans import made_folds

    out: Path = arguments.out
    if out.suffix.lower() != ".json":
        raise UserError(f"a fold plan is a .json file, but --out is {out}; pass a name that ends in .json.")
    plan = Plan(
        dataset=arguments.dataset,
        fold_rule=arguments.rule,
        folds=arguments.folds,
        holdout_share=arguments.holdout_share,
        study_seed=arguments.seed,
    )
    store = _store(arguments.data_root, arguments.dataset, arguments.size)
    expressive = store.roles == "expressive"
    classes = count_classes(store.subjects[expressive], store.expressions[expressive])
    folds = made_folds(plan, store, classes)
    check_training_classes(folds, classes)
    text = folds.to_json()
    if out.exists() and read_bytes(out) != text.encode():
        raise UserError(
            f"a fold plan is not overwritten, but {out} exists and differs; pass another --out, or remove it."
        )
    write_atomically(out, text)
    audit = judge(read_fold_lists(out, store))
    print("\n".join([*report_lines(audit), audit.verdict, f"folds: {out} (rule {folds.rule})"]))
    return 0


def _store(data_root: Path, dataset: str, size_pixels: int | None) -> PreparedStore:
    """The prepared set; an embedded one that is not prepared as it would be.

    UserError: none, or several sizes and none of them chosen.
    """
    from datasets.catalogue import describe, undrawn_records
    from datasets.prepared.prepared_sizes import prepared_sizes
    from datasets.prepared.store import PreparedStore, open_prepared, store_folder
    from platform.errors import UserError

    sizes = prepared_sizes(data_root, dataset) if size_pixels is None else (size_pixels,)
    if not sizes and describe(dataset).embedded:
        usual = USUAL_SIZE
        return PreparedStore.planned(
            store_folder(data_root, dataset, usual), dataset, usual, undrawn_records(dataset)
        )
    if len(sizes) > 1:
        raise UserError(
            f"{dataset} is prepared at {', '.join(map(str, sizes))} pixels, and these may differ; pass one "
            "of them as --size."
        )
    return open_prepared(data_root, dataset, sizes[0] if sizes else USUAL_SIZE)


USUAL_SIZE = 320
"""Named where a set is not prepared at any size."""


if __name__ == "__main__":
    run(main)
