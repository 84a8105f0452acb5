"""Findings about the images in fold lists: missing, unreadable, identical or near-duplicate."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from datasets.audit.audited_images import Images, StoreImages
from datasets.audit.near_duplicates import near_duplicates, small_picture
from datasets.fold_lists.listed_images import Finding, FoldLists, some
from platform.errors import UserError


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The result of reading the listed images, of which M were readable."""

    names: list[str]
    """M names, as in the lists."""
    hashes: list[bytes]
    """M SHA-256 hashes of decoded pixels and shape."""
    pictures: np.ndarray
    """float32 (M, S, S), from `small_picture`."""
    missing: list[str]
    unreadable: list[str]
    """The error message of each unreadable image."""
    unlisted: list[str]


def image_findings(
    lists: FoldLists, images: Images, progress: Callable[[int, int], None] | None = None
) -> list[Finding]:
    """All findings that require the images; each image is read once.

    Raises UserError if no listed image can be read.
    """
    seen = _look(lists, images, progress)
    subjects = np.array([lists.images[name].subject.casefold() for name in seen.names])
    facts = [
        *_absent(lists, images, seen),
        *_exact(lists, seen, subjects),
        *_near(lists, seen, subjects),
    ]
    return [*facts, *(_classes_against_store(lists, images) if isinstance(images, StoreImages) else ())]


def _look(lists: FoldLists, images: Images, progress: Callable[[int, int], None] | None) -> _Seen:
    names, hashes, pictures, missing, unreadable = [], [], [], [], []
    used: set[str] = set()
    for done, name in enumerate(lists.images, start=1):
        found = images.find(name)
        if found is None:
            missing.append(name)
        else:
            used.add(found)
            try:
                image = images.read(found)
            except UserError as error:
                unreadable.append(str(error))
            else:
                names.append(name)
                hashes.append(hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest())
                pictures.append(small_picture(image))
        if progress is not None:
            progress(done, len(lists.images))
    if not names:
        problem = unreadable[0] if unreadable else f"{some(missing)} are missing"
        raise UserError(
            f"none of the {len(lists.images)} listed images can be read from {images.where}: {problem}; "
            "pass the folder that holds them under these names."
        )
    return _Seen(
        names=names,
        hashes=hashes,
        pictures=np.stack(pictures),
        missing=missing,
        unreadable=unreadable,
        unlisted=sorted(images.names() - used),
    )


def _absent(lists: FoldLists, images: Images, seen: _Seen) -> Iterator[Finding]:
    if seen.missing:
        yield Finding(
            severity="warning",
            rule="image missing",
            what=f"{len(seen.missing)} of {len(lists.images)} listed images are not in {images.where}",
            example=some(seen.missing),
            remedy="restore them, or remove them from the lists: a run would stop or use fewer images.",
        )
    if seen.unreadable:
        yield Finding(
            severity="warning",
            rule="image unreadable",
            what=f"{len(seen.unreadable)} of {len(lists.images)} listed images cannot be used",
            example=seen.unreadable[0],
            remedy="follow the message of each; none of them was compared.",
        )
    if seen.unlisted:
        yield Finding(
            severity="note",
            rule="image not listed",
            what=f"{len(seen.unlisted)} images in {images.where} are in no list",
            example=some(seen.unlisted),
            remedy="none needed if they are left out on purpose.",
        )


def _sides(lists: FoldLists) -> tuple[dict[str, int], dict[str, int]]:
    """For each image, the folds that train on it and the folds that test it, as bit sets."""
    trained: defaultdict[str, int] = defaultdict(int)
    tested: defaultdict[str, int] = defaultdict(int)
    for position, fold in enumerate(lists.folds):
        for name in set(fold.train):
            trained[name] |= 1 << position
        for name in set(fold.test):
            tested[name] |= 1 << position
    return dict(trained), dict(tested)


def _exact(lists: FoldLists, seen: _Seen, subjects: np.ndarray) -> Iterator[Finding]:
    trained, tested = _sides(lists)
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for position, digest in enumerate(seen.hashes):
        groups[digest].append(position)
    leaks, mixed, same = [], [], []
    for group in (positions for positions in groups.values() if len(positions) > 1):
        names = [seen.names[position] for position in group]
        trained_in = reduce(or_, (trained.get(name, 0) for name in names))
        if trained_in & reduce(or_, (tested.get(name, 0) for name in names)):
            leaks.append(names)
        elif len(set(subjects[group].tolist())) > 1:
            mixed.append(names)
        else:
            same.append(names)
    if leaks:
        yield Finding(
            severity="leak",
            rule="equal images on both sides",
            what=f"{len(leaks)} images are in training and test of one fold under different names",
            example=f"the pixels of {some(leaks[0])} are equal",
            remedy="keep one name per image; if two subjects share it, find out which one it shows.",
        )
    if mixed:
        yield Finding(
            severity="warning",
            rule="equal images of two subjects",
            what=f"{len(mixed)} images are listed under more than one subject, always on the same side",
            example=f"the pixels of {some(mixed[0])} are equal",
            remedy="find out which subject they show: until then, new folds may leak.",
        )
    if same:
        yield Finding(
            severity="note",
            rule="equal images of one subject",
            what=f"{len(same)} images of one subject are listed under more than one name",
            example=f"the pixels of {some(same[0])} are equal",
            remedy="none needed for a recording without motion; otherwise keep one name of each.",
        )


def _near(lists: FoldLists, seen: _Seen, subjects: np.ndarray) -> Iterator[Finding]:
    pairs = [
        pair
        for pair in near_duplicates(seen.pictures, subjects)
        if seen.hashes[pair.first] != seen.hashes[pair.second]
    ]
    if not pairs:
        return
    trained, tested = _sides(lists)
    named = [(seen.names[pair.first], seen.names[pair.second]) for pair in pairs]
    crossing = sum(
        bool(trained.get(a, 0) & tested.get(b, 0) | trained.get(b, 0) & tested.get(a, 0)) for a, b in named
    )
    best = max(range(len(pairs)), key=lambda position: pairs[position].correlation)
    how = f" ({pairs[best].how})" if pairs[best].how else ""
    yield Finding(
        severity="warning",
        rule="near duplicates across subjects",
        what=(
            f"{len(pairs)} pairs of images of different subjects look the same, {crossing} of them with one "
            "in training and the other in test of one fold"
        ),
        example=(f"{named[best][0]} and {named[best][1]}{how}, correlation {pairs[best].correlation:.3f}"),
        remedy="inspect them: if they show one person under two ids, merge the ids and make new folds.",
    )


def _classes_against_store(lists: FoldLists, images: StoreImages) -> Iterator[Finding]:
    differing = [
        (image, there)
        for image in lists.images.values()
        if image.expression is not None
        and (there := images.expression(image.name)) is not None
        and there != image.expression
    ]
    if differing:
        image, there = differing[0]
        yield Finding(
            severity="warning",
            rule="label order against names",
            what=f"{len(differing)} images have another class in the lists than in {images.where}",
            example=f"{image.name} is {image.expression} in the lists and {there} in the store",
            remedy="find out which is right: one of the two uses the label order of another data set.",
        )
