"""Whom an artifact may have seen: nobody that a fold run evaluates."""

from __future__ import annotations

import itertools

from datasets.catalogue import describe, share_people
from datasets.prepared.merged_names import sets_of
from platform.errors import LeakageError, UserError
from platform.runs.tasks import FoldTask, below


def check_reach(task: FoldTask) -> None:
    """Refuse an artifact that has seen a subject which the fold run evaluates, or rests on one that has.

    LeakageError: names its subjects. UserError: it is of a set that may show the same people, whose subjects
    cannot be told apart by name.
    """
    evaluated = set(task.evaluation_subjects)
    for needed in below(task).values():
        what = f"{needed.artifact.title} {needed.identity[:6]}"
        if needed.data.dataset == task.data.dataset:
            both = sorted(evaluated & set(needed.train_subjects))
            if both:
                raise LeakageError(
                    f"{what} has seen subjects {', '.join(both)}, which fold {task.fold_index} evaluates"
                )
            continue
        for one, other in itertools.product(sets_of(needed.data.dataset), sets_of(task.data.dataset)):
            if one == other or share_people(one, other):
                raise UserError(
                    f"an artifact must not have seen a person who is evaluated, but {what} is made from "
                    f"{describe(one).title}, whose people may be in {describe(other).title}; choose another "
                    "--source or --target."
                )
