"""The flags that people use, as `--help` shows them, and the groups of `--help-all`."""

from __future__ import annotations

RUN_FLAGS = {
    "what runs": {
        "--dataset": "data set, e.g. ckplus, mmi, affectnet, folder",
        "--source": "source data sets",
        "--target": "target data sets",
        "--leave-one-out": "train on all these sets but one, test on that one, each in turn",
        "--transfer": "what is transferred: masks (default), generator or both",
        "--stage1": "pretrain the generator on the target (default no)",
        "--classes": "common: leave out classes that not all sets have",
        "--repeats": "divisions of the subjects that every row runs on",
        "--backbones": "classification nets to compare",
        "--lambdas": "weights of the mask loss to compare (default 10,0.1)",
        "--no-controls": "leave out the control masks",
        "--method": "fmpn, cnn, cnn_no_mask_loss, preactresnet18, or a file of your own: FILE.py",
        "--preset": "paper, released, quick (minutes) or smoke (a test)",
        "--config": "settings as YAML, e.g. a search's winner.yaml; flags override it",
        "--baselines": "methods to compare with",
        "--folds": "subject-independent folds",
        "--backbone": "classification net, e.g. resnet18",
        "--seed": "seed of everything that training draws",
        "--seeds": "number of training seeds; 3 in presets of the paper's size",
        "--masks": "own, a control, or released DIR",
    },
    "search": {
        "--trials": "configurations that it tries",
        "--space": "search space, a file of search_spaces/",
        "--fix": "fix a parameter of the space, e.g. --fix backbone=resnet18",
        "--selection-rule": "how the winner is chosen: inner, nested or test",
        "--tune-baselines": "trials of a search of its own for each baseline",
        "--extend": "add trials to a finished search",
    },
    "where": {
        "--name": "name of the experiment (default: command-dataset-preset)",
        "--runs": "folder of all results",
        "--data-root": "folder of prepared sets",
        "--address": "Ray cluster, e.g. auto (default: start Ray here)",
        "--gpus-per-run": "GPUs of a fold run; a fraction shares one",
    },
    "before it runs": {
        "--dry-run": "planned runs, resources, duration; runs nothing",
        "--print-config": "the settings as YAML that --config reads back",
        "--help-all": "every flag with its default, in groups",
    },
}
"""Of `tune`, `crossval`, `transfer` and `reproduce`."""

PREPARE_FLAGS = {
    "what": {
        "--dataset": "the data set, e.g. ckplus, mmi, affectnet, folder",
        "--source": "your copy, as delivered",
        "--inspect": "describe a folder, write nothing",
        "--size": "side of the faces (default 320)",
        "--data-root": "folder of data sets (default data)",
        "--landmarks": "five points per frame, or `detect`",
        "--aligned": "the images are face crops already",
        "--per-class": "draw so many images per class",
        "--sequences": "add all frames of the sequences",
        "--skip-bad": "skip invalid items and list them",
        "--help-all": "every flag",
    },
}
"""Of `prepare`."""

PLAN_GROUPS = {
    "data and folds": ("dataset", "fold_rule", "folds", "folds_only", "repeats", "holdout_share"),
    "search": (
        "selection_rule", "space", "trials", "trials_in_flight", "rounds", "pruning", "asynchronous",
        "sampler", "objectives", "storage", "study_seed", "tune_baselines",
    ),
    "comparison": ("seeds", "baselines", "transfer_to"),
}  # fmt: skip
"""Title to fields of the plan; all others say on what fold runs run."""
MACHINE = "fold runs and machine"
