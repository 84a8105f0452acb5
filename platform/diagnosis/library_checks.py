"""Judgement of what the libraries say: imports, GPU, bfloat16, weights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from platform.diagnosis.finding import Finding
from platform.host.gpus import Driver, ask_driver, gpus_here
from platform.host.probe import ProbeError
from platform.host.processor import BF16_INSTRUCTIONS, processor_name

Facts = Callable[[], Mapping[str, Any]]
"""Gives the facts of platform/diagnosis/libraries.py. ProbeError: there are none."""
NO_GPU_REMEDY = (
    "nothing to do for the demo and the presets quick and smoke; the paper's size needs a GPU "
    "(docs/performance.md)"
)


def imports(facts: Facts) -> Finding:
    """Whether the libraries can be imported, which installed packages may still refuse."""
    remedy = "make setup, which installs them anew; the reason may name a missing system library"
    try:
        failures = facts()["failures"]
    except ProbeError as error:
        return Finding("failed", "imports", f"the libraries cannot be imported: {error}", remedy)
    if failures:
        shown = "; ".join(f"{name} ({reason})" for name, reason in failures.items())
        return Finding("failed", "imports", f"cannot be imported: {shown}", remedy)
    return Finding("ok", "imports", "all libraries can be imported")


def gpu(
    facts: Facts,
    driver: Callable[[], Driver] = ask_driver,
    environment: Mapping[str, str] = os.environ,
) -> Finding:
    """GPUs that torch can use, with driver and CUDA build, or why there is none."""
    said = driver()

    def torch() -> Mapping[str, Any]:
        try:
            return _of_torch(facts)
        except ProbeError as error:
            raise RuntimeError(str(error)) from error

    there = gpus_here(lambda: said, torch, environment)
    if there.gpus:
        known = _of_torch(facts)
        with_driver = f", driver {said.version}" if said.version else ""
        value = f"{there.describe()}{with_driver}; torch {known['version']} for CUDA {known['build']}"
        return Finding("ok", "GPU", value)
    reason, _, remedy = there.why_none.partition("; ")
    return Finding("warning", "GPU", f"none: {reason}", remedy or NO_GPU_REMEDY)


def _of_torch(facts: Facts) -> Mapping[str, Any]:
    known: Mapping[str, Any] = facts()["torch"]
    if "failure" in known:
        raise ProbeError(known["failure"])
    return known


def bf16(facts: Facts, processor: Callable[[], str] = processor_name) -> Finding:
    """Whether processor and GPUs compute in bfloat16; without it bf16 only saves memory."""
    name = processor()
    found = [word for word in BF16_INSTRUCTIONS if word in name]
    value = f"processor: {', '.join(found) if found else 'no instructions for it'}"
    try:
        gpus = _of_torch(facts)["bf16"]
    except ProbeError:
        gpus = []
    if gpus:
        value += f"; GPU: {'yes' if all(gpus) else 'no' if not any(gpus) else 'not all'}"
    if any(gpus) if gpus else found:
        return Finding("ok", "bf16", value)
    return Finding("warning", "bf16", value, "train with --precision fp32; bf16 is slower here")


def weights(facts: Facts) -> Iterator[Finding]:
    """ImageNet weights where torchvision looks for them, and those with which `prepare` detects faces."""
    for name, key, who in (
        ("ImageNet weights", "imagenet", "commands download what they need"),
        ("detector weights", "detector", "prepare downloads them for sets without landmarks"),
    ):
        known = facts()[key]
        yield _weights(name, known, f"{who}; without network, copy the files into that folder")


def _weights(name: str, known: Mapping[str, Any], remedy: str) -> Finding:
    if "failure" in known:
        return Finding("warning", name, f"unknown ({known['failure']})", "make setup")
    folder, found, missing = _shown(Path(known["folder"])), known["found"], known["missing"]
    if not missing:
        return Finding("ok", name, f"{', '.join(found)} in {folder}")
    files = ", ".join(missing.values())
    if not found:
        return Finding("warning", name, f"none in {folder} (missing: {files})", remedy)
    return Finding("ok", name, f"{', '.join(found)} in {folder} (not there: {files})")


def _shown(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
