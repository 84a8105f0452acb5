"""The folds of a prepared set: made by a rule, or read from fold lists that the audit passes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from datasets.folds.another_division import another_division
from datasets.folds.rules import Fold, FoldPlan, holdout_fold, paper_folds, step_folds
from platform.config.configuration import Plan
from platform.errors import UserError

if TYPE_CHECKING:
    from datasets.prepared.store import PreparedStore

SEVERAL = {"paper": paper_folds, "step": step_folds}
"""Rules that make several folds, by name."""
LISTED = "list:"
"""Start of the rule's name where the folds come from lists that no rule made."""
Classes = Mapping[str, Counter[str]]
"""Subject to its number of images of each class."""


def made_folds(
    plan: Plan, store: PreparedStore, classes: Classes, *, rule: str | None = None, repeat: int = 0
) -> FoldPlan:
    """The folds that the plan asks for, of the store's subjects.

    rule: another one than the plan's. repeat: number of the division; 0 is the rule's own, the others are
    further draws under the rule `holdout`, and stratified folds under rules that draw nothing
    (`another_division`). UserError: too few subjects for the rule, too few divisions, or lists that leak or
    do not fit the store (`listed_folds`).
    """
    if rule is None and plan.fold_list:
        return listed_folds(Path(plan.fold_list), store, classes)
    chosen = rule or plan.fold_rule
    if chosen in SEVERAL:
        first = SEVERAL[chosen](classes, plan.folds)
        seed = plan.study_seed
        return another_division(first, classes, repeat=repeat, seed=seed) if repeat else first
    return holdout_fold(classes, seed=plan.study_seed + repeat, test_share=plan.holdout_share)


def listed_folds(path: Path, store: PreparedStore, classes: Classes) -> FoldPlan:
    """The folds in `path` (datasets/fold_lists/read.py), numbered from 0, as a division of subjects.

    Lists that a rule would have made have that rule's name, and so its results. UserError: lists that leak
    (datasets/audit/) or list an image twice, name images that the store lacks, or leave out images of a
    subject whom they use.
    """
    from datasets.audit.audited_images import StoreImages
    from datasets.audit.findings import judge
    from datasets.fold_lists.read import read_fold_lists

    lists, faces = read_fold_lists(path, store), StoreImages(store)
    audit = judge(lists.with_expressions({name: faces.expression(name) for name in lists.images}))
    for finding in audit.findings:
        if finding.severity == "leak" or finding.rule in COUNTED_TWICE:
            raise UserError(
                f"fold lists must pass the audit, but in {path} {finding.what}, for example "
                f"{finding.example}; {finding.remedy} All findings: python -m platform.audit {path} --data "
                f"{store.folder}"
            )
    own = {name: faces.find(name) for name in lists.images}
    lacking = sorted(name for name, found in own.items() if found is None)
    if lacking:
        raise UserError(
            f"fold lists must name images of the prepared set, but {store.folder} lacks {len(lacking)} of "
            f"the {len(own)} in {path}, the first being {lacking[0]}; prepare the set with these images "
            "(--frames), or correct the lists."
        )
    subject_of = dict(zip(store.image_names.tolist(), store.subjects.tolist(), strict=True))
    wanted = {name for counts in classes.values() for name in counts}
    labelled = {name: subject_of[found] for name, found in own.items() if faces.expression(name) in wanted}
    folds = []
    for index, fold in enumerate(lists.folds):
        sides = []
        for names in (fold.train, fold.test):
            used = Counter(labelled[name] for name in set(names) if name in labelled)
            _check_whole(path, fold.index, used, classes)
            sides.append(tuple(sorted(used)))
        folds.append(Fold(index=index, train_subjects=sides[0], test_subjects=sides[1]))
    return _named(tuple(folds), classes)


COUNTED_TWICE = ("listed twice", "tested repeatedly")
"""Warnings of the audit about lists by which an image would count more than once, here or in their source. A
class that is absent from training is refused for every rule (`check_training_classes`)."""


def _check_whole(path: Path, index: int, used: Counter[str], classes: Classes) -> None:
    """UserError: a side of a fold has some, but not all, images of a subject."""
    for subject, count in sorted(used.items()):
        whole = sum(classes[subject].values())
        if count < whole:
            raise UserError(
                f"a fold uses all images of a subject, but fold {index} of {path} has {count} of the "
                f"{whole} of {subject} on one side; list the others too, or prepare the set with the listed "
                "images alone (--frames)."
            )


def _named(folds: tuple[Fold, ...], classes: Classes) -> FoldPlan:
    """The folds with the name of the rule that makes the same ones, or of their own."""
    for rule in SEVERAL.values():
        if 2 <= len(folds) <= len(classes) and (made := rule(classes, len(folds))).folds == folds:
            return made
    unnamed = FoldPlan(rule=LISTED, folds=folds)
    return FoldPlan(rule=f"{LISTED}{unnamed.hash[:12]}", folds=folds)
