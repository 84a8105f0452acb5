"""Notes on the differences between the lines of a table: what was tested, and what the data can show."""

from __future__ import annotations

from collections.abc import Sequence

from platform.aggregation.comparisons import SIGNIFICANT, Comparison, Comparisons
from platform.evaluation.paired_difference import PairedDifference
from platform.evaluation.paired_limits import FEW_SUBJECTS, limits_of
from platform.tables.formatting import difference_interval, p_value_text, seeds_text
from platform.tables.table import Section

NO_SIGN_OF_EQUALITY = "With so few, a large p value is no sign that the methods are equal."


def comparison_notes(section: Section) -> list[str]:
    """The reference, each difference from it, and the smallest difference that would be found."""
    comparisons = section.comparisons
    if not comparisons.to_reference:
        return _left_out_notes(section)
    assert comparisons.reference is not None
    tested = set(map(_tested, comparisons.to_reference))
    notes = [_reference_note(section, comparisons, tested)]
    notes += [difference_note(section, one, tested=len(tested) > 1) for one in comparisons.to_reference]
    notes += _left_out_notes(section)
    return notes + _detectable_notes(comparisons.to_reference)


def best_note(section: Section) -> str:
    """Why a line is marked as best, or why none is; empty for a table of one line."""
    if section.best is not None:
        return (
            f"Best by pooled accuracy: {section.label(section.best)} (marked). Its difference from every "
            f"other row has a corrected p below {SIGNIFICANT}."
        )
    if len(section.lines) < 2:
        return ""
    if section.comparisons.reference is None:
        return f"Rows are not compared and none is marked as best: {section.comparisons.why_no_best}."
    return f"No row is marked as best: {section.comparisons.why_no_best}."


def repeated_notes(section: Section) -> list[str]:
    """The rows that another experiment's row stands for."""
    named = [
        label if " of " in (label := section.label(row)) else f"{label}, of {row.experiment}"
        for row in section.repeated
    ]
    if not named:
        return []
    listed = "; ".join(dict.fromkeys(named))
    return [f"Counted once, because an earlier row has the same fold runs: {listed}."]


def difference_note(section: Section, comparison: Comparison, *, tested: bool = True) -> str:
    """One difference with its interval, p values and probabilities. tested: say on what."""
    found = comparison.found
    start = (
        f"{section.label(comparison.first)} minus {section.label(comparison.second)}: "
        f"{100 * found.difference:+.2f} points{f' on {_tested(comparison)}' if tested else ''}"
    )
    if found.p_value is None:
        return f"{start}; with one subject it cannot be tested."
    limits = limits_of(found)
    smallest = "" if limits is None else f" {limits}"
    return (
        f"{start}, 95 % CI {difference_interval(found.interval)}, p = {p_value_text(found.p_value)}, "
        f"corrected p = {p_value_text(comparison.holm_p_value)}; {paired_seeds_text(comparison)}; "
        f"{found.differing_subjects} of {_people(found.subject_count)} differ{_probability(comparison)}."
        f"{smallest}{_disagreement(found)}"
    )


def _reference_note(section: Section, comparisons: Comparisons, tested: set[str]) -> str:
    """The reference, and what all differences from it have in common."""
    assert comparisons.reference is not None
    first = comparisons.to_reference[0]
    common = f", on {next(iter(tested))}" if len(tested) == 1 else ""
    note = (
        f"Reference: {section.label(comparisons.reference)} (--reference names another). Differences are of "
        f"pooled accuracy{common}."
    )
    if first.family_size > 1:
        note += f" p is corrected by Holm's method over {first.family_size} differences."
    return note


def _tested(comparison: Comparison) -> str:
    people = _people(comparison.found.subject_count)
    return f"the same {comparison.image_count} {comparison.unit}s of {people}"


def paired_seeds_text(comparison: Comparison) -> str:
    """`one seed`, `3 seeds (0, 1, 2)`, `2 seeds in common (0, 1)`, or which seeds stand against which."""
    firsts, seconds = zip(*comparison.seeds, strict=True)
    if firsts != seconds:
        names = [", ".join(map(str, part)) for part in (firsts, seconds)]
        word = "one seed, " if len(firsts) == 1 else f"{len(firsts)} seeds, "
        return f"{word}{names[0]} against {names[1]}"
    seeds = [seed for seed in firsts if seed is not None]
    every = max(len(comparison.first.finished), len(comparison.second.finished))
    said = seeds_text(seeds)
    if every == len(comparison.seeds):
        return said
    if len(seeds) < 2:
        return f"{said} in common" + "".join(f" ({seed})" for seed in seeds)
    return said.replace(" (", " in common (")


def _disagreement(found: PairedDifference) -> str:
    """Said where only one of uncorrected p value and interval rules out that the methods are equal."""
    ends = found.interval
    if ends is None or found.p_value is None:
        return ""
    excluded = not ends.low <= 0.0 <= ends.high
    if excluded == (found.p_value < SIGNIFICANT):
        return ""
    return (
        " Uncorrected p value and interval disagree on whether there is a difference: they assume different "
        "things (docs/statistics.md). Take it as open."
    )


def _probability(comparison: Comparison) -> str:
    found = comparison.probability
    if found is None:
        return ""
    return f"; P(better) {found.better:.2f}, P(equivalent) {found.equivalent:.2f}, P(worse) {found.worse:.2f}"


def _people(count: int) -> str:
    return "1 subject" if count == 1 else f"{count} subjects"


def _left_out_notes(section: Section) -> list[str]:
    reference = section.comparisons.reference
    if reference is None:
        return []
    reasons: dict[str, list[str]] = {}
    for one in section.comparisons.left_out:
        reasons.setdefault(one.reason, []).append(section.label(one.line))
    return [
        f"Not compared with {section.label(reference)} ({reason}): {'; '.join(labels)}."
        for reason, labels in reasons.items()
    ]


def _detectable_notes(comparisons: Sequence[Comparison]) -> list[str]:
    """By number of subjects and seeds; of few subjects also what a large p value then means."""
    groups: dict[tuple[int, int], list[float]] = {}
    for one in comparisons:
        if one.found.p_value is not None:
            place = groups.setdefault((one.found.subject_count, one.found.seed_count), [])
            if (smallest := one.detectable) is not None:
                place.append(100 * smallest)
    notes = []
    for (subjects, seeds), found in groups.items():
        asked = f"With {subjects} subjects and {'one seed' if seeds == 1 else f'{seeds} seeds'}"
        if not found:
            notes.append(f"{asked}, no difference could be found reliably.{_few(subjects)}")
            continue
        low, high = f"{min(found):.1f}", f"{max(found):.1f}"
        size = low if low == high else f"{low} (for the most precise comparison) to {high}"
        notes.append(
            f"{asked}, true differences below {size} points would be missed in more than one of five such "
            f"comparisons (power 80 %, p < 0.05 before correction).{_few(subjects)}"
        )
    return notes


def _few(subjects: int) -> str:
    return f" {NO_SIGN_OF_EQUALITY}" if subjects < FEW_SUBJECTS else ""
