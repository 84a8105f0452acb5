"""Selection rules: the studies of a search, and the fold runs that score their trials."""

from __future__ import annotations

import random
from dataclasses import dataclass

INNER_PARTS = 5
"""Validation splits of an outer fold: disjoint groups of its training subjects."""

WHOSE_TURN = "the parts take turns"
"""How the rule `inner` picks the validation split of each fold; stored with a study. Folds share most of
their training subjects, and so nearly the same splits: with split 0 in every fold, 8 of the 20 subjects of
`synthetic` validated; with splits in turn, all 20 do."""

SEARCHED_RULES = ("inner", "nested", "test")
"""Selection rules that need a search; the rule `paper` takes settings as they are."""

Step = tuple[int, int | None]
"""Outer fold, and the validation split that is scored; None scores the fold's test subjects."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One study: the fold runs of each of its trials, in the order in which they run."""

    suffix: str
    """Added to the experiment's name to name the study; empty for a single study."""
    steps: tuple[Step, ...]
    outer_folds: tuple[int, ...]
    """Folds whose final run uses the configuration that this study chose."""


def scopes(rule: str, fold_count: int, seed: int) -> tuple[Scope, ...]:
    """The studies of a selection rule over `fold_count` outer folds.

    `inner`: one, over validation split f mod 5 of fold f (WHOSE_TURN). `nested`: one for each fold, over all
    its validation splits, so that a fold's test subjects never influence its choice. `test`: one, over the
    test subjects themselves. Folds run in a seeded order, so that a round is no block of neighbouring folds.
    """
    folds = list(range(fold_count))
    if rule == "nested":
        return tuple(
            Scope(
                suffix=f"-fold-{fold}",
                steps=tuple((fold, part) for part in range(INNER_PARTS)),
                outer_folds=(fold,),
            )
            for fold in folds
        )
    order = list(folds)
    random.Random(f"{seed}/fold order").shuffle(order)
    steps = tuple((fold, None if rule == "test" else fold % INNER_PARTS) for fold in order)
    return (Scope(suffix="", steps=steps, outer_folds=tuple(folds)),)


def steps_a_trial(rule: str, fold_count: int) -> int:
    """Fold runs of a trial that is not pruned."""
    return INNER_PARTS if rule == "nested" else fold_count


def default_rounds(steps: int) -> tuple[int, ...]:
    """Number of steps in each of up to three rounds, larger rounds first: 4, 3, 3 for ten steps."""
    sizes = [len(range(start, steps, 3)) for start in range(3)]
    return tuple(size for size in sizes if size)
