"""Findings about fold lists from names alone: leaks, gaps, duplicates, classes and labels.

A finding is a leak if a score would be measured on data that the model may have trained on, a warning if a
score would be wrong for another reason, and a note otherwise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from datasets.audit.labels import label_findings
from datasets.fold_lists.listed_images import Finding, FoldLists, ListedFold, some

__all__ = ["Audit", "Finding", "FoldSizes", "judge", "list_findings"]


@dataclass(frozen=True, kw_only=True)
class FoldSizes:
    """Size of one fold: images (each counted once), subjects, and known classes."""

    fold: int
    train_images: int
    train_subjects: int
    train_classes: int
    test_images: int
    test_subjects: int
    test_classes: int


@dataclass(frozen=True, kw_only=True)
class Audit:
    """All findings and the verdict."""

    sizes: tuple[FoldSizes, ...]
    findings: tuple[Finding, ...]
    """Leaks first, then warnings, then notes."""
    verdict: str
    """One line that begins with `leaks:` or `disjoint`."""

    @property
    def leaks(self) -> bool:
        """Whether any finding is a leak."""
        return any(finding.severity == "leak" for finding in self.findings)

    def as_record(self) -> dict[str, object]:
        """The audit for a JSON file."""
        return {"format": "fold-audit", "version": 1, "leaks": self.leaks, **asdict(self)}


def judge(lists: FoldLists, image_findings: Iterable[Finding] = ()) -> Audit:
    """The audit of `lists`, including `image_findings` about the images themselves (audit/images.py)."""
    order = {"leak": 0, "warning": 1, "note": 2}
    findings = sorted([*list_findings(lists), *image_findings], key=lambda finding: order[finding.severity])
    return Audit(
        sizes=tuple(_sizes(lists, fold) for fold in lists.folds),
        findings=tuple(findings),
        verdict=_verdict(lists, findings),
    )


def list_findings(lists: FoldLists) -> list[Finding]:
    """All findings that do not require the images."""
    checks: tuple[Callable[[FoldLists], Iterator[Finding]], ...] = (
        _subjects_on_both_sides,
        _images_on_both_sides,
        _sequences_on_both_sides,
        _subjects_spelled_two_ways,
        _listed_twice,
        _coverage,
        _classes_absent,
        label_findings,
    )
    return [finding for check in checks for finding in check(lists)]


def leaked_images(lists: FoldLists, fold: ListedFold) -> list[str]:
    """The test images of `fold`, each once, whose subject also has a training image in that fold."""
    trained = {_subject(lists, name) for name in fold.train}
    return [name for name in dict.fromkeys(fold.test) if _subject(lists, name) in trained]


def _subject(lists: FoldLists, name: str) -> str:
    # Two spellings of one subject must not hide a leak: S005 and s005 are the same person.
    return lists.images[name].subject.casefold()


def _classes(lists: FoldLists, names: Iterable[str]) -> set[str]:
    return {shown for name in names if (shown := lists.images[name].expression) is not None}


def _times_tested(lists: FoldLists) -> Counter[str]:
    return Counter(name for fold in lists.folds for name in set(fold.test))


def _sizes(lists: FoldLists, fold: ListedFold) -> FoldSizes:
    train, test = set(fold.train), set(fold.test)
    return FoldSizes(
        fold=fold.index,
        train_images=len(train),
        train_subjects=len({_subject(lists, name) for name in train}),
        train_classes=len(_classes(lists, train)),
        test_images=len(test),
        test_subjects=len({_subject(lists, name) for name in test}),
        test_classes=len(_classes(lists, test)),
    )


def _verdict(lists: FoldLists, findings: Sequence[Finding]) -> str:
    leaks = [finding for finding in findings if finding.severity == "leak"]
    if leaks:
        # Subject overlap, if any, comes first in list_findings.
        return f"leaks: {leaks[0].what}"
    tested = _times_tested(lists)
    subjects = len({_subject(lists, name) for name in lists.images})
    disjoint = f"none of the {subjects} subjects is in training and test of one fold"
    if len(lists.folds) == 1:
        return f"disjoint: {disjoint}; the one split tests {len(tested)} of {len(lists.images)} images"
    never, repeated = len(lists.images) - len(tested), sum(count > 1 for count in tested.values())
    if never or repeated:
        return (
            f"disjoint, but not covering: {disjoint}; of {len(lists.images)} images {never} are never tested "
            f"and {repeated} more than once"
        )
    return (
        f"disjoint and covering: each of the {len(tested)} images is tested once in {len(lists.folds)} "
        f"folds, and {disjoint}"
    )


# --- leaks --------------------------------------------------------------------------------------------


def _subjects_on_both_sides(lists: FoldLists) -> Iterator[Finding]:
    leaked = {fold.index: leaked_images(lists, fold) for fold in lists.folds}
    count = sum(map(len, leaked.values()))
    if not count:
        return
    tested = sum(len(set(fold.test)) for fold in lists.folds)
    folds = [index for index, names in leaked.items() if names]
    subjects = sorted({lists.images[name].subject for names in leaked.values() for name in names})
    name = leaked[folds[0]][0]
    subject = _subject(lists, name)
    fold = next(fold for fold in lists.folds if fold.index == folds[0])
    partner = next(other for other in fold.train if _subject(lists, other) == subject)
    yield Finding(
        severity="leak",
        rule="subject overlap",
        what=f"{count} of {tested} test images have their subject in training",
        example=(
            f"fold {folds[0]} tests {name} and trains on {partner}; {len(folds)} of {len(lists.folds)} folds "
            f"and {len(subjects)} subjects are affected: {some(subjects)}"
        ),
        remedy="put all images of a subject on one side of each fold; scores on these folds are invalid.",
    )


def _images_on_both_sides(lists: FoldLists) -> Iterator[Finding]:
    both = [(fold.index, name) for fold in lists.folds for name in sorted(set(fold.train) & set(fold.test))]
    if both:
        yield Finding(
            severity="leak",
            rule="image overlap",
            what=f"{len(both)} test images are also training images of the same fold",
            example=f"fold {both[0][0]} trains and tests on {some(name for _, name in both)}",
            remedy="remove them from one of the two lists.",
        )


def _sequences_on_both_sides(lists: FoldLists) -> Iterator[Finding]:
    torn: list[tuple[int, str]] = []
    for fold in lists.folds:
        train, test = (
            {sequence for name in side if (sequence := lists.images[name].sequence) is not None}
            for side in (fold.train, fold.test)
        )
        torn += [(fold.index, sequence) for sequence in sorted(train & test)]
    if torn:
        yield Finding(
            severity="leak",
            rule="sequence overlap",
            what=f"{len(torn)} times, a sequence is divided between training and test of a fold",
            example=f"fold {torn[0][0]} divides {some(sequence for _, sequence in torn)}",
            remedy="keep the frames of a sequence together: they are almost identical.",
        )


# --- duplicates and gaps ------------------------------------------------------------------------------


def _subjects_spelled_two_ways(lists: FoldLists) -> Iterator[Finding]:
    spellings: defaultdict[str, set[str]] = defaultdict(set)
    for image in lists.images.values():
        spellings[image.subject.casefold()].add(image.subject)
    doubles = [" and ".join(sorted(names)) for _, names in sorted(spellings.items()) if len(names) > 1]
    if doubles:
        yield Finding(
            severity="warning",
            rule="subject spelling",
            what=f"{len(doubles)} subjects are spelled in more than one way (counted as one here)",
            example=some(doubles),
            remedy="use one spelling per subject: other programs treat them as different people.",
        )


def _listed_twice(lists: FoldLists) -> Iterator[Finding]:
    twice: list[tuple[int, str, str]] = []
    for fold in lists.folds:
        for side, names in (("training", fold.train), ("test", fold.test)):
            twice += [(fold.index, side, name) for name, count in Counter(names).items() if count > 1]
    if twice:
        index, side, name = twice[0]
        yield Finding(
            severity="warning",
            rule="listed twice",
            what=f"{len(twice)} times, an image appears more than once in a list",
            example=f"{name} in the {side} list of fold {index}",
            remedy="list each image once: duplicates have a higher weight in training and scores.",
        )


def _coverage(lists: FoldLists) -> Iterator[Finding]:
    tested = _times_tested(lists)
    never = [name for name in lists.images if name not in tested]
    single = len(lists.folds) == 1
    if never:
        yield Finding(
            severity="note" if single else "warning",
            rule="never tested",
            what=f"{len(never)} of {len(lists.images)} images are never tested",
            example=some(never),
            remedy="none needed for a single split." if single else "add each to one fold's test list.",
        )
    repeated = [name for name, count in tested.items() if count > 1]
    if repeated:
        yield Finding(
            severity="warning",
            rule="tested repeatedly",
            what=f"{len(repeated)} images are tested by more than one fold",
            example=f"{some(sorted(repeated))}",
            remedy="test each image in one fold, or report the evaluation as a repeated one.",
        )
    unused = [
        (fold.index, name)
        for fold in lists.folds
        for name in tested.keys() - set(fold.train) - set(fold.test)
    ]
    if unused:
        index, name = min(unused)
        folds = len({index for index, _ in unused})
        yield Finding(
            severity="note",
            rule="left out",
            what=f"{folds} folds leave out images that other folds test, {len(unused)} in all",
            example=f"fold {index} neither trains nor tests on {name}",
            remedy="none needed if intended; otherwise add them to the training lists.",
        )


# --- classes ------------------------------------------------------------------------------------------


def _classes_absent(lists: FoldLists) -> Iterator[Finding]:
    wanted = _classes(lists, lists.images)
    kinds: tuple[tuple[Literal["warning", "note"], str, str], ...] = (
        ("warning", "training", "use fewer folds or another division: such a class has no motion mask "
         "and can never be predicted correctly."),
        ("note", "test", "none needed, but a mean of recall or F1 over folds must not count these as 0."),
    )  # fmt: skip
    for severity, side, remedy in kinds:
        absent = {}
        for fold in lists.folds:
            missing = wanted - _classes(lists, fold.train if side == "training" else fold.test)
            if missing:
                absent[fold.index] = ", ".join(sorted(missing))
        if absent:
            yield Finding(
                severity=severity,
                rule=f"class absent from {side}",
                what=f"{len(absent)} of {len(lists.folds)} folds have a class with no {side} image",
                example="; ".join(f"fold {index}: {names}" for index, names in absent.items()),
                remedy=remedy,
            )
