"""GPUs that torch can use, and for each reason why it cannot, a sentence that names it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from platform.host.gpus import Driver, Gpu, GpusThere, ask_driver, ask_torch, gpus_here

ONE = Driver(names=("NVIDIA A10G",), version="535.1", is_there=True)
TWO = Driver(names=("NVIDIA A10G", "NVIDIA A10G"), version="535.1", is_there=True)
CUDA = {"version": "2.13.0+cu130", "build": "13.0", "gpus": []}
SEEN = {**CUDA, "gpus": [{"name": "NVIDIA A10G", "total": 24 * 2**30, "free": 23 * 2**30}]}


def here(driver: Driver, facts: Mapping[str, Any] | str, **environment: str) -> GpusThere:
    def torch() -> Mapping[str, Any]:
        if isinstance(facts, str):
            raise RuntimeError(facts)
        return facts

    return gpus_here(lambda: driver, torch, environment)


def test_gpus_that_torch_sees_are_there_with_their_memory() -> None:
    found = here(ONE, SEEN)
    assert found.gpus == (Gpu(index=0, name="NVIDIA A10G", total_bytes=24 * 2**30, free_bytes=23 * 2**30),)
    assert found.why_none == ""
    assert found.describe() == "NVIDIA A10G (24.0 GiB)"
    assert GpusThere(gpus=found.gpus * 2).describe() == "2 x NVIDIA A10G (24.0 GiB each)"


def test_torch_is_not_asked_where_there_is_no_gpu() -> None:
    def fails() -> Mapping[str, Any]:
        raise AssertionError

    assert gpus_here(Driver, fails, {}).why_none == "this machine has no GPU"


@pytest.mark.parametrize(
    ("driver", "facts", "environment", "why"),
    [
        (ONE, SEEN, {"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES is '', which hides the NVIDIA A10G"),
        (TWO, SEEN, {"CUDA_VISIBLE_DEVICES": "-1"}, r"is '-1', which hides the 2 GPUs \(NVIDIA A10G\)"),
        (ONE, CUDA, {"CUDA_VISIBLE_DEVICES": "5"}, "is '5', which names none of the NVIDIA A10G"),
        (ONE, {**CUDA, "build": None}, {}, "built without CUDA and cannot use the NVIDIA A10G; install a"),
        (ONE, CUDA, {}, r"built for CUDA 13.0, cannot use the NVIDIA A10G with the driver 535.1; update"),
        (ONE, "no module torch", {}, "torch cannot use the NVIDIA A10G: no module torch"),
        (
            Driver(failure="NVIDIA-SMI has failed", is_there=True),
            CUDA,
            {},
            r"the driver of the GPU does not answer \(NVIDIA-SMI has failed\)",
        ),
    ],
)
def test_a_gpu_that_is_there_and_not_usable_has_its_reason(
    driver: Driver, facts: Mapping[str, Any] | str, environment: dict[str, str], why: str
) -> None:
    found = here(driver, facts, **environment)
    assert not found.gpus
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.why_none)


@pytest.mark.parametrize(
    ("script", "files", "said"),
    [
        ("echo 'NVIDIA A10G, 535.1'; echo 'NVIDIA A10G, 535.1'", False, TWO),
        ("echo 'No devices were found'; exit 6", True, Driver()),
        (
            "echo 'it has failed'; exit 9",
            True,
            Driver(failure="it has failed", is_there=True),
        ),
        ("echo 'it has failed'; exit 9", False, Driver(failure="it has failed")),
    ],
)
def test_what_the_driver_says(tmp_path: Path, script: str, files: bool, said: Driver) -> None:
    command = tmp_path / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    assert ask_driver(str(command), [str(tmp_path)] if files else []) == said


def test_without_nvidia_smi_the_driver_s_files_are_the_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert ask_driver(device_files=[str(tmp_path)]) == Driver(is_there=True)
    assert ask_driver(device_files=[]) == Driver()


def test_an_answer_is_the_last_line_and_a_failure_its_last() -> None:
    assert ask_torch(code="print('noise'); print('{\"gpus\": []}')") == {"gpus": []}
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        ask_torch(code="1/0")
    with pytest.raises(RuntimeError, match="did not answer"):
        ask_torch(sys.executable, "import time; time.sleep(60)", timeout_seconds=0.2)


@pytest.mark.gpu
def test_a_real_gpu_is_found() -> None:
    found = gpus_here()
    assert found.gpus, found.why_none
    assert all(0 < one.free_bytes <= one.total_bytes for one in found.gpus)
