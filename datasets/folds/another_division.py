"""Other divisions of the same subjects into as many folds: the repeats of an evaluation.

They show what another division of the same people would have given. They show nothing of other people: all
divisions test the same images.
"""

from __future__ import annotations

from datasets.folds.inner_split import ClassCounts, stratified_parts
from datasets.folds.rules import Fold, FoldPlan
from platform.errors import UserError

STRATIFIED = "stratified"
"""Fold rule: seeded folds of whole subjects, with about the same share of each class in every fold."""
DRAWS_A_REPEAT = 50
"""Draws after which a set of subjects counts as having no further division."""


def stratified_folds(classes_of_subject: ClassCounts, fold_count: int, *, seed: int) -> FoldPlan:
    """Seeded folds of whole subjects, stratified by class (`stratified_parts`).

    Fold k tests part k and trains on the others. Raises UserError for fewer than two subjects or folds, for
    fewer subjects than folds, and as `stratified_parts`.
    """
    if not 2 <= fold_count <= len(classes_of_subject):
        raise UserError(
            f"2 <= folds <= subjects must hold, but got folds={fold_count} and {len(classes_of_subject)} "
            "subjects; pass another --folds."
        )
    parts = stratified_parts(
        classes_of_subject, shares=(1.0,) * fold_count, held_out=range(fold_count), seed=seed
    )
    subjects = sorted(classes_of_subject)
    return FoldPlan(
        rule=STRATIFIED,
        folds=tuple(
            Fold(
                index=index,
                train_subjects=tuple(one for one in subjects if one not in set(part)),
                test_subjects=part,
            )
            for index, part in enumerate(parts)
        ),
    )


def another_division(first: FoldPlan, classes_of_subject: ClassCounts, *, repeat: int, seed: int) -> FoldPlan:
    """Division number `repeat` (1, 2, ...) of the subjects of `first` into as many stratified folds.

    It differs from `first` and from those of all lower numbers, and does not depend on how many are wanted.
    The draws have the seeds `seed` + 1, `seed` + 2, ...; one that makes the folds of an earlier division, in
    any order, is skipped. Raises UserError if there are too few different divisions, as with folds of one
    subject each, which have none but the first, and as `stratified_folds`.
    """
    count = len(first.folds)
    known = {_as_sets(first)}
    for draw in range(1, DRAWS_A_REPEAT * repeat + 1):
        made = stratified_folds(classes_of_subject, count, seed=seed + draw)
        if _as_sets(made) in known:
            continue
        known.add(_as_sets(made))
        if len(known) == repeat + 1:
            return made
    raise UserError(
        f"each repeat needs another division of the subjects, but {len(classes_of_subject)} subjects in "
        f"{count} folds have {_found(len(known))}; pass --repeats {len(known)}"
        f"{' or fewer' * (len(known) > 1)}, or fewer --folds."
    )


def _as_sets(plan: FoldPlan) -> frozenset[tuple[str, ...]]:
    """The tested parts in no order."""
    return frozenset(fold.test_subjects for fold in plan.folds)


def _found(count: int) -> str:
    return "one division only" if count == 1 else f"only {count} that are as balanced"
