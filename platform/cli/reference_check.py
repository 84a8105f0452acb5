"""The row that `--reference` names, checked before anything runs: it is needed only when all is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform.errors import unknown_name
from platform.models import load_method

if TYPE_CHECKING:
    from platform.experiments.experiment import Experiment


def check_planned_reference(experiment: Experiment, name: str | None) -> None:
    """UserError, with the nearest name, unless one of the planned rows has this method or title.

    The name of the experiment and a colon may precede it. None: the first baseline.
    """
    if name is None:
        return
    known = {text for row in experiment.rows for text in _names(row.configurations[0].method)}
    if not experiment.rows:
        methods = (experiment.configuration.method, *experiment.plan.baselines)
        known = {text for method in methods for text in _names(method)}
    known |= {row.describe("")["title"] for row in experiment.rows}
    if name.removeprefix(f"{experiment.name}:") not in known:
        raise unknown_name("reference", name, known)


def _names(method: str) -> tuple[str, str]:
    return method, load_method(method).title
