from __future__ import annotations

from pathlib import Path

import pytest

from platform.experiments.measurements import Measurements
from platform.experiments.precision_choice import FASTER, choose_precision
from platform.runs.precision_speed import Speed
from tests.fake_place import FakePlace


@pytest.mark.parametrize(("ratio", "name"), [(2.3, "bf16"), (FASTER, "bf16"), (1.1, "fp32"), (0.1, "fp32")])
@pytest.mark.parametrize("gpus", [(), ("a GPU",)])
def test_bf16_only_where_it_is_measured_faster(
    tmp_path: Path, ratio: float, name: str, gpus: tuple[str, ...]
) -> None:
    found = choose_precision(gpus, 1, Measurements(FakePlace(ratio=ratio), tmp_path))
    assert found.name == name
    assert (
        f"{ratio:.2f} times as fast in bf16 as in fp32 on {gpus[0] if gpus else 'a processor'}" in found.why
    )
    assert found.line().startswith(f"precision: {name} (auto: ")


def test_of_several_gpus_the_one_that_gains_least_decides(tmp_path: Path) -> None:
    class Two(FakePlace):
        def speed(self, gpu: str, cpu_threads: int) -> Speed:
            return Speed(device=gpu, fp32_seconds={"new": 8.0, "old": 1.0}[gpu], bf16_seconds=1.0)

    found = choose_precision(("new", "new", "old"), 1, Measurements(Two(), tmp_path))
    assert found.name == "fp32"
    assert "on old" in found.why


def test_where_it_cannot_be_measured_it_is_fp32_and_that_is_said(tmp_path: Path) -> None:
    found = choose_precision(("a GPU",), 1, Measurements(FakePlace(failure="it crashed"), tmp_path))
    assert found.line() == "precision: fp32 (the speed of bf16 was not measured: it crashed)"
