"""Judgement of what the libraries say, on facts that are made up."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from platform.diagnosis.library_checks import Facts, bf16, gpu, imports, weights
from platform.host.gpus import Driver
from platform.host.probe import ProbeError

H200 = {"name": "NVIDIA H200", "total": 150 * 2**30, "free": 149 * 2**30}
DRIVER = Driver(names=("NVIDIA H200",), version="580.1", is_there=True)


def facts(**changes: Any) -> Facts:
    return lambda: {"failures": {}, **changes}


def torch(build: str | None = "13.0", *gpus: Mapping[str, Any], bf16: bool = True) -> dict[str, Any]:
    return {"version": "2.13.0", "build": build, "gpus": list(gpus), "bf16": [bf16 for _ in gpus]}


def no_answer() -> Mapping[str, Any]:
    raise ProbeError("its process was ended by SIGILL")


def test_libraries_that_can_be_imported_are_well() -> None:
    assert imports(facts()).state == "ok"


def test_a_library_that_cannot_be_imported_fails_with_its_reason() -> None:
    found = imports(facts(failures={"torch": "OSError: libgomp.so.1"}))
    assert found.state == "failed"
    assert "torch (OSError: libgomp.so.1)" in found.value
    assert "make setup" in found.remedy


def test_a_crash_while_importing_fails_with_the_signal() -> None:
    found = imports(no_answer)
    assert found.state == "failed"
    assert "SIGILL" in found.value


def test_a_gpu_is_shown_with_driver_and_build() -> None:
    found = gpu(facts(torch=torch("13.0", H200)), lambda: DRIVER, {})
    assert found.state == "ok"
    assert found.value == "NVIDIA H200 (150.0 GiB), driver 580.1; torch 2.13.0 for CUDA 13.0"


@pytest.mark.parametrize(
    ("known", "driver", "environment", "reason", "remedy"),
    [
        (facts(torch=torch(None)), Driver(), {}, "no GPU", "nothing to do"),
        (facts(torch=torch(None)), DRIVER, {}, "built without CUDA", "install a build"),
        (facts(torch=torch()), DRIVER, {}, "built for CUDA 13.0.* driver 580.1", "update the driver"),
        (facts(torch=torch()), DRIVER, {"CUDA_VISIBLE_DEVICES": "-1"}, "hides the NVIDIA H200", "unset it"),
        (facts(torch={"failure": "OSError: x"}), DRIVER, {}, "cannot use the NVIDIA H200: OSError", ""),
        (no_answer, DRIVER, {}, "ended by SIGILL", ""),
        (no_answer, Driver(), {}, "no GPU", "nothing to do"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_a_warning_with_the_reason(
    known: Facts, driver: Driver, environment: dict[str, str], reason: str, remedy: str
) -> None:
    found = gpu(known, lambda: driver, environment)
    assert found.state == "warning"
    assert re.search(reason, found.value)
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("known", "processor", "state", "value"),
    [
        (facts(torch=torch()), "Xeon (amx_bf16, avx512_bf16)", "ok", "processor: amx_bf16, avx512_bf16"),
        (facts(torch=torch()), "EPYC", "warning", "processor: no instructions for it"),
        (facts(torch=torch("13.0", H200)), "EPYC", "ok", "GPU: yes"),
        (facts(torch=torch("13.0", H200, bf16=False)), "Xeon (avx512_bf16)", "warning", "GPU: no"),
        (no_answer, "Xeon (avx512_bf16)", "ok", "processor: avx512_bf16"),
    ],
)
def test_bfloat16_is_judged_by_the_device_that_would_train(
    known: Facts, processor: str, state: str, value: str
) -> None:
    found = bf16(known, lambda: processor)
    assert found.state == state
    assert value in found.value


def place(found: list[str], missing: dict[str, str]) -> dict[str, Any]:
    return {"folder": "weights/checkpoints", "found": found, "missing": missing}


def test_weights_are_named_with_their_folder_and_missing_ones_with_their_files() -> None:
    none = place([], {"2DFAN4.pth": "2DFAN4.pth"})
    some = place(["resnet18"], {"vgg16": "vgg16-397923af.pth"})
    imagenet, detector = weights(facts(imagenet=some, detector=none))
    assert imagenet.state == "ok"
    assert "resnet18 in weights/checkpoints (not there: vgg16-397923af.pth)" in imagenet.value
    assert detector.state == "warning"
    assert "missing: 2DFAN4.pth" in detector.value
    assert "copy the files" in detector.remedy


def test_all_weights_are_well_and_unknown_ones_a_warning() -> None:
    imagenet, detector = weights(facts(imagenet=place(["vgg16"], {}), detector={"failure": "ImportError: x"}))
    assert imagenet.value == "vgg16 in weights/checkpoints"
    assert (detector.state, detector.value) == ("warning", "unknown (ImportError: x)")
