"""Validation splits: seeded partitions of subjects, stratified by class.

After the iterative stratification of Sechidis et al. (ECML 2011): subjects of the rarest class are placed
first. Departures: whole subjects are placed, not single images; a subject goes to the part where the squared
deviation over all classes grows least, not to the part that most needs one class; and a repair step follows,
so that no class disappears from training. Arithmetic is exact or correctly rounded, and the randomness is
that of SeedSequence, whose stream numpy guarantees, so splits are equal on every machine.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np

from platform.errors import UserError

ClassCounts = Mapping[str, Mapping[str, int]]
"""For each subject, its number of expressive images of each class."""


def inner_parts(
    train_subjects: Iterable[str], classes_of_subject: ClassCounts, *, seed: int, part_count: int = 5
) -> tuple[tuple[str, ...], ...]:
    """The validation splits of an outer fold: a partition of its training subjects.

    Split p validates on `parts[p]` and trains on the other parts. Every class with two or more training
    subjects stays in the training of every split (all 18 contempt subjects of CK+ are in two of the paper's
    folds: with consecutive chunks a class would have no mask). The order of the input has no effect.

    Returns `part_count` sorted tuples, none empty: disjoint, and together all training subjects. Raises
    UserError for fewer subjects than splits, a subject without images, or a class that cannot be kept (which
    takes at least `2 * part_count - 1` classes, see `_keep_classes_in_training`).
    """
    subjects = sorted({str(subject) for subject in train_subjects})
    if part_count < 2:
        raise UserError(f"validation splits >= 2 must hold, but got {part_count}; pass 2 or more.")
    if len(subjects) < part_count:
        raise UserError(
            f"each validation split needs a training subject, but got {len(subjects)} subjects for "
            f"{part_count} splits; use a data set with more subjects, or fewer validation splits."
        )
    counts = {subject: _counts_of(subject, classes_of_subject) for subject in subjects}
    return stratified_parts(counts, shares=(1.0,) * part_count, held_out=range(part_count), seed=seed)


def stratified_parts(
    classes_of_subject: ClassCounts, *, shares: Sequence[float], held_out: Collection[int], seed: int
) -> tuple[tuple[str, ...], ...]:
    """Subjects divided into `len(shares)` parts, with the images of each class in proportion to `shares`.

    `held_out`: parts that are held out from training at some time; no class with two or more subjects lies
    entirely in one of them. Returns sorted tuples, each with at least one subject. Raises UserError for a
    negative seed, a subject without images, or a class that cannot be kept in training.
    """
    if seed < 0:
        raise UserError(f"seed >= 0 must hold, but got {seed}; pass a non-negative integer.")
    counts = {subject: _counts_of(subject, classes_of_subject) for subject in sorted(classes_of_subject)}
    totals: Counter[str] = Counter()
    for subject_counts in counts.values():
        totals.update(subject_counts)
    part_of = _place(_placing_order(counts, seed), counts, totals, shares)
    _keep_classes_in_training(part_of, counts, totals, shares, held_out)
    return tuple(
        tuple(subject for subject in counts if part_of[subject] == part) for part in range(len(shares))
    )


def _counts_of(subject: str, classes_of_subject: ClassCounts) -> dict[str, int]:
    """The subject's classes with their image counts. Raises UserError if there are none."""
    counts = {name: count for name, count in classes_of_subject.get(subject, {}).items() if count > 0}
    if not counts:
        raise UserError(
            f"each subject of a fold needs an expressive image, but subject {subject!r} has none; "
            "remove the subject."
        )
    return counts


def _placing_order(counts: ClassCounts, seed: int) -> list[str]:
    """Subjects in order of their rarest class, the rarest first; the seed breaks ties."""
    subjects_with = Counter(name for subject_counts in counts.values() for name in subject_counts)
    keys = np.random.SeedSequence(seed).generate_state(len(counts), np.uint64).tolist()
    ranked = [
        (min(subjects_with[name] for name in subject_counts), key, subject)
        for (subject, subject_counts), key in zip(counts.items(), keys, strict=True)
    ]
    return [subject for _, _, subject in sorted(ranked)]


def _imbalance_growth(
    placed: Mapping[str, int], added: Mapping[str, int], totals: Mapping[str, int], share: float
) -> float:
    """The increase of `sum_c (count_c / total_c)^2 / share` of a part by the `added` images.

    The total over all parts is minimal if each part holds its share of each class.
    """
    # fsum is correctly rounded, so the order of the classes, and with it their names, has no effect.
    return (
        math.fsum(
            (2 * placed.get(name, 0) * count + count * count) / totals[name] ** 2
            for name, count in added.items()
        )
        / share
    )


def _place(
    order: Sequence[str], counts: ClassCounts, totals: Mapping[str, int], shares: Sequence[float]
) -> dict[str, int]:
    """Place each subject in turn where the imbalance grows least; the last ones fill empty parts."""
    placed: list[Counter[str]] = [Counter() for _ in shares]
    part_of: dict[str, int] = {}
    for position, subject in enumerate(order):
        empty = [part for part, images in enumerate(placed) if not images]
        choices = empty if len(order) - position <= len(empty) else range(len(shares))
        ranked = [
            (
                _imbalance_growth(placed[part], counts[subject], totals, shares[part]),
                placed[part].total() / shares[part],
                part,
            )
            for part in choices
        ]
        part_of[subject] = min(ranked)[-1]
        placed[part_of[subject]].update(counts[subject])
    return part_of


def _keep_classes_in_training(
    part_of: dict[str, int],
    counts: ClassCounts,
    totals: Mapping[str, int],
    shares: Sequence[float],
    held_out: Collection[int],
) -> None:
    """Move single subjects in `part_of` until no class of two or more subjects lies in one held-out part.

    A move never breaks a class that is already kept, so one pass suffices. A class has no move only if, for
    each of its subjects, another class blocks each other part. That takes `2 * parts - 1` classes, so five
    parts and the field's eight classes always succeed.
    """
    members: dict[str, list[str]] = {}
    for subject, subject_counts in counts.items():
        for name in subject_counts:
            members.setdefault(name, []).append(subject)

    def growth(subject: str, part: int) -> float:
        images = _images_in(part, part_of, counts)
        return _imbalance_growth(images, counts[subject], totals, shares[part])

    def lies_in(name: str, part: int, without: str | None = None) -> bool:
        others = [subject for subject in members[name] if subject != without]
        return bool(others) and part in held_out and all(part_of[subject] == part for subject in others)

    # In order of subjects, not of names, so that renaming classes does not change the parts.
    for name in sorted(members, key=lambda name: members[name]):
        home = part_of[members[name][0]]
        if len(members[name]) < 2 or not lies_in(name, home):
            continue
        moves = [
            (growth(subject, part), part, subject)
            for subject in members[name]
            for part in range(len(shares))
            if part != home and not any(lies_in(other, part, without=subject) for other in counts[subject])
        ]
        if not moves:
            raise UserError(
                f"every class with two or more subjects must stay in training, but class {name!r} cannot "
                f"with {len(shares)} parts; use more parts."
            )
        _, part, subject = min(moves)
        part_of[subject] = part


def _images_in(part: int, part_of: Mapping[str, int], counts: ClassCounts) -> Counter[str]:
    """The number of images of each class in the part."""
    images: Counter[str] = Counter()
    for subject, its_part in part_of.items():
        if its_part == part:
            images.update(counts[subject])
    return images
