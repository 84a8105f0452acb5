"""Selection rules: which studies a search has, and which fold runs score a trial of each."""

from __future__ import annotations

import random
from dataclasses import dataclass

INNER_PARTS = 5
"""Parts that the training subjects of an outer fold are divided into."""

WHOSE_TURN = "the parts take turns"
"""Which part the rule `inner` validates on. Folds share most of their training subjects, and so nearly the
same parts: with part 0 in all of them, 8 of the 20 people of `synthetic` validated; in turns all 20 do."""

SEARCHED_RULES = ("inner", "nested", "test")
"""Selection rules that need a search; the rule `paper` takes settings as they are."""

Step = tuple[int, int | None]
"""Outer fold, and the inner part that is scored; None scores the fold's test subjects."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """One study: the fold runs of each of its trials, in the order in which they run."""

    suffix: str
    """Added to the experiment's name to name the study; empty for an only study."""
    steps: tuple[Step, ...]
    outer_folds: tuple[int, ...]
    """Folds whose final run takes this study's choice."""


def scopes(rule: str, fold_count: int, seed: int) -> tuple[Scope, ...]:
    """The studies of a selection rule over `fold_count` outer folds.

    `inner`: one, over part f mod 5 of fold f (WHOSE_TURN). `nested`: one for each fold, over all its parts,
    so that nothing of a fold's test subjects reaches its choice. `test`: one, over the tests themselves.
    Folds come in a seeded order, so that a round of them is no block of neighbours.
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
    """Fold runs of a trial that nothing stops."""
    return INNER_PARTS if rule == "nested" else fold_count


def default_rounds(steps: int) -> tuple[int, ...]:
    """Steps in up to three rounds, the larger ones first: 4, 3, 3 of ten."""
    sizes = [len(range(start, steps, 3)) for start in range(3)]
    return tuple(size for size in sizes if size)
