"""Accuracy of bf16 versus fp32: ten folds of the quick preset, five seeds each (docs/performance.md).

    python -m benchmarks.precision

Finished runs are kept in build/precision, so the same command continues after an interruption.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from platform.config.configuration import Plan, configuration_of, option_names
from platform.config.presets import preset
from platform.runs.execute import execute
from platform.runs.fold_tasks import final_tasks, machine_of, plan_data
from platform.runs.tasks import FoldTask


def run(task: FoldTask, runs: str) -> float:
    """Run both stages of a fold run; its test accuracy."""
    for each in (task.artifacts["stage1"], task):
        if each is not None:
            manifest = execute(each, runs, keep_weights=False)
            if manifest["status"] != "complete":
                raise RuntimeError(manifest["traceback"])
    return float(manifest["accuracy"])


def main() -> None:
    """Print the mean of folds for every seed, and the spread over seeds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--method", default="fmpn")
    parser.add_argument("--backbone", default="resnet18")
    parser.add_argument("--width", type=float, default=0.25)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--data-root", type=Path, default=Path("data"))
    parser.add_argument("--runs", type=Path, default=Path("build/precision"))
    arguments = parser.parse_args()
    values = preset("quick") | {
        "method": arguments.method, "backbone": arguments.backbone, "backbone_width": arguments.width,
    }  # fmt: skip
    names = option_names(arguments.method)
    plan = Plan(**{name: value for name, value in values.items() if name in Plan.__dataclass_fields__})
    means: dict[str, list[float]] = {"fp32": [], "bf16": []}
    with ProcessPoolExecutor(arguments.processes, get_context("spawn")) as pool:
        for seed in range(arguments.seeds):
            for precision, found in means.items():
                configuration = configuration_of(
                    **{name: value for name, value in values.items() if name in names}
                    | {"seed": seed, "precision": precision}
                )
                planned = plan_data(arguments.data_root, "synthetic", configuration, plan)
                tasks = final_tasks(configuration, planned, machine_of(plan))
                accuracies = list(pool.map(run, tasks, [str(arguments.runs)] * len(tasks)))
                found.append(100 * float(np.mean(accuracies)))
                print(f"seed {seed}, {precision}: mean of {len(tasks)} folds {found[-1]:.2f} %", flush=True)
    for precision, found in means.items():
        spread = f"{np.std(found, ddof=1):.2f} points, {min(found):.2f} to {max(found):.2f} %"
        print(f"{precision}: mean of {len(found)} seeds {np.mean(found):.2f} %, s.d. over seeds {spread}")


if __name__ == "__main__":
    main()
