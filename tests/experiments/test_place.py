"""This machine as a place: its GPUs are used elsewhere, and what fails there is a measurement that failed."""

from __future__ import annotations

from typing import Any

import pytest

from platform.experiments import place
from platform.experiments.place import MeasurementError, ThisMachine
from platform.host.own_process import OwnProcessError
from platform.runs.precision_speed import Speed


def test_gpus_are_measured_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Any, ...]] = []

    def answered(function: Any, *arguments: Any, timeout_seconds: float) -> Any:
        asked.append((function.__name__, *arguments))
        return 7

    monkeypatch.setattr(place, "in_own_process", answered)
    here: Any = ThisMachine()
    assert here.peak_bytes("a task", "a GPU") == 7
    assert here.speed("a GPU", 2) == 7
    assert asked == [("measured_peak_bytes", "a task", "cuda"), ("measure_speed", "cuda", 2)]


def test_a_process_that_fails_is_a_failed_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OwnProcessError("its process ended with status -9")

    monkeypatch.setattr(place, "in_own_process", fails)
    here: Any = ThisMachine()
    for ask in (lambda: here.peak_bytes("a task", "a GPU"), lambda: here.speed("a GPU", 1)):
        with pytest.raises(MeasurementError, match="status -9"):
            ask()


def test_processors_are_measured_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Speed(device="a processor", fp32_seconds=1.0, bf16_seconds=1.0)
    monkeypatch.setattr("platform.runs.precision_speed.measure_speed", lambda device, threads: found)
    assert ThisMachine().speed("", 1) is found
    assert ThisMachine().processor()
