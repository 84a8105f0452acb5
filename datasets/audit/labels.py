"""Findings about the labels of fold lists: numbers that contradict names, sequences with several classes.

Label orders differ between data sets and releases, and a wrong order ruins a result without an error.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

from datasets.fold_lists.listed_images import Finding, FoldLists, parse_image_name, some

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value", bound=Hashable)


def label_findings(lists: FoldLists) -> Iterator[Finding]:
    """All findings about labels, and about subjects that contradict image names."""
    yield from _subjects_against_names(lists)
    yield from _without_class(lists)
    yield from _sequences_with_two_classes(lists)
    yield from _numbers_against_codes(lists)
    yield from _numbers_against_names(lists)


def _conflicts(pairs: Iterable[tuple[Key, Value]]) -> dict[Key, list[Value]]:
    """The keys that occur with more than one value, and these values, both in order of appearance."""
    values: defaultdict[Key, dict[Value, None]] = defaultdict(dict)
    for key, value in pairs:
        values[key][value] = None
    return {key: list(found) for key, found in values.items() if len(found) > 1}


def _subjects_against_names(lists: FoldLists) -> Iterator[Finding]:
    pairs = (
        (parsed[0].casefold(), image.subject)
        for image in lists.images.values()
        if (parsed := parse_image_name(image.name)) is not None
    )
    conflicts = {
        named: given for named, given in _conflicts(pairs).items() if len({s.casefold() for s in given}) > 1
    }
    if conflicts:
        named, given = next(iter(conflicts.items()))
        yield Finding(
            severity="warning",
            rule="subjects against names",
            what=f"{len(conflicts)} subjects, according to image names, are listed as several subjects",
            example=f"images named {named.upper()}_... are listed as {some(given)}",
            remedy="correct the column subject: otherwise one person can be on both sides of a fold.",
        )


def _without_class(lists: FoldLists) -> Iterator[Finding]:
    without = [
        image.name for image in lists.images.values() if image.expression is None and image.label is None
    ]
    if not without:
        return
    nothing_known = len(without) == len(lists.images)
    yield Finding(
        severity="note" if nothing_known else "warning",
        rule="class unknown",
        what=f"{len(without)} of {len(lists.images)} images have no class in the lists",
        example=some(without),
        remedy="to check classes, add a column expression, or pass --data a prepared store."
        if nothing_known
        else "label or remove them.",
    )


def _sequences_with_two_classes(lists: FoldLists) -> Iterator[Finding]:
    pairs = []
    for image in lists.images.values():
        shown = image.expression or ("" if image.label is None else f"label {image.label}")
        # The first frame of an expressive sequence is neutral, which is not a contradiction.
        if image.sequence is not None and shown not in ("", "neutral"):
            pairs.append((image.sequence, shown))
    conflicts = _conflicts(pairs)
    if conflicts:
        sequence, shown_classes = next(iter(conflicts.items()))
        yield Finding(
            severity="warning",
            rule="two classes in a sequence",
            what=f"{len(conflicts)} sequences have more than one class",
            example=f"{sequence}: {some(shown_classes)}",
            remedy="correct the labels: a sequence shows one expression.",
        )


def _numbers_against_codes(lists: FoldLists) -> Iterator[Finding]:
    if lists.codes is None:
        return
    outside = [
        image for image in lists.images.values() if image.label is not None and image.label not in lists.codes
    ]
    if outside:
        known = ", ".join(f"{code} {name}" for code, name in lists.codes.items())
        found = sorted({image.label for image in outside if image.label is not None})
        yield Finding(
            severity="warning",
            rule="label order against names",
            what=f"{len(outside)} images have a label that {lists.codes_title} does not define",
            example=f"{outside[0].name} has {outside[0].label}; found {found}, known {known}",
            remedy="use the labels that came with the lists; these follow another data set or order.",
        )


def _numbers_against_names(lists: FoldLists) -> Iterator[Finding]:
    if lists.codes is not None:
        return
    pairs = [
        (image.label, image.expression)
        for image in lists.images.values()
        if image.label is not None and image.expression is not None
    ]
    names_of, numbers_of = _conflicts(pairs), _conflicts((name, label) for label, name in pairs)
    if names_of or numbers_of:
        parts = [f"label {label} is {some(names)}" for label, names in names_of.items()]
        parts += [f"{name} is {some(map(str, labels))}" for name, labels in numbers_of.items()]
        yield Finding(
            severity="warning",
            rule="label order against names",
            what="class numbers and class names contradict each other",
            example="; ".join(parts),
            remedy="give each class one number, or remove the column label: names suffice.",
        )
    elif pairs:
        order = ", ".join(f"{label} {name}" for label, name in sorted(set(pairs)))
        yield Finding(
            severity="note",
            rule="label order",
            what=f"class numbers follow this order: {order}",
            example=f"{len(pairs)} images have number and name",
            remedy="none needed; compare it with the order that other programs assume.",
        )
