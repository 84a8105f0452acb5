"""Where processors begin to differ: hashes of every step of a fold run, under narrower instruction sets.

`python -m benchmarks.instruction_sets` runs one fold run of preset quick (Inception, two epochs a stage) on
this machine, then again with the libraries held to older instructions, and prints for each the first steps
whose bits differ: the drawn set, motion masks, first weights, batches, outputs of modules, gradients, weights
after the optimizer. Without Ray; about a minute a setting on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

SETTINGS: dict[str, dict[str, str]] = {
    "as it is": {},
    "as it is, again": {},
    "torch without AVX2": {"ATEN_CPU_CAPABILITY": "default"},
    "oneDNN held to AVX": {"ONEDNN_MAX_CPU_ISA": "AVX"},
    "oneDNN held to SSE4.1": {"ONEDNN_MAX_CPU_ISA": "SSE41"},
    "MKL held to SSE4.2": {"MKL_ENABLE_INSTRUCTIONS": "SSE4_2"},
    "numpy without AVX2": {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3"},
    "two threads": {"BENCHMARK_THREADS": "2"},
}
STEPS = 3
"""Optimizer steps of each stage that are looked at."""


class Recorder:
    """Hashes by name, in the order of the computation."""

    def __init__(self) -> None:
        self.hashes: dict[str, str] = {}
        self.stage = ""
        self.step = 0

    def add(self, name: str, tensors: Iterable[Any]) -> None:
        """Record the content of tensors or arrays; a name that is taken gets a number."""
        digest = hashlib.sha256()
        for one in tensors:
            array = one.detach().cpu().contiguous().numpy() if hasattr(one, "detach") else one
            digest.update(array if isinstance(array, bytes) else array.tobytes())
        full, count = name, 1
        while full in self.hashes:
            count += 1
            full = f"{name} ({count})"
        self.hashes[full] = digest.hexdigest()[:16]


def measure(data_root: Path, runs: Path, threads: int) -> dict[str, Any]:
    """The hashes of one fold run, and its accuracy."""
    import torch

    from datasets.masks.motion_masks import build_masks
    from platform.cli.planning import prepare_if_embedded
    from platform.config.configuration import Plan, configuration_of, option_names
    from platform.config.presets import preset
    from platform.runs.execute import execute
    from platform.runs.fold_tasks import final_tasks, plan_data
    from platform.runs.planned_tasks import Machine
    from platform.runs.task_view import view_of

    # The last epoch has rate 0, so there are two.
    two_epochs = {
        f"{stage}_{part}_epochs": 1 for stage in ("stage1", "stage2") for part in ("constant", "decay")
    }
    known = {name: value for name, value in preset("quick", "fmpn").items() if name in option_names("fmpn")}
    # The net of the preset when docs/fidelity.md was written.
    net = {"backbone": "inception_v3", "backbone_width": 0.125}
    configuration = configuration_of(method="fmpn", **{**known, **net, **two_epochs})
    prepare_if_embedded(data_root, "synthetic", configuration)
    planned = plan_data(data_root, "synthetic", configuration, Plan())
    task = final_tasks(configuration, planned, Machine(cpu_threads=threads))[0]
    recorder = Recorder()
    recorder.add("prepared set", [planned.data.hash.encode()])
    recorder.add("motion masks", [build_masks(view_of(task)).images])
    _watch(torch, recorder)
    for each in (task.artifacts["stage1"], task):
        recorder.stage, recorder.step = each.kind, 0
        manifest = execute(each, str(runs))
        assert manifest["status"] == "complete", manifest["traceback"]
    return {"hashes": recorder.hashes, "accuracy": manifest["accuracy"]}


def _watch(torch: Any, recorder: Recorder) -> None:
    """Record what enters and leaves every module, gradients, and weights around every step."""
    from torch.nn.modules.module import register_module_forward_hook
    from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

    def name(what: str) -> str:
        return f"{recorder.stage}, step {recorder.step + 1}: {what}"

    def tensors(value: Any) -> list[Any]:
        if isinstance(value, torch.Tensor):
            return [] if value.is_meta else [value]  # nets are counted on tensors without content
        if isinstance(value, tuple | list):
            return [one for part in value for one in tensors(part)]
        return []

    def forward(module: Any, entered: Any, left: Any) -> None:
        seen = recorder.step < STEPS and module.training and not list(module.children())
        if seen and tensors(left):
            if recorder.step == 0:
                recorder.add(name(f"weights of {type(module).__name__}"), tensors([*module.parameters()]))
            kind = type(module).__name__
            recorder.add(name(f"input of {kind}"), tensors(entered))
            recorder.add(name(f"output of {kind}"), tensors(left))

    def weights(optimizer: Any) -> list[Any]:
        return tensors([one for group in optimizer.param_groups for one in group["params"]])

    def before(optimizer: Any, *_: Any) -> None:
        if recorder.step < STEPS:
            recorder.add(name("weights before"), weights(optimizer))
            for number, one in reversed(list(enumerate(weights(optimizer)))):
                if one.grad is not None:
                    recorder.add(name(f"gradient of parameter {number} {tuple(one.shape)}"), [one.grad])

    def after(optimizer: Any, *_: Any) -> None:
        if recorder.step < STEPS:
            recorder.add(name("weights after"), weights(optimizer))
        recorder.step += 1

    register_module_forward_hook(forward)
    register_optimizer_step_pre_hook(before)
    register_optimizer_step_post_hook(after)


def differences(first: Mapping[str, str], other: Mapping[str, str], most: int = 6) -> list[str]:
    """What to say of `other` compared with `first`: all equal, or the first steps that differ."""
    different = [name for name in first if other.get(name) != first[name]]
    if not different:
        return [f"all {len(first)} hashes are equal"]
    return [
        f"{len(different)} of {len(first)} hashes differ, first:",
        *(f"  {name}" for name in different[:most]),
    ]


def main(argv: list[str]) -> int:
    """Run every setting in a process of its own and print what differs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instruction_sets", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SETTINGS, help="settings beside `as it is`")
    parser.add_argument("--measure", type=Path, metavar="FILE", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help="keeps data and hashes (default: a temporary folder)")
    arguments = parser.parse_args(argv)
    if arguments.measure:
        threads = int(os.environ.get("BENCHMARK_THREADS", "1"))
        with tempfile.TemporaryDirectory() as runs:
            found = measure(arguments.folder, Path(runs), threads)
        arguments.measure.write_text(json.dumps(found, indent=1))
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        first: dict[str, Any] = {}
        for name, environment in SETTINGS.items():
            if first and arguments.only and name not in arguments.only:
                continue
            found = _in_a_process(folder, name, environment)
            first = first or found
            print(f"{name}: accuracy {100 * found['accuracy']:.2f} %", flush=True)
            if found is not first:
                print(
                    "\n".join(f"  {line}" for line in differences(first["hashes"], found["hashes"])),
                    flush=True,
                )
    return 0


def _in_a_process(folder: Path, name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    folder.mkdir(parents=True, exist_ok=True)
    # Under another numpy the set is drawn again, to see whether its bytes are the same.
    data = folder / ("data-numpy" if "NPY_DISABLE_CPU_FEATURES" in environment else "data")
    file = folder / f"{name.replace(' ', '-')}.json"
    words = [
        sys.executable,
        "-m",
        "benchmarks.instruction_sets",
        "--measure",
        str(file),
        "--folder",
        str(data),
    ]
    subprocess.run(words, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, check=True)
    found: dict[str, Any] = json.loads(file.read_text())
    return found


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
