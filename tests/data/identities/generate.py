"""The records and identities in this folder, as commit 5be6a2d of 28 November 2026 made them.

    git checkout 5be6a2d -- platform datasets search_spaces
    python -m tests.data.identities.generate

It has been run once, at that commit, and its output is test data: tests/runs/test_known_identities.py
compares it with what the present code makes. Run with later code, it would only write down what that makes.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from tests.runs.known_tasks import known_row, known_task

Cases = dict[str, tuple[str, dict[str, Any]]]
"""What is special about a task, to the flags as a user types them and `What` of tests/runs/known_tasks.py."""

COMMIT = "5be6a2d"
CONTENT = "0123456789abcdef" * 4
"""Stands for the hash of files that nobody needs to have."""
AUGMENTATION = """'[{"Rotate":{"limit":[-10,10],"p":0.5}},{"HorizontalFlip":{"p":0.5}}]'"""

FMPN: Cases = {
    "as published": ("--preset paper", {}),
    "as released, another fold": ("--preset released", {"fold": 7}),
    "a validation split, quick": ("--preset quick --folds 3", {"fold": 1, "part": 4}),
    "smoke, its stage 1 for longer": ("--preset smoke --folds 2 --stage1-decay-epochs 3", {"part": 0}),
    "SGD with momentum": (
        "--preset quick --optimizer sgd --momentum 0.9 --classifier-learning-rate 0.01 --schedule cosine",
        {"fold": 2},
    ),
    "averaged weights and a smoothed target": (
        "--preset paper --ema-decay 0.999 --label-smoothing 0.1 --class-weights balanced", {"part": 1},
    ),
    "a frozen generator": ("--preset paper --freeze-generator yes --lambda-classification 2", {}),
    "a pinned file of weights": (
        f"--preset paper --backbone vgg16 --weights /somewhere/vgg16.safetensors@sha256:{CONTENT}",
        {"fold": 9},
    ),
    "a released checkpoint": (
        f"--preset released --weights released:/somewhere/200_net_cls.pth@sha256:{CONTENT}", {"fold": 4},
    ),
    "strong augmentation in stage 2, dropout": (
        "--preset quick --backbone vgg16_bn --dropout 0.3 --stage2-augmentation strong", {"part": 2},
    ),
    "bfloat16 on a GPU, two workers": (
        "--preset paper --gpus-per-run 1 --cpus-per-run 4 --train-workers 2 --precision bf16 "
        "--synchronised-batch-norm no",
        {"fold": 3},
    ),
    "without stage 1": ("--preset quick", {"pretrain": False}),
    "a control": ("--preset quick --masks random --seed 3", {"fold": 5}),
    "masks of a source, no stage 1": (
        "--preset paper --backbone resnet18",
        {"dataset": "affectnet", "rule": "holdout", "masks": "source", "pretrain": False},
    ),
    "masks of a source, stage 1": ("--preset quick", {"dataset": "affectnet", "masks": "source"}),
    "masks and generator of a source": (
        "--preset quick --study-seed 4",
        {"dataset": "affectnet", "rule": "holdout", "masks": "source", "generator": True},
    ),
    "augmentation of its own": (
        f"--preset quick --load-size-pixels 64 --augmentation {AUGMENTATION}", {"fold": 6},
    ),
    "released masks": ("--preset released", {"masks": CONTENT, "fold": 2}),
    "compiled, other betas and widths": (
        "--preset paper --compiled yes --adam-beta1 0.9 --adam-beta2 0.99 --generator-width 32 "
        "--generator-blocks 2 --initialisation-gain 1 --weight-decay 1e-4 --optimizer adamw",
        {"fold": 8, "part": 3},
    ),
}  # fmt: skip
CNN: Cases = {
    "as published": ("--preset paper --method cnn", {}),
    "another net": ("--preset paper --method cnn --backbone vgg16", {"fold": 3, "part": 2}),
    "the preset released": ("--preset released --method cnn", {"fold": 9}),
    "quick": ("--preset quick --method cnn --folds 5", {"fold": 4, "part": 0}),
    "smoke": ("--preset smoke --method cnn --folds 2 --stage2-batch-size 8", {"fold": 1}),
    "SGD with momentum": (
        "--preset quick --method cnn --optimizer sgd --momentum 0.9 --classifier-learning-rate 0.05", {},
    ),
    "regularised": (
        "--preset paper --method cnn --optimizer adamw --weight-decay 0.01 --label-smoothing 0.1 "
        "--dropout 0.2 --ema-decay 0.99 --class-weights balanced --schedule cosine "
        "--stage2-augmentation strong",
        {"fold": 6},
    ),
    "a frozen net": ("--preset paper --method cnn --freeze-backbone yes --backbone resnet50", {"part": 1}),
    "a pinned file of weights": (
        f"--preset paper --method cnn --backbone resnet18 --weights /elsewhere/net.pth@sha256:{CONTENT}", {},
    ),
    "TF32 on a share of a GPU": (
        "--preset paper --method cnn --gpus-per-run 0.5 --precision tf32 --transform-input no --seed 11",
        {"dataset": "affectnet", "rule": "holdout"},
    ),
    "a worker of its own": (
        "--preset quick --method cnn --train-workers 1 --cpus-per-run 2 --stage2-decay-epochs 0",
        {"dataset": "synthetic", "fold": 7},
    ),
}  # fmt: skip
CNN_NO_MASK_LOSS: Cases = {
    "as published": ("--preset paper --method cnn_no_mask_loss", {}),
    "the preset released": (
        "--preset released --method cnn_no_mask_loss --backbone densenet121", {"fold": 1},
    ),
    "quick": ("--preset quick --method cnn_no_mask_loss", {"fold": 2, "part": 3}),
    "smoke": ("--preset smoke --method cnn_no_mask_loss --folds 4", {"fold": 3}),
    "rates of its own": (
        "--preset quick --method cnn_no_mask_loss --classifier-learning-rate 5e-4 "
        "--generator-learning-rate 5e-5",
        {"fold": 4},
    ),
    "a smaller generator": (
        "--preset paper --method cnn_no_mask_loss --generator-width 16 --generator-blocks 1 "
        "--initialisation-gain 0.5",
        {"part": 0},
    ),
    "SGD with momentum": (
        "--preset quick --method cnn_no_mask_loss --optimizer sgd --momentum 0.5 --schedule constant", {},
    ),
    "averaged weights, smoothed target, balanced classes": (
        "--preset paper --method cnn_no_mask_loss --ema-decay 0.9 --label-smoothing 0.2 "
        "--class-weights balanced --backbone resnet152",
        {"fold": 5},
    ),
    "from random weights, narrow": (
        "--preset paper --method cnn_no_mask_loss --weights none --backbone-width 0.5 "
        "--enlarge-below-pixels 320 --augmentation none",
        {"fold": 6},
    ),
    "a GPU": ("--preset paper --method cnn_no_mask_loss --gpus-per-run 1 --backbone vgg19", {"fold": 7}),
}  # fmt: skip
STAGE1: Cases = {
    "as published": ("--preset paper", {}),
    "as released: the same": ("--preset released", {"fold": 0}),
    "a validation split": ("--preset quick --folds 3", {"fold": 2, "part": 1}),
    "smoke": ("--preset smoke --folds 2", {"fold": 1, "part": 4}),
    "a schedule of its own": (
        "--preset paper --stage1-constant-epochs 20 --stage1-decay-epochs 0 --stage1-batch-size 16 "
        "--stage1-learning-rate 2e-4",
        {"fold": 3},
    ),
    "another generator": (
        "--preset quick --generator-width 4 --generator-blocks 1 --initialisation-gain 0.1", {"fold": 4},
    ),
    "options of stage 2 do not reach it": (
        "--preset quick --optimizer sgd --momentum 0.9 --ema-decay 0.9 --lambda-mask 1 --backbone vgg16_bn",
        {"fold": 5},
    ),
    "a GPU, two workers, bfloat16": (
        "--preset paper --gpus-per-run 1 --train-workers 2 --precision bf16 --compiled yes", {"fold": 6},
    ),
    "on control masks": ("--preset paper --masks centre --seed 5", {"fold": 7}),
    "on released masks": ("--preset released --load-size-pixels 330", {"fold": 8, "masks": CONTENT}),
    "on a source's masks": ("--preset quick --augmentation strong", {"fold": 9, "masks": "source"}),
    "a source's generator": ("--preset paper", {"dataset": "affectnet", "generator": True}),
    "a source's generator on a GPU": (
        "--preset quick --gpus-per-run 0.25 --adam-beta1 0.5 --adam-beta2 0.9",
        {"generator": True, "fold": 1},
    ),
}  # fmt: skip
MASKS: Cases = {
    "of a fold": ("--preset paper", {}),
    "of the last fold": ("--preset paper", {"fold": 9}),
    "of a validation split": ("--preset paper", {"fold": 3, "part": 0}),
    "of the last validation split": ("--preset quick", {"fold": 3, "part": 4}),
    "of one fold of two": ("--preset smoke --folds 2", {"fold": 1}),
    "of validation splits drawn otherwise": ("--preset quick --study-seed 9", {"fold": 1, "part": 2}),
    "of a single split": ("--preset quick", {"rule": "holdout", "dataset": "synthetic"}),
    "of a source": ("--preset paper", {"masks": "source"}),
    "of a source, for another target": ("--preset paper", {"masks": "source", "dataset": "affectnet"}),
    "released": ("--preset released", {"masks": CONTENT}),
    "released, another fold": ("--preset released", {"masks": CONTENT, "fold": 6}),
    "the files of the release": ("--preset released", {"masks": "files"}),
}
CONTROLS: Cases = {
    "permuted": ("--preset paper --masks permuted", {}),
    "uniform": ("--preset paper --masks uniform", {"fold": 2}),
    "centre": ("--preset quick --masks centre", {"fold": 3}),
    "random": ("--preset paper --masks random", {"fold": 4}),
    "permuted, of a validation split": ("--preset quick --masks permuted", {"fold": 5, "part": 1}),
    "random, of a validation split": ("--preset smoke --folds 2 --masks random", {"fold": 1, "part": 3}),
    "permuted, of released masks": (
        "--preset released", {"control": "permuted", "masks": CONTENT, "fold": 6},
    ),
    "permuted, of the files of the release": ("--preset released", {"control": "permuted", "masks": "files"}),
    "uniform, of released masks": ("--preset released", {"control": "uniform", "masks": CONTENT}),
    "centre, of a source": ("--preset paper", {"control": "centre", "masks": "source"}),
    "random, of a source": ("--preset quick", {"control": "random", "masks": "source", "fold": 8}),
}  # fmt: skip
ROWS: Cases = {
    "FMPN as published": ("--preset paper --dataset ckplus", {}),
    "its baseline": ("--preset paper --dataset ckplus", {"baseline": "cnn"}),
    "its baseline without the mask loss": (
        "--preset paper --dataset ckplus", {"baseline": "cnn_no_mask_loss"},
    ),
    "a baseline of changed settings": (
        "--preset quick --folds 3 --backbone resnet18 --classifier-learning-rate 3e-4 --label-smoothing 0.1",
        {"baseline": "cnn"},
    ),
    "a baseline with a generator of changed settings": (
        "--preset quick --folds 3 --generator-learning-rate 3e-4 --generator-width 4",
        {"baseline": "cnn_no_mask_loss"},
    ),
    "cnn alone": ("--preset quick --method cnn --folds 4", {}),
    "the baseline of cnn": (
        "--preset quick --method cnn --folds 4 --classifier-learning-rate 2e-3 --weight-decay 1e-4",
        {"baseline": "cnn_no_mask_loss"},
    ),
    "FMPN as the baseline of cnn": ("--preset released --method cnn --ema-decay 0.9", {"baseline": "fmpn"}),
    "a control": ("--preset quick --folds 3 --masks permuted", {}),
    "released masks": ("--preset released", {"masks": CONTENT}),
    "permuted released masks": ("--preset released", {"masks": CONTENT, "control": "permuted"}),
    "chosen folds": ("--preset paper --folds-only 2,6", {}),
    "the ablation of stage 1": (
        "--preset quick --folds 2", {"pretrain": False, "variation": "without stage 1"},
    ),
    "the ablation of the mask loss": ("--preset quick --lambda-mask 0", {"variation": "lambda_G 0"}),
    "a configuration of each fold": (
        "--preset quick --folds 2",
        {"of_fold": [["--backbone", "resnet18"], ["--backbone", "vgg16_bn"]], "score": 0.5},
    ),
    "transferred masks": (
        "--preset paper --backbone resnet18", {"dataset": "affectnet", "rule": "holdout", "masks": "source"},
    ),
    "transferred masks and stage 1": ("--preset quick", {"masks": "source", "pretrain": True}),
    "a transferred generator": ("--preset quick", {"generator": True}),
    "both, of a repeated split": (
        "--preset quick",
        {"dataset": "affectnet", "rule": "holdout", "masks": "source", "generator": True, "repeat": 2},
    ),
}  # fmt: skip

FOLD_RUNS = {
    f"{method}: {name}": case
    for method, cases in (("fmpn", FMPN), ("cnn", CNN), ("cnn_no_mask_loss", CNN_NO_MASK_LOSS))
    for name, case in cases.items()
}
OF_KIND = {"fold_runs": FOLD_RUNS, "stage1": STAGE1, "masks": MASKS, "controls": CONTROLS}


def write(name: str, cases: list[dict[str, Any]]) -> None:
    """One file of this folder, a case a line."""
    lines = ",\n".join(json.dumps(case) for case in cases)
    path = Path(__file__).parent / f"{name}.json"
    path.write_text(f'{{"commit": "{COMMIT}", "cases": [\n{lines}\n]}}\n', encoding="utf-8")


def main() -> None:
    """Write all files of this folder."""
    for kind, cases in OF_KIND.items():
        made = []
        for name, (text, what) in cases.items():
            flags = shlex.split(text)
            task = known_task(kind, flags, what)
            case = {"name": name, "flags": flags, "what": what}
            made.append({**case, "record": task.record, "identity": task.identity})
        write(kind, made)
    rows = []
    for name, (text, what) in ROWS.items():
        flags = shlex.split(text)
        row = known_row(flags, what).describe("paper")
        rows.append({"name": name, "flags": flags, "what": what, "row": row})
    write("rows", rows)


if __name__ == "__main__":
    main()
