"""Where and when a result was computed: facts that JSON holds, and no part of any identity."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
import torch

from platform.host.gpus import Driver
from platform.runs import provenance as module
from platform.runs.identity import canonical_json
from platform.runs.provenance import provenance


def test_the_time_is_in_utc_to_the_second() -> None:
    summer = timezone(timedelta(hours=2))
    made = provenance(now=lambda: datetime(2026, 7, 1, 12, 30, 5, 999, tzinfo=summer))
    assert made["time"] == "2026-07-01T10:30:05+00:00"


def test_on_a_processor_there_is_no_gpu() -> None:
    made = provenance("cpu")
    assert list(made) == ["time", "commit", "clean", "host", "processor", "instructions"]
    assert made["host"]
    assert made["instructions"] == torch.backends.cpu.get_cpu_capability()
    canonical_json(made)
    assert json.loads(json.dumps(made)) == made


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"NVIDIA H200 ({device})")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(module, "ask_driver", lambda: Driver(version="580.1", is_there=True))
    module._gpu.cache_clear()


@pytest.mark.usefixtures("a_gpu")
def test_on_a_gpu_its_name_driver_and_cuda_are_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    made = provenance("cuda")
    assert {name: made[name] for name in ("gpu", "driver", "cuda")} == {
        "gpu": "NVIDIA H200 (cuda)",
        "driver": "580.1",
        "cuda": "13.0",
    }
    monkeypatch.setattr(module, "ask_driver", lambda: pytest.fail("asked once a process"))
    assert provenance("cuda") == {**made, "time": provenance("cuda")["time"]}


@pytest.mark.usefixtures("a_gpu")
def test_a_gpu_or_driver_that_answers_nothing_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(device: str) -> str:
        raise RuntimeError("CUDA error: unspecified launch failure")

    monkeypatch.setattr(torch.cuda, "get_device_name", broken)
    monkeypatch.setattr(module, "ask_driver", lambda: Driver(failure="nvidia-smi: TimeoutExpired"))
    made = provenance("cuda:1")
    assert (made["gpu"], made["driver"]) == (None, None)


def test_now_is_the_default() -> None:
    assert abs(datetime.now(UTC) - datetime.fromisoformat(provenance()["time"])) < timedelta(hours=1)
