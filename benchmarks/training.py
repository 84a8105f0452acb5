"""Training speed on this machine: step time, images/s, share of the bound, peak memory, data path.

    python -m benchmarks.training                            both stages of the paper's preset, CPU
    python -m benchmarks.training --device cuda --compiled   one GPU
    python -m benchmarks.training --device cuda --share 1,2,4   several processes on one GPU
    python -m benchmarks.training --json training.json       also as JSON

Rows: `released` is the published architecture (docs/methods.md) in eager float32 as FMPN's code runs it
(channels first, one Adam update per parameter); `fp32` and `bf16` are the step of our engine. Each variant
runs in a separate process, so that peak memory is its own. The bound is the measured rate of large matrix
products in the variant's precision. Requires torch, torchvision and numpy, but not Ray.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import platform
from platform.config.configuration import configuration_of, option_names, to_dict
from platform.config.presets import preset
from platform.models import load_method
from platform.models.fmpn import STAGE_1, FmpnOptions
from platform.models.method import Settings
from platform.models.networks.mask_generator import MaskGenerator
from platform.training.precision import autocast
from platform.training.stage_settings import Precision

VARIANTS = ("released", "fp32", "bf16")
CLASSES = 7


def main() -> None:
    """Measure every stage and variant, print a table, write JSON if requested."""
    arguments = _arguments()
    if arguments.one:
        print(json.dumps(measure(arguments, *arguments.one.split(","))))
        return
    results: dict[str, Any] = {"machine": describe_machine(arguments), "rows": []}
    print(results["machine"], flush=True)
    results["bound_tflops"] = {precision: peak_tflops(precision, arguments) for precision in ("fp32", "bf16")}
    print(
        "bound: " + ", ".join(f"{k} {v:.2f} TFLOP/s" for k, v in results["bound_tflops"].items()), flush=True
    )
    print(f"{'stage':<7} {'variant':<9} {'batch':>5} {'ms/step':>9} {'images/s':>9} {'of bound':>8} "
          f"{'GiB peak':>8} {'data path images/s':>19}")  # fmt: skip
    for stage in arguments.stages:
        base = None
        for variant in arguments.variants:
            row = _in_own_process(stage, variant)
            bound = results["bound_tflops"]["bf16" if variant == "bf16" else "fp32"]
            row["share_of_bound"] = row["images_per_second"] * row["gflop_per_image"] / bound / 1e3
            base = base or row["images_per_second"]
            row["times_first_row"] = row["images_per_second"] / base
            results["rows"].append(row)
            print(_line(row), flush=True)
    if len(arguments.share) > 1:
        results["shared"] = [share_device(stage, count, arguments) for stage in arguments.stages
                             for count in arguments.share]  # fmt: skip
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=1) + "\n")


def _line(row: dict[str, Any]) -> str:
    numbers = (
        f"{row['batch']:>5} {row['step_ms']:>9.1f} {row['images_per_second']:>9.2f} "
        f"{row['share_of_bound']:>8.1%} {row['peak_gib']:>8.2f} "
        f"{row['data_path_images_per_second']:>19.0f}   {row['times_first_row']:.2f} x"
    )
    return f"{row['stage']:<7} {row['variant']:<9} {numbers}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda")
    parser.add_argument("--preset", default="released", help="sizes, batches and widths (default released)")
    parser.add_argument("--stages", default="stage1,stage2", type=lambda text: text.split(","))
    parser.add_argument("--variants", default=",".join(VARIANTS), type=lambda text: text.split(","))
    parser.add_argument("--backbone", help="of stage 2 (default: the preset's)")
    parser.add_argument("--steps", type=int, default=2, help="timed steps after one warm-up step")
    parser.add_argument("--compiled", action="store_true", help="torch.compile for fp32 and bf16")
    parser.add_argument("--share", default=[1], type=lambda text: [int(part) for part in text.split(",")],
                        help="numbers of concurrent processes on the device")  # fmt: skip
    parser.add_argument("--json", help="also write the figures to this file")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def describe_machine(arguments: argparse.Namespace) -> str:
    """Processor or GPU, threads, torch version."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        text = Path("/proc/cpuinfo").read_text()
        names = [line.split(":")[1].strip() for line in text.splitlines() if line.startswith("model name")]
        flags = [flag for flag in ("amx_bf16", "avx512_bf16") if f" {flag}" in text]
        processor = f"{names[0] if names else processor} ({', '.join(flags) or 'no bf16 instructions'})"
    device = torch.cuda.get_device_name() if arguments.device == "cuda" else processor
    threads = f"{torch.get_num_threads()} CPU threads"
    return f"{device}, {threads}, torch {torch.__version__}, preset {arguments.preset}"


def peak_tflops(precision: str, arguments: argparse.Namespace) -> float:
    """TFLOP/s of a large matrix product, the best of eight."""
    on_gpu = arguments.device == "cuda"
    side = 8192 if on_gpu else 2048
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    first = torch.randn(side, side, device=arguments.device).to(kind)
    best = float("inf")
    for _ in range(8):
        best = min(best, _timed(lambda: first @ first, arguments.device))
    return 2 * side**3 / best / 1e12


