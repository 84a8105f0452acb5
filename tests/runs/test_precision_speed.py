"""The measurement of bf16 against fp32: what it times, and that it leaves the process as it was."""

from __future__ import annotations

import pytest
import torch

from platform.runs import precision_speed
from platform.runs.precision_speed import LAYERS, Layer, Speed, measure_speed

TINY = (Layer(channels=4, kernel=(3, 3), size_pixels=8, images=1),)


def test_both_precisions_take_time_and_the_threads_are_as_before() -> None:
    before = torch.get_num_threads()
    found = measure_speed("cpu", 1, TINY)
    assert found.fp32_seconds > 0
    assert found.bf16_seconds > 0
    assert found.device
    assert torch.get_num_threads() == before


def test_the_ratio_says_how_many_times_as_fast_bf16_is() -> None:
    assert Speed(device="a processor", fp32_seconds=4.6, bf16_seconds=2.0).ratio == pytest.approx(2.3)


def test_bf16_that_is_hopelessly_slow_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    autocast = precision_speed.autocast

    def counted(where: torch.device, precision: precision_speed.Precision) -> torch.autocast:
        steps.append(precision)
        return autocast(where, precision)

    monkeypatch.setattr(precision_speed, "autocast", counted)
    monkeypatch.setattr(precision_speed, "HOPELESS", 0.0)
    measure_speed("cpu", 1, TINY)
    assert steps == ["fp32"] * (1 + precision_speed.REPEATS) + ["bf16"] * 2


@pytest.mark.gpu
def test_a_gpu_is_measured_on_layers_of_its_own() -> None:
    assert LAYERS["cuda"] != LAYERS["cpu"]
    assert measure_speed("cuda", 1).device == torch.cuda.get_device_name()
