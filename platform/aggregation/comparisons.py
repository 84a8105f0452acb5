"""Paired comparisons between the lines of one data set: one family of tests, and the line that is best."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.paired_images import PairedImages
from platform.aggregation.seeds import SeedGroup, same_runs
from platform.errors import unknown_name
from platform.evaluation.detectable import detectable_difference
from platform.evaluation.paired_difference import PairedDifference, SeedCounts, paired_difference
from platform.evaluation.paired_tests import holm
from platform.evaluation.probability_better import ProbabilityBetter, probability_better

SIGNIFICANT = 0.05
"""Holm-corrected p below which a difference is marked."""
OTHER_IMAGES, OTHER_SEQUENCES = "tested other images", "tested other sequences"
OTHER_DIVISION = "the subjects were divided into folds otherwise"
"""Why a line is not compared."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """A line minus another on the same images, in pooled accuracy; on the same sequences where the two score
    different units. Of the seeds that both have."""

    first: SeedGroup
    second: SeedGroup
    found: PairedDifference
    holm_p_value: float | None = None
    """Corrected over the family; None where nothing can be tested."""
    family_size: int = 0
    """Tests of the family."""
    image_count: int
    """Images, or sequences if those are compared."""
    unit: str
    """What is compared, `image` or `sequence`."""
    accuracies: tuple[float, float]
    """Of both, pooled, mean over the seeds, in [0, 1]."""
    seeds: tuple[tuple[int | None, int | None], ...]
    """Seeds of both that are paired."""
    probability: ProbabilityBetter | None
    """Of the mean difference of folds; None with fewer than two, and where only some folds ran."""

    @property
    def differs(self) -> bool:
        """Whether the corrected p is below SIGNIFICANT."""
        return self.holm_p_value is not None and self.holm_p_value < SIGNIFICANT

    @property
    def detectable(self) -> float | None:
        """Smallest true difference that would be found in four of five such comparisons, uncorrected."""
        return detectable_difference(self.found)

    def seen_from(self, line: SeedGroup) -> Comparison:
        """The same comparison as `line` minus the other one."""
        return self if line is self.first else reversed_comparison(self)


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A complete line that is not compared with the reference."""

    line: SeedGroup
    reason: str


