"""For every flag of every command that runs fold runs: a value for it, and where it shows.

A flag that is accepted and changes nothing misleads. Each entry is given to the command in a dry run, and
something must differ from the dry run without it: the records of the planned runs, what the study is made
from, where results go, what is printed, or that it is refused.
"""

from __future__ import annotations

SETTINGS: dict[str, str] = {
    "adam_beta1": "0.6",
    "adam_beta2": "0.99",
    "amsgrad": "yes",
    "asynchronous": "yes",
    "augmentation": "paper",
    "backbone": "vgg16_bn",
    "backbone_width": "0.25",
    "baselines": "cnn",
    "checkpoint_every_epochs": "3",
    "class_weights": "balanced",
    "classifier_learning_rate": "0.002",
    "compiled": "yes",
    "cpus_per_run": "2",
    "dataset": "synthetic_mmi",
    "drop_last": "yes",
    "dropout": "0.3",
    "ema_decay": "0.9",
    "enlarge_below_pixels": "80",
    "fold_rule": "holdout",
    "folds": "4",
    "folds_only": "1",
    "freeze_backbone": "yes",
    "freeze_generator": "yes",
    "generator_blocks": "2",
    "generator_learning_rate": "0.0002",
    "generator_width": "4",
    "gpus_per_run": "0.5",
    "holdout_share": "0.4",
    "image_size_pixels": "33",
    "initialisation_gain": "0.5",
    "label_smoothing": "0.1",
    "lambda_classification": "0.5",
    "lambda_mask": "3",
    "load_size_pixels": "36",
    "method": "cnn",
    "momentum": "0.9",
    "objectives": "accuracy,parameters",
    "optimizer": "sgd",
    "precision": "bf16",
    "pruning": "no",
    "repeats": "2",
    "rounds": "1,2",
    "sampler": "random",
    "schedule": "cosine",
    "seed": "3",
    "seeds": "2",
    "selection_rule": "test",
    "space": "backbone",
    "stage1_batch_size": "16",
    "stage1_constant_epochs": "2",
    "stage1_decay_epochs": "2",
    "stage1_learning_rate": "0.002",
    "tune_baselines": "2",
    "substitutes": "stage1=none",
    "stage2_augmentation": "paper",
    "stage2_batch_size": "32",
    "stage2_constant_epochs": "2",
    "stage2_decay_epochs": "2",
    "step_epochs": "20",
    "step_factor": "0.5",
    "storage": "sqlite:///study.db",
    "study_seed": "5",
    "synchronised_batch_norm": "no",
    "train_workers": "1",
    "transfer_to": "synthetic_mmi",
    "transform_input": "no",
    "trials": "3",
    "weight_decay": "0.01",
    "weights": "imagenet",
}
"""Another value than the preset `smoke` has, for each setting that a dry run shows."""

AT_RUN_TIME = {
    "retries": ("platform/distributed/ray_dispatcher.py", "plan.retries"),
    "trials_in_flight": ("platform/distributed/study_search.py", "plan.trials_in_flight"),
}
"""Settings that only running reads: in which file, and how that reads."""

SEARCH = ["--trials", "4", "--folds", "3", "--transfer-to", "none"]
COMMANDS: dict[str, list[str]] = {
    "tune": SEARCH,
    "crossval": ["--folds", "3", "--transfer-to", "none"],
    "transfer": ["--folds", "3", "--source", "synthetic", "--target", "synthetic_mmi", "--stage1", "yes"],
    "reproduce": ["--folds", "3", "--no-controls", "--lambdas", "1"],
}
"""The commands that run fold runs, with what each of their dry runs is given."""

WHOLE_NET = ["--backbone", "resnet18", "--backbone-width", "1"]
CONTEXT: dict[str, list[str]] = {
    "dropout": ["--backbone", "inception_v3"],
    "freeze_backbone": [*WHOLE_NET, "--weights", "imagenet"],
    "gpus_per_run": ["--address", "auto"],
    "holdout_share": ["--fold-rule", "holdout"],
    "momentum": ["--optimizer", "sgd"],
    "space": ["--stage2-batch-size", "32"],
    "step_epochs": ["--schedule", "step"],
    "step_factor": ["--schedule", "step"],
    "study_seed": ["--fold-rule", "holdout"],
    "transform_input": ["--backbone", "inception_v3"],
    "weights": WHOLE_NET,
}
"""What a setting needs beside it in order to matter."""

