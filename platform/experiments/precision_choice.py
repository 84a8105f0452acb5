"""Decision on the precision of training: bf16 where it is measured to be faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from platform.experiments.measurements import Measurements
from platform.experiments.place import MeasurementError

FASTER = 1.2
"""bf16 is chosen where it trains so many times as fast: below that, what is gained is within what such a
short measurement can tell, and float32 rounds less."""


@dataclass(frozen=True, kw_only=True)
class Precision:
    """The precision of an experiment."""

    name: Literal["fp32", "tf32", "bf16"]
    why: str
    """As a clause."""

    def line(self) -> str:
        """The plan's line."""
        return f"precision: {self.name} ({self.why})"


def choose_precision(gpus: Sequence[str], cpu_threads: int, measurements: Measurements) -> Precision:
    """The precision in which the place trains fastest.

    gpus: models of the GPUs that train; empty: processors do. bf16 must be faster on each of them.
    """
    slowest = None
    for model in dict.fromkeys(gpus) or [""]:
        try:
            speed = measurements.speed(model, cpu_threads)
        except MeasurementError as error:
            return Precision(name="fp32", why=f"the speed of bf16 was not measured: {error}")
        slowest = speed if slowest is None or speed.ratio < slowest.ratio else slowest
    assert slowest is not None
    chosen: Literal["fp32", "bf16"] = "bf16" if slowest.ratio >= FASTER else "fp32"
    return Precision(
        name=chosen,
        why=f"auto: convolutions train {slowest.ratio:.2f} times as fast in bf16 as in fp32 on "
        f"{slowest.device}, measured; {FASTER:g} or more chooses bf16",
    )