@dataclass(frozen=True, kw_only=True)
class MeasuredAblation:
    """A line that has a component minus one that lacks it."""

    name: str
    comparison: Comparison


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparisons:
    """All comparisons of the lines on one data set. They are one family, each pair of lines in it once."""

    reference: SeedGroup | None = None
    """Subtracted from the other lines; None where no line is complete."""
    to_reference: tuple[Comparison, ...] = ()
    """Each other line that tested the same images under the same division of the subjects minus the
    reference."""
    of_highest: tuple[Comparison, ...] = ()
    """The line with the highest accuracy minus each other line."""
    ablations: tuple[MeasuredAblation, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    best: SeedGroup | None = None
    """The highest line, if it differs from every other one."""
    why_no_best: str = ""

    def of(self, line: SeedGroup) -> Comparison | None:
        """The comparison of `line` with the reference."""
        return self._by_line.get(id(line))

    @cached_property
    def _by_line(self) -> dict[int, Comparison]:
        return {id(one.first): one for one in self.to_reference}


def compare_lines(lines: Sequence[SeedGroup], reference: str | None = None) -> Comparisons:
    """The comparisons of the lines of one data set.

    reference: names the line to subtract, as `named_reference` reads it; None, or a name that no line has:
    the first baseline, or else the first line; of several lines that fit, the first of those that tested what
    most lines tested. Incomplete lines are left out. Holm's correction covers the
    differences from the reference, the ablations, and the highest line against each other.
    """
    whole = [line for line in lines if line.complete]
    if not whole:
        return Comparisons(why_no_best="no row is complete")
    chosen = _reference(lines, whole, reference)
    if chosen is None:
        return Comparisons(why_no_best="the reference is incomplete")
    to_reference, left_out = _to_reference(chosen, whole)
    mixed = len({line.first.unit for line in whole}) > 1
    highest = max(whole, key=lambda line: _accuracy(line, mixed))
    of_highest = [made for line in whole if line is not highest and (made := _compared(highest, line))]
    ablations = _ablations(whole)
    family = _family([*to_reference, *of_highest, *(one.comparison for one in ablations)])
    to_reference = [family[_pair(one)].seen_from(one.first) for one in to_reference]
    of_highest = [family[_pair(one)].seen_from(one.first) for one in of_highest]
    why_not = _why_no_best(lines, highest, of_highest)
    return Comparisons(
        reference=chosen,
        to_reference=tuple(to_reference),
        of_highest=tuple(of_highest),
        ablations=tuple(
            replace(one, comparison=family[_pair(one.comparison)].seen_from(one.comparison.first))
            for one in ablations
        ),
        left_out=tuple(left_out),
        best=None if why_not else highest,
        why_no_best=why_not,
    )


def named_reference(line: SeedGroup, name: str) -> bool:
    """Whether `name` names the line: its method or title, alone or after the name of an experiment and a
    colon."""
    experiment, colon, rest = name.rpartition(":")
    if name in (line.first.method, line.first.title):
        return True
    return bool(colon) and experiment in line.experiments and rest in (line.first.method, line.first.title)


def check_reference(lines: Iterable[SeedGroup], name: str) -> None:
    """UserError, with the nearest name, unless `name` names one of the lines."""
    known = list(lines)
    if any(named_reference(line, name) for line in known):
        return
    names = {text for line in known for text in (line.first.method, line.first.title)}
    if ":" in name:
        names |= {f"{where}:{line.first.method}" for line in known for where in line.experiments}
    raise unknown_name("reference", name, names)


def paired(first: AggregatedRow, second: AggregatedRow) -> tuple[PairedImages, PairedImages] | None:
    """What both rows have tested, images or, if only one of them scores images, sequences.

    None: a row is incomplete, or they tested different ones.
    """
    if not (first.row.complete and second.row.complete):
        return None
    if first.row.unit == second.row.unit:
        pair = first.images, second.images
    else:
        pair = first.sequences, second.sequences
    one, other = pair
    return (one, other) if one and other and one.tested == other.tested else None


def compare_pair(first: SeedGroup, second: SeedGroup) -> Comparison | None:
    """`first` minus `second`, uncorrected, whatever their folds. None: incomplete, or other images.

    Seeds pair by number. Lines without a common seed pair theirs in ascending order.
    """
    if not (first.complete and second.complete):
        return None
    members = _paired_members(first, second)
    pairs = [paired(one, other) for one, other in members]
    counts = [pair for pair in pairs if pair is not None]
    if not counts or len(counts) < len(pairs):
        return None
    one = counts[0][0]
    stacked = SeedCounts(
        first=np.stack([pair[0].correct for pair in counts]).astype(np.int64),
        second=np.stack([pair[1].correct for pair in counts]).astype(np.int64),
        images=one.images.astype(np.int64),
        fold=one.fold.astype(np.int64),
    )
    totals = stacked.first.sum(axis=1), stacked.second.sum(axis=1)
    return Comparison(
        first=first,
        second=second,
        found=paired_difference(stacked),
        image_count=one.count,
        unit="sequence" if "sequence" in (first.first.unit, second.first.unit) else "image",
        accuracies=(float(totals[0].mean()) / one.count, float(totals[1].mean()) / one.count),
        seeds=tuple((ours.row.seed, theirs.row.seed) for ours, theirs in members),
        probability=None if first.first.chosen_of or second.first.chosen_of else _probability(stacked),
    )


def reversed_comparison(comparison: Comparison) -> Comparison:
    """The second line minus the first."""
    found, probability = comparison.found, comparison.probability
    ends = found.interval
    return replace(
        comparison,
        first=comparison.second,
        second=comparison.first,
        found=replace(
            found,
            # 0.0 - x is not -0.0 for a tie.
            difference=0.0 - found.difference,
            interval=None if ends is None else replace(ends, low=0.0 - ends.high, high=0.0 - ends.low),
        ),
        accuracies=(comparison.accuracies[1], comparison.accuracies[0]),
        seeds=tuple((second, first) for first, second in comparison.seeds),
        probability=None
        if probability is None
        else replace(probability, better=probability.worse, worse=probability.better),
    )


def corrected(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons as one family, with Holm's p values."""
    tested = [one for one in comparisons if one.found.p_value is not None]
    adjusted = holm([one.found.p_value for one in tested if one.found.p_value is not None])
    p_of = {id(one): p for one, p in zip(tested, adjusted, strict=True)}
    return [replace(one, holm_p_value=p_of.get(id(one)), family_size=len(tested)) for one in comparisons]


def _reference(lines: Sequence[SeedGroup], whole: Sequence[SeedGroup], name: str | None) -> SeedGroup | None:
    """Of several lines that fit, the first of those that tested what most lines tested."""
    named = [line for line in lines if name is not None and named_reference(line, name)]
    fitting = [line for line in named if line.complete]
    if named and not fitting:
        return None
    if not fitting:
        first = next((line for line in whole if line.first.is_baseline), whole[0]).first
        fitting = [
            line
            for line in whole
            if (line.first.method, line.first.is_baseline) == (first.method, first.is_baseline)
        ]
    alike = Counter(map(_tested, whole))
    return max(fitting, key=lambda line: alike[_tested(line)])


def _tested(line: SeedGroup) -> tuple[str, bytes]:
    """Equal for lines that tested the same images under the same division of the subjects."""
    images = line.images
    return ("", b"") if images is None else (images.tested, images.fold.tobytes())


def _to_reference(reference: SeedGroup, whole: Sequence[SeedGroup]) -> tuple[list[Comparison], list[LeftOut]]:
    found, left_out = [], []
    for line in whole:
        if line is reference:
            continue
        comparison = _compared(line, reference)
        if comparison is None:
            left_out.append(LeftOut(line=line, reason=_why_not(line, reference)))
        else:
            found.append(comparison)
    return found, left_out


def _compared(first: SeedGroup, second: SeedGroup) -> Comparison | None:
    """None also where the subjects were divided otherwise: then the methods trained on other subjects."""
    one, other = first.images, second.images
    if one is None or other is None:
        return None
    if first.first.unit == second.first.unit and not one.same_division(other):
        return None
    return compare_pair(first, second)


def _why_not(line: SeedGroup, reference: SeedGroup) -> str:
    if line.first.unit != reference.first.unit:
        return OTHER_SEQUENCES
    one, other = line.images, reference.images
    same = one is not None and other is not None and one.tested == other.tested
    return OTHER_DIVISION if same else OTHER_IMAGES


def _paired_members(first: SeedGroup, second: SeedGroup) -> list[tuple[AggregatedRow, AggregatedRow]]:
    of_seed = {one.row.seed: one for one in second.finished}
    common = [(one, of_seed[one.row.seed]) for one in first.finished if one.row.seed in of_seed]
    return common or list(zip(first.finished, second.finished, strict=False))


def _probability(counts: SeedCounts) -> ProbabilityBetter | None:
    folds, place = np.unique(counts.fold, return_inverse=True)
    if len(folds) < 2:
        return None
    tested = np.bincount(place, weights=counts.images)
    gained = counts.first - counts.second
    differences = np.stack([np.bincount(place, weights=of_seed) for of_seed in gained]) / tested
    return probability_better(differences, tested, tested.sum() - tested)


def _ablations(whole: Sequence[SeedGroup]) -> list[MeasuredAblation]:
    """Each named pair of lines once, over the seeds that both have."""
    line_of = {same_runs(member.row): line for line in whole for member in line.members}
    found: dict[tuple[str, int, int], MeasuredAblation] = {}
    for line in whole:
        for member in line.members:
            for ablation in member.ablations:
                without = line_of.get(same_runs(ablation.without.row))
                if without is None or without is line:
                    continue
                key = ablation.name, id(line), id(without)
                if key not in found and (made := _compared(line, without)) is not None:
                    found[key] = MeasuredAblation(name=ablation.name, comparison=made)
    return list(found.values())


def _pair(comparison: Comparison) -> frozenset[int]:
    return frozenset((id(comparison.first), id(comparison.second)))


def _family(comparisons: Sequence[Comparison]) -> dict[frozenset[int], Comparison]:
    """Each pair of lines once, corrected over all of them."""
    once = {_pair(one): one for one in reversed(comparisons)}
    return dict(zip(once, corrected(list(once.values())), strict=True))


def _accuracy(line: SeedGroup, mixed: bool) -> float:
    """Of images; of sequences where some lines score those and others images."""
    mean = line.pooled_sequence_accuracy if mixed else line.pooled_image_accuracy
    return mean.mean if mean else 0.0


def _why_no_best(lines: Sequence[SeedGroup], highest: SeedGroup, of_highest: Sequence[Comparison]) -> str:
    """Empty where the highest line is best."""
    if any(not line.complete for line in lines):
        return "a row is incomplete"
    if any(line.first.leaks for line in lines):
        return "a row was selected on the test folds: leakage"
    if len({line.first.unit for line in lines}) > 1:
        return "some rows score images and others sequences"
    if len(lines) < 2:
        return "there is one row"
    if len(of_highest) < len(lines) - 1:
        return "the rows differ in images or folds"
    if any(one.found.p_value is None for one in of_highest):
        return "with one subject nothing can be tested"
    if all(one.differs and one.found.difference > 0 for one in of_highest):
        return ""
    return f"the highest one does not differ from every other at a corrected p below {SIGNIFICANT}"
