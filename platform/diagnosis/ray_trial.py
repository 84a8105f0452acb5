"""Whether Ray starts here: tried once, in a process of its own and in a folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from platform.diagnosis.finding import Finding
from platform.host.probe import Probe, ProbeError
from platform.host.ray_paths import new_ray_folder

FUNCTION = "platform.distributed.ray_trial:try_ray"
TIMEOUT_SECONDS = 60.0
"""Ray itself gives up after 31 s; its import and the first worker come on top."""

Answer = Callable[[], Mapping[str, Any]]


@contextmanager
def ray_tried(function: str = FUNCTION, timeout_seconds: float = TIMEOUT_SECONDS) -> Iterator[Answer]:
    """Context in which Ray starts, beside other work; the yielded function waits for the outcome.

    At its end nothing of it is left, neither processes nor files. Raises UserError as `new_ray_folder`, and
    ProbeError.
    """
    with new_ray_folder() as folder, Probe(function, folder, timeout_seconds=timeout_seconds) as probe:
        yield probe.answer


def ray_starts(answer: Answer) -> Finding:
    """Whether a private cluster started and ran a task."""
    name = "Ray"
    try:
        outcome = answer()
    except ProbeError as error:
        return Finding("failed", name, f"did not start: {error}", _remedy(str(error)))
    if "reason" in outcome:
        busy = "the machine may be too busy: look again when its load is lower"
        remedy = busy if outcome["busy"] else _remedy(outcome["reason"])
        return Finding("failed", name, f"did not start: {outcome['reason']}", remedy)
    return Finding(
        "ok", name, f"starts in {outcome['seconds']:.1f} s, first task after {outcome['task_seconds']:.1f} s"
    )


def _remedy(reason: str) -> str:
    if "ModuleNotFoundError" in reason or "ImportError" in reason:
        return "make setup"
    return "remove what the reason names; what Ray needs of a place stands in the lines above"