def _timed(action: Callable[[], object], device: str) -> float:
    if device == "cuda":
        torch.cuda.synchronize()
    started = time.perf_counter()
    action()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _in_own_process(stage: str, variant: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.training", *sys.argv[1:], "--one", f"{stage},{variant}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    row: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return row


def measure(arguments: argparse.Namespace, stage: str, variant: str) -> dict[str, Any]:
    """Step time and memory of one variant of a stage."""
    values = preset(arguments.preset) | {"weights": "none"}
    if arguments.backbone:
        values["backbone"] = arguments.backbone
    names = set(option_names("fmpn")) & values.keys()
    settings_values = to_dict(configuration_of(**{name: values[name] for name in names}))
    batch = settings_values[f"{stage}_batch_size"]
    step, gflop = make_step(settings_values, stage, variant, arguments)
    step()
    step_seconds = min(_timed(step, arguments.device) for _ in range(max(1, arguments.steps)))
    peak = (
        torch.cuda.max_memory_allocated()
        if arguments.device == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "stage": stage,
        "variant": variant,
        "batch": batch,
        "size_pixels": settings_values["image_size_pixels"],
        "step_ms": 1e3 * step_seconds,
        "images_per_second": batch / step_seconds,
        "gflop_per_image": gflop,
        "peak_gib": peak / 2**30,
        "data_path_images_per_second": data_path(settings_values, batch, arguments.device),
    }


def make_step(
    values: dict[str, Any], stage: str, variant: str, arguments: argparse.Namespace
) -> tuple[Callable[[], None], float]:
    """A whole optimizer step on a batch that is already on the device, and its GFLOP per image (three times
    the forward pass)."""
    from torch.utils.flop_counter import FlopCounterMode

    device, size, batch = (
        torch.device(arguments.device),
        values["image_size_pixels"],
        values[f"{stage}_batch_size"],
    )
    ours = variant != "released"
    module, loss, groups = _stage(values, stage)
    layout = torch.channels_last if ours else torch.contiguous_format
    module = module.to(device, memory_format=layout).train()
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    images = torch.rand(batch, 3, size, size, device=device).contiguous(memory_format=layout)
    gray = images[:, :1].contiguous(memory_format=layout)
    target = torch.rand(batch, 1, size, size, device=device)
    labels = torch.arange(batch, device=device) % CLASSES
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()
        loss(module, images[:1], gray[:1], target[:1], labels[:1])
    module.train()
    options = {"fused": True} if ours else {"foreach": False}
    optimizer = torch.optim.Adam(groups, betas=(0.5, 0.999), **options)
    called = torch.compile(module, dynamic=False) if arguments.compiled and ours else module
    precision: Precision = "bf16" if variant == "bf16" else "fp32"

    def step() -> None:
        optimizer.zero_grad(set_to_none=ours)
        with autocast(device, precision):
            value = loss(called, images, gray, target, labels)
        value.backward()
        optimizer.step()

    return step, 3 * counter.get_total_flops() / 1e9


Loss = Callable[[Any, Tensor, Tensor, Tensor, Tensor], Tensor]


def _stage(values: dict[str, Any], stage: str) -> tuple[nn.Module, Loss, list[dict[str, Any]]]:
    """The stage's module, loss and parameter groups."""
    if stage == "stage1":
        settings = Settings(values, STAGE_1.option_names(FmpnOptions))
        generator = MaskGenerator(
            settings.generator_width, settings.generator_blocks, gain=settings.initialisation_gain
        )
        groups = [{"params": list(generator.parameters()), "lr": settings.stage1_learning_rate}]
        return (
            generator,
            lambda net, image, gray, target, labels: nn.functional.mse_loss(net(gray).float(), target),
            groups,
        )
    method = load_method("fmpn")
    chosen = method.settings(values)
    module = method.build(chosen, CLASSES)

    def loss(net: Any, image: Tensor, gray: Tensor, target: Tensor, labels: Tensor) -> Tensor:
        from datasets.batches import Batch

        batch = Batch(image=image, gray=gray, target_mask=target, labels=labels)
        return method.loss(net, batch, chosen)["loss"]

    return module, loss, method.parameter_groups(module, chosen)


def data_path(values: dict[str, Any], batch: int, device: str) -> float:
    """Images/s from uint8 faces on the device to randomly cropped and flipped batches."""
    import numpy as np

    from datasets.augmentation.draw import augmentation_policy
    from datasets.batches import FaceTensors, channels_last

    side = values["load_size_pixels"]
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4 * batch, side, side, 3), dtype=np.uint8)
    masks = random.integers(0, 256, (CLASSES, side, side), dtype=np.uint8)
    faces = FaceTensors(images, np.arange(4 * batch) % CLASSES, masks, device)
    policy, generator = augmentation_policy("paper"), torch.Generator().manual_seed(0)

    def make() -> None:
        for rows in torch.arange(4 * batch).split(batch):
            channels_last(faces.batch(rows, policy(len(rows), generator), values["image_size_pixels"]))

    make()
    return 4 * batch / min(_timed(make, device) for _ in range(3))


def share_device(stage: str, count: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Total images/s of `count` processes that train on the device concurrently.

    An upper bound: the timed steps are not synchronised, and each process reports its fastest one.
    """
    variant = arguments.variants[-1]
    command = [sys.executable, "-m", "benchmarks.training", *sys.argv[1:], "--one", f"{stage},{variant}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    rows = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    total = sum(row["images_per_second"] for row in rows)
    print(f"{stage:<7} {variant:<9} {count} concurrent processes: {total:.1f} images/s in total", flush=True)
    return {"stage": stage, "variant": variant, "processes": count, "images_per_second": total}


if __name__ == "__main__":
    main()
