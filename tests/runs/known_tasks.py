"""Tasks and rows made from flags and a short description, for comparison with records of an earlier commit.

The only code between tests/data/identities and the platform: a change of the platform's functions is followed
here, and the data stay. All data sets are made up; nothing is opened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets.folds.rules import holdout_fold, inner_parts, paper_folds
from datasets.masks.released import released_mask_set
from platform.cli.parser import Parser
from platform.cli.planning import crossval_request
from platform.cli.run_flags import add_run_arguments
from platform.config.configuration import Configuration, Plan
from platform.config.mask_source import MaskSource, mask_source
from platform.config.presets import with_method
from platform.config.selection import INNER_PARTS
from platform.experiments.rows import Row, row_of
from platform.models import load_method
from platform.models.masks.motion_masks import ReleasedMasks
from platform.runs.fold_tasks import PlannedData, Substitutes, machine_of, source_substitute
from platform.runs.planned_tasks import NOTHING, Substitute, artifact_task, fold_task
from platform.runs.tasks import ArtifactTask, DataReference, FoldTask

KINDS = ("fold_runs", "stage1", "masks", "controls")
CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
SETS = {"ckplus": ("c" * 64, 14), "synthetic": ("5" * 64, 10), "affectnet": ("a" * 64, 12)}
"""Name of a data set to its made-up hash and number of subjects."""
RELEASED = Path(__file__).parent.parent / "data" / "ckplus_released_masks"
"""Fold 0 is complete."""
RELEASED_PIXELS = 70
"""Side of the released masks, so that none is resized."""

Task = FoldTask | ArtifactTask
What = Mapping[str, Any]
"""How a task or row is made, where the flags do not say it; an absent key has the value in brackets.

Of a fold run: `dataset` ["ckplus"], `rule` ["paper"], `fold` [0], `part`: number of the validation split
[null: the final run], `masks`: "source", "files" (the released masks of RELEASED) or the hash of released
masks [the fold's own], `control` [that of `--masks`], `pretrain` [true], `generator`: whether it is the
source's [false].
Of a row also: `baseline`: the method instead of the flags' [""], `of_fold`: further flags of each fold
[none], `variation` [""], `repeat` [0], `score` [null].
"""


EARLIER_NET = {
    "quick": {"--backbone": "inception_v3", "--backbone-width": "0.125"},
    "smoke": {"--backbone": "inception_v3", "--backbone-width": "0.0625"},
}
"""The net of the presets when the records were made."""


def _preset_of(flags: Sequence[str]) -> str:
    return flags[flags.index("--preset") + 1] if "--preset" in flags else ""


def settings_of(flags: Sequence[str]) -> tuple[Configuration, Plan]:
    """Configuration and plan that `platform.crossval` resolves these flags to."""
    given = [*flags]
    for flag, value in EARLIER_NET.get(_preset_of(flags), {}).items():
        given += [] if flag in given else [flag, value]
    parser = Parser(prog="crossval")
    add_run_arguments(parser, given, search=False)
    request = crossval_request(parser.parse_args(given))
    return request.configuration, request.plan


def made_up_data(dataset: str, plan: Plan, rule: str = "paper") -> PlannedData:
    """A data set of SETS that all subjects show all classes of, with its folds and validation splits."""
    digits, count = SETS[dataset]
    images = {
        f"S{number:03d}": Counter({name: 1 + (3 * number + 5 * k) % 4 for k, name in enumerate(CLASSES)})
        for number in range(1, count + 1)
    }
    if rule == "paper":
        folds = paper_folds(images, plan.folds)
    else:
        folds = holdout_fold(images, seed=plan.study_seed, test_share=plan.holdout_share)
    return PlannedData(
        data=DataReference(folder=f"/nowhere/{dataset}", dataset=dataset, hash=digits, class_names=CLASSES),
        folds=folds,
        inner=tuple(
            inner_parts(fold.train_subjects, images, seed=plan.study_seed, part_count=INNER_PARTS)
            for fold in folds.folds
        ),
        images_of_subject={subject: counts.total() for subject, counts in images.items()},
        classes_of_subject=dict.fromkeys(images, frozenset(CLASSES)),
        neutral_faces=dict.fromkeys(images, 1),
        size_pixels=RELEASED_PIXELS,
    )


def known_task(kind: str, flags: Sequence[str], what: What) -> Task:
    """The fold run, or the stage-1 run, masks or control masks that it rests on."""
    run = known_fold_run(flags, what)
    if kind == "fold_runs":
        return run
    return run.artifacts["stage1" if kind == "stage1" else "masks"]


def known_fold_run(flags: Sequence[str], what: What) -> FoldTask:
    """One fold run; `what` as the module says."""
    configuration, plan = settings_of(flags)
    target = made_up_data(what.get("dataset", "ckplus"), plan, what.get("rule", "paper"))
    index, part = what.get("fold", 0), what.get("part")
    return fold_task(
        configuration,
        target.data,
        target.folds.folds[index],
        fold_rule=target.folds.rule,
        part=part,
        validation_subjects=None if part is None else target.inner[index][part],
        machine=machine_of(plan),
        images_of_subject=target.images_of_subject,
        substitutes=_substitutes(
            configuration, target, index, plan, what, pretrain=what.get("pretrain", True)
        ),
    )


def known_row(flags: Sequence[str], what: What) -> Row:
    """One row of an experiment; `what` as the module says."""
    configuration, plan = settings_of(flags)
    chosen = [settings_of([*flags, *more])[0] for more in what.get("of_fold", [])]
    if what.get("baseline"):
        configuration = with_method(configuration, what["baseline"], plan)
    target = made_up_data(what.get("dataset", "ckplus"), plan, what.get("rule", "paper"))
    transferred = what.get("masks") == "source" or what.get("generator", False)
    pretrain = what.get("pretrain", not transferred)
    return row_of(
        chosen or configuration,
        target,
        plan,
        kind="transfer" if transferred else "crossval",
        substitutes=[
            _substitutes(configuration, target, fold.index, plan, what, pretrain=pretrain)
            for fold in target.folds.folds
        ],
        selection_score=what.get("score"),
        repeat=what.get("repeat", 0),
        variation=what.get("variation", ""),
    )


def _substitutes(
    configuration: Configuration, target: PlannedData, index: int, plan: Plan, what: What, *, pretrain: bool
) -> Substitutes:
    """What replaces the fold's own artifacts."""
    made: dict[str, Substitute] = {}
    source, machine = made_up_data("synthetic", plan), machine_of(plan)
    control = what.get("control") or mask_source(plan.masks).control or ""
    if what.get("masks") == "source" and "masks" in load_method(configuration.method).artifacts(
        configuration
    ):
        from_source = source_substitute("masks", source, configuration, machine)
        made["masks"] = replace(from_source, control=control)
    elif "masks" in what and what["masks"] != "source":
        content = what["masks"]
        if content == "files":
            content = released_mask_set(RELEASED, index, CLASSES, RELEASED_PIXELS).hash
        released = artifact_task(
            ReleasedMasks(release=str(RELEASED), fold=index, masks_hash=content),
            target.data,
            target.folds.folds[index].train_subjects,
        )
        shown = MaskSource(control=control or None, released_folder=RELEASED).name
        made["masks"] = Substitute(shown=shown, source=released, control=control)
    elif control:
        made["masks"] = Substitute(shown=control, control=control)
    if what.get("generator"):
        made["stage1"] = source_substitute("stage1", source, configuration, machine)
    elif not pretrain:
        made["stage1"] = NOTHING
    return made
