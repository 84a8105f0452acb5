"""The FMPN paper's experiments as one: rows, ablations, controls.

CK+ and MMI on ten folds, AffectNet with CK+'s masks; on synthetic counterparts unless --dataset paper. All
fold runs are dispatched at once, longest first, and share stage 1. Run it again after a data set was
prepared: only what is new runs, and the table grows.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from platform.cli.flags import is_named
from platform.cli.parser import Parser, run
from platform.cli.planned_rows import add_rows_arguments, experiment_of, prepare, run_rows, settings_of

EXAMPLES = """examples:
  python -m platform.reproduce                                   synthetic counterparts, minutes on two cores
  python -m platform.reproduce --dataset paper --preset paper    CK+, MMI and AffectNet (prepared, and a GPU)
  python -m platform.reproduce --backbones inception_v3,resnet50 --seeds 0,1,2
  python -m platform.reproduce --dry-run --cluster-slots 8 --price-per-hour 4
      what would run, how long on eight fold runs at once, and what it would cost

next: python -m platform.table                                   all results as one table
"""


def main(argv: list[str]) -> int | None:
    """Parse, run, present. Returns the exit status."""
    parser = Parser(prog="python -m platform.reproduce", description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--dataset", default="synthetic", metavar="synthetic|paper",
        help="the drawn counterparts of the paper's sets, or CK+, MMI and AffectNet themselves")  # fmt: skip
    add("--backbones", metavar="A,B,...",
        help="classification nets (default: --backbone; for presets quick and smoke: resnet18)")  # fmt: skip
    add("--seeds", metavar="N,M,...", help="training seeds (default: --seed)")
    add("--lambdas", default="10,0.1", metavar="X,Y,...",
        help="weights of the mask loss to compare (default: the paper's and the released one)")  # fmt: skip
    add("--no-controls", action="store_true", help="leave out the masks that carry no prior")
    add("--cluster-slots", metavar="N", help="with --dry-run: fold runs at once on the cluster meant")
    add("--price-per-hour", metavar="X", help="with --dry-run: of the whole cluster, in your currency")
    add_rows_arguments(parser, without=("method", "baselines", "fold_rule"))  # its rows decide them
    arguments = parser.parse_args(argv)
    from platform.files.dry_run import dry_run

    with dry_run(arguments.dry_run):
        return _run(arguments, argv)


def _run(arguments: argparse.Namespace, argv: list[str]) -> int:
    from platform.cli.reproduction_flags import reproduction_from
    from platform.config.configuration import replace
    from platform.errors import UserError
    from platform.experiments.reproduction import plan_reproduction
    from platform.reports.effects_report import write_effects

    estimates = {"--cluster-slots": arguments.cluster_slots, "--price-per-hour": arguments.price_per_hour}
    given = [flag for flag, value in estimates.items() if value is not None]
    if given and not arguments.dry_run:
        raise UserError(
            f"{', '.join(given)} only changes what --dry-run estimates; add --dry-run, or remove it."
        )
    configuration, plan = settings_of(arguments)
    wanted = reproduction_from(arguments, configuration, net_was_named=is_named(arguments, "backbone"))
    configuration = replace(configuration, backbone=wanted.backbones[0], seed=wanted.seeds[0])
    name = arguments.name or f"reproduce-{arguments.dataset}-{arguments.preset}"
    prepare(arguments, configuration, plan, name, wanted.sets.names)
    planned = plan_reproduction(wanted, configuration, plan, Path(arguments.data_root))
    for dataset, reason in planned.missing.items():
        print(f"# left out: {dataset}. {reason}")
    experiment = experiment_of(
        arguments,
        ["reproduce", *argv],
        name,
        (configuration, plan),
        planned.rows,
        planned.data,
        planned.effects,
    )
    if run_rows(arguments, experiment, lambda content: write_effects(experiment.store, content)) is None:
        from platform.experiments.estimate import estimate_lines

        for line in estimate_lines(experiment, arguments.cluster_slots, arguments.price_per_hour):
            print(f"# {line}")
    return 0


if __name__ == "__main__":
    run(main)
