"""Folds: divisions of subjects into training and test, the rules that make them, and their hashes.

All images of a subject are on one side of a fold.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from itertools import pairwise

from datasets.folds.inner_split import ClassCounts, inner_parts, stratified_parts
from platform.errors import UserError
from platform.files.json_files import parse_json

__all__ = [
    "LEFT_OUT_SETS",
    "ClassCounts",
    "Fold",
    "FoldPlan",
    "check_training_classes",
    "count_classes",
    "holdout_fold",
    "inner_parts",
    "leave_one_group_out",
    "missing_classes",
    "paper_folds",
    "step_folds",
    "subjects_hash",
]


LEFT_OUT_SETS = "leave-one-set-out"
"""Fold rule: fold k tests the whole k-th of several data sets (`datasets.prepared.merged`)."""


def _sha256(value: object) -> str:
    """SHA-256 (64 hex digits) of the canonical JSON of `value`: sorted keys, no spaces, ASCII."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def subjects_hash(subjects: Iterable[str]) -> str:
    """SHA-256 (64 hex digits) of a set of subject ids; order and repetition have no effect."""
    return _sha256(sorted({str(subject) for subject in subjects}))


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One division of the subjects. Raises UserError unless both sides are sorted, unique, not empty and
    disjoint."""

    index: int
    """0-based, as in the released lists of FMPN."""
    train_subjects: tuple[str, ...]
    """Sorted ids, disjoint from `test_subjects`."""
    test_subjects: tuple[str, ...]
    """Sorted ids; scored once, never used for training or selection."""

    def __post_init__(self) -> None:
        for side, subjects in (("training", self.train_subjects), ("test", self.test_subjects)):
            if not subjects:
                raise UserError(
                    f"each side of a fold needs a subject, but fold {self.index} has no {side} subject; "
                    "add one."
                )
            if list(subjects) != sorted(set(subjects)):
                raise UserError(
                    f"the {side} subjects of fold {self.index} must be sorted and unique, "
                    f"but are {', '.join(subjects)}; sort them and remove duplicates."
                )
        overlap = sorted(set(self.train_subjects) & set(self.test_subjects))
        if overlap:
            raise UserError(
                f"no subject may be on both sides of a fold, but fold {self.index} trains and tests on "
                f"{', '.join(overlap)}; remove them from one side."
            )


@dataclass(frozen=True, kw_only=True)
class FoldPlan:
    """All folds of an evaluation and the rule that made them."""

    rule: str
    """Name of the rule, shown with every result: `paper`, `step`, `holdout`, `leave-one-set-out`, or `list:`
    and the start of a hash for folds that no rule made."""
    folds: tuple[Fold, ...]
    """Fold k has index k."""

    def __post_init__(self) -> None:
        indices = [fold.index for fold in self.folds]
        if not indices or indices != list(range(len(indices))):
            raise UserError(
                f"the folds of a plan must be numbered 0, 1, 2, ..., but got {indices}; renumber."
            )

    @property
    def hash(self) -> str:
        """SHA-256 (64 hex digits) of the canonical JSON of rule and folds."""
        return _sha256(asdict(self))

    def to_json(self) -> str:
        """The plan as the text of a file, with its hash; `from_json` reads it back."""
        return json.dumps({"format": "fold-plan", **asdict(self), "hash": self.hash}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> FoldPlan:
        """The plan in a text from `to_json`. Raises UserError if the text is invalid or does not match its
        hash."""
        try:
            content = parse_json(text, "it")
            if content["format"] != "fold-plan":
                raise ValueError(content["format"])
            folds = tuple(
                Fold(
                    index=fold["index"],
                    train_subjects=tuple(fold["train_subjects"]),
                    test_subjects=tuple(fold["test_subjects"]),
                )
                for fold in content["folds"]
            )
            plan, stated = cls(rule=content["rule"], folds=folds), content["hash"]
        except (UserError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"a fold plan must be JSON as FoldPlan.to_json writes it, but reading gave {error!r}; "
                "make it again."
            ) from error
        if plan.hash != stated:
            raise UserError(
                f"a fold plan must match its hash, but the file states {stated} and holds {plan.hash}; "
                "make it again."
            )
        return plan


def paper_folds(subjects: Iterable[str], fold_count: int = 10) -> FoldPlan:
    """The folds of FMPN's release (docs/methods.md, §1).

    Fold f tests chunk `fold_count - 1 - f` of the sorted subjects, so fold 0 tests the LAST ones. Chunk k is
    `subjects[cut[k]:cut[k + 1]]` with `cut[k] = round(k * n / fold_count)`, rounded half to even. Floor, ceil
    and `array_split` do not reproduce the released lists. `subjects` may contain repetitions (a column of the
    store). Raises UserError for fewer than two subjects or folds, and for fewer subjects than folds.
    """
    ordered = _enough(subjects, fold_count)
    # Fraction rounds halves to even and, unlike floats, is exact.
    cuts = [round(Fraction(k * len(ordered), fold_count)) for k in range(fold_count + 1)]
    chunks = [ordered[first:last] for first, last in pairwise(cuts)]
    return _plan_testing("paper", ordered, chunks[::-1])


def step_folds(subjects: Iterable[str], fold_count: int = 10) -> FoldPlan:
    """The field's second protocol for CK+, "ID ascending, step 10" (docs/methods.md, §1).

    Fold k tests the sorted subjects k, k + `fold_count`, k + 2 `fold_count`, ... Raises UserError as
    `paper_folds`.
    """
    ordered = _enough(subjects, fold_count)
    return _plan_testing("step", ordered, [ordered[k::fold_count] for k in range(fold_count)])


def _enough(subjects: Iterable[str], fold_count: int) -> list[str]:
    """The subjects, sorted, each once. UserError: too few of them, or fewer than two folds."""
    ordered = sorted({str(subject) for subject in subjects})
    if fold_count < 2:
        raise UserError(f"folds >= 2 must hold, but got folds={fold_count}; pass --folds 2 or more.")
    if len(ordered) < 2:
        raise UserError(
            f"subject-independent folds need at least 2 subjects, but got {len(ordered)}; "
            "use a data set with more subjects."
        )
    if len(ordered) < fold_count:
        raise UserError(
            f"each fold needs a test subject, but got {len(ordered)} subjects for {fold_count} folds; "
            f"pass --folds {len(ordered)} or fewer."
        )
    return ordered


def _plan_testing(rule: str, subjects: Sequence[str], tested: Sequence[Sequence[str]]) -> FoldPlan:
    """Folds that test these parts of the subjects, and train on all others."""
    folds = tuple(
        Fold(
            index=index,
            train_subjects=tuple(one for one in subjects if one not in set(part)),
            test_subjects=tuple(part),
        )
        for index, part in enumerate(tested)
    )
    return FoldPlan(rule=rule, folds=folds)


def holdout_fold(classes_of_subject: ClassCounts, *, seed: int, test_share: float = 0.1) -> FoldPlan:
    """One seeded fold whose test subjects have about `test_share` of the images of each class.

    For in-the-wild data sets (docs/methods.md, §1, AffectNet: random 9:1). Every class stays in training.
    Raises UserError for fewer than two subjects, a share outside (0, 1), and a class with a single subject
    that would be tested.
    """
    if not 0 < test_share < 1:
        raise UserError(f"0 < test share < 1 must hold, but got {test_share}; the usual value is 0.1.")
    if len(classes_of_subject) < 2:
        raise UserError(
            f"subject-independent folds need at least 2 subjects, but got {len(classes_of_subject)}; "
            "use a data set with more subjects."
        )
    shares = (test_share, 1 - test_share)
    test, train = stratified_parts(classes_of_subject, shares=shares, held_out=(0,), seed=seed)
    plan = FoldPlan(rule="holdout", folds=(Fold(index=0, train_subjects=train, test_subjects=test),))
    check_training_classes(plan, classes_of_subject)
    return plan


def leave_one_group_out(group_of_subject: Mapping[str, str], rule: str) -> FoldPlan:
    """Folds by group: fold k tests all subjects of the k-th group in order of name, and trains on all others.

    Raises UserError for fewer than two groups.
    """
    groups = sorted(set(group_of_subject.values()))
    if len(groups) < 2:
        raise UserError(
            f"leaving one group of subjects out needs two or more, but got {', '.join(groups) or 'none'}; "
            "add another."
        )
    subjects = sorted(group_of_subject)
    return FoldPlan(
        rule=rule,
        folds=tuple(
            Fold(
                index=index,
                train_subjects=tuple(one for one in subjects if group_of_subject[one] != group),
                test_subjects=tuple(one for one in subjects if group_of_subject[one] == group),
            )
            for index, group in enumerate(groups)
        ),
    )


def count_classes(subjects: Iterable[str], expressions: Iterable[str]) -> dict[str, Counter[str]]:
    """For each subject, its number of images of each class, from two columns of equal length with one row per
    expressive image."""
    counts: dict[str, Counter[str]] = {}
    for subject, expression in zip(subjects, expressions, strict=True):
        counts.setdefault(str(subject), Counter())[str(expression)] += 1
    return counts


def missing_classes(train_subjects: Iterable[str], classes_of_subject: ClassCounts) -> tuple[str, ...]:
    """The sorted classes of which some subject, but no training subject, has an image."""
    training = {str(subject) for subject in train_subjects}
    present = _classes({subject: classes_of_subject[subject] for subject in training})
    return tuple(sorted(_classes(classes_of_subject) - present))


def check_training_classes(plan: FoldPlan, classes_of_subject: ClassCounts) -> None:
    """Raises UserError, with fold and class, if the training subjects of a fold lack a class.

    Such a class has no motion mask and cannot be learned, so its test images would never be predicted
    correctly.
    """
    for fold in plan.folds:
        missing = missing_classes(fold.train_subjects, classes_of_subject)
        if missing:
            raise UserError(
                f"each class needs a training subject in each fold, but fold {fold.index} of rule "
                f"{plan.rule!r} trains without {', '.join(missing)}; "
                "use another number of folds or another rule."
            )


def _classes(classes_of_subject: ClassCounts) -> set[str]:
    """The classes with at least one image."""
    return {name for counts in classes_of_subject.values() for name, count in counts.items() if count > 0}
