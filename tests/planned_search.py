"""The experiment that `platform.tune` plans from flags, at the smallest size; nothing is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from platform.cli.parser import Parser
from platform.cli.planning import plan_request, search_request
from platform.cli.run_flags import add_run_arguments
from tests.tiny_faces import SIZE

SMALL = (
    "--preset", "smoke", "--load-size-pixels", str(SIZE), "--image-size-pixels", "32", "--folds", "2",
    "--trials", "4",
)  # fmt: skip
"""Four trials: as many as the smoke preset's space tries first, with one of the user's own."""


def planned_search(data_root: Path, runs: Path, *flags: str) -> Any:
    """The Experiment. Raises UserError as the command does."""
    argv = [*SMALL, *flags, "--runs", str(runs), "--data-root", str(data_root)]
    parser = Parser(prog="tune")
    add_run_arguments(parser, argv)
    arguments = parser.parse_args(argv)
    return plan_request(search_request(arguments), arguments, argv)