REFUSED = {("reproduce", "dataset"), ("reproduce", "freeze_generator"), ("transfer", "method")}
"""Where the value is no choice for the command, which says so."""

OTHER: dict[str, dict[str, list[str]]] = {
    "tune": {
        "--address": ["auto"],
        "--config": ["settings.yaml"],
        "--enqueue": ["enqueued.yaml"],
        "--extend": ["2"],
        "--masks": ["uniform"],
        "--name": ["other"],
        "--preset": ["quick"],
        "--runs": ["elsewhere"],
        "--fix": ["lambda_mask=3.0"],
        "--set": ["lambda_mask=3.0"],
    },
    "crossval": {
        "--address": ["auto"],
        "--config": ["settings.yaml"],
        "--masks": ["uniform"],
        "--name": ["other"],
        "--preset": ["quick"],
        "--runs": ["elsewhere"],
    },
    "transfer": {
        "--address": ["auto"],
        "--classes": ["common"],
        "--config": ["settings.yaml"],
        "--leave-one-out": ["synthetic,synthetic_mmi"],
        "--name": ["other"],
        "--preset": ["quick"],
        "--repeats": ["2"],
        "--runs": ["elsewhere"],
        "--source": ["synthetic_mmi"],
        "--stage1": ["no"],
        "--target": ["synthetic_wild"],
        "--transfer": ["both"],
    },
    "reproduce": {
        "--address": ["auto"],
        "--backbones": ["vgg16_bn"],
        "--cluster-slots": ["3"],
        "--config": ["settings.yaml"],
        "--lambdas": ["2"],
        "--name": ["other"],
        "--no-controls": [],
        "--preset": ["quick"],
        "--price-per-hour": ["2"],
        "--runs": ["elsewhere"],
        "--seeds": ["0,4"],
    },
}
"""Flags that are no settings."""

TRIED_ELSEWHERE = {
    "--data-root": "tests/test_dry_run.py",  # where sets are planned, and where they are there
    "--dry-run": "tests/test_dry_run.py",
    "--log-json": "tests/monitoring/test_event_log.py",
    "--print-config": "tests/cli/test_run_command.py",
    "--reference": "tests/cli/test_reference_check.py",
    "--plugins": "tests/cli/test_asked_method.py",  # not a flag of every command
    "--verbose": "tests/cli/test_run_command.py",  # a dry run is always in full
}
"""Flags of all these commands whose effect another test file shows."""

SHOWN_IN: dict[str, dict[str, str]] = {
    "audit": dict.fromkeys(("--images", "--data", "--json"), "tests/test_audit.py"),
    "doctor": {
        **dict.fromkeys(("--runs", "--data-root", "--skip", "--json"), "tests/test_doctor.py"),
        "--cluster": "tests/diagnosis/test_cluster_file.py",
    },
    "folds": dict.fromkeys(
        (
            "--dataset", "--rule", "--folds", "--holdout-share", "--seed", "--size", "--data-root", "--out",
        ),
        "tests/test_folds.py",
    ),
    "prepare": {
        **dict.fromkeys(
            (
                "--dataset", "--source", "--inspect", "--size", "--data-root", "--frames",
                "--whole-sequences", "--per-class", "--draw-seed", "--skip-bad", "--workers",
            ),
            "tests/test_prepare.py",
        ),
        **dict.fromkeys(
            ("--landmarks", "--detector", "--device", "--aligned", "--resample", "--allow-missing"),
            "tests/cli/test_prepare_settings.py",
        ),
        **dict.fromkeys(("--sequences", "--dense-landmarks", "--neutral-class"), "tests/test_prepare.py"),
        **dict.fromkeys(("--map", "--classes-from-folders"), "tests/datasets/test_own_sets.py"),
        "--strict": "tests/test_flag_effects.py",
    },
    "synthesize": {
        **dict.fromkeys(
            ("--out", "--subjects", "--frames", "--difficulty", "--layout", "--seed", "--size", "--workers"),
            "tests/test_synthesize.py",
        ),
        "--wild": "tests/test_flag_effects.py",
    },
    "table": dict.fromkeys(
        (
            "--runs", "--experiment", "--format", "--parts", "--partial", "--predictions", "--reference",
            "--out",
        ),
        "tests/test_table.py",
    ),
}  # fmt: skip
"""The flags of the other commands, and the test file that shows what each changes."""
