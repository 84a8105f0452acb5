"""The part `stability`: how often the order of two rows holds under other divisions of the subjects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from platform.aggregation.seeds import SeedGroup
from platform.aggregation.stability import DividedLine, DividedPair, Stability
from platform.evaluation.order_stability import OrderStability, Ranks
from platform.tables.formatting import ABSENT, interval, percent, seeds_text
from platform.tables.grid import Grid
from platform.tables.stored_facts import rounded
from platform.tables.table import Section

STABILITY = "stability"
MOST_DIVISIONS = 5
"""So many divisions have a column each; of more, the mean and the ends are shown."""
MOST_PAIRS = 10
"""So many pairs are all shown; of more, those with the reference."""
MOST_IN_A_NOTE, MOST_IN_A_SENTENCE = 6, 3
SAME_PEOPLE = (
    "All divisions test the same people: this shows what another division of them and other seeds would do, "
    "not what other people would."
)


def stability_grids(section: Section) -> list[Grid]:
    """The lines under each division, then the pairs; none without further divisions."""
    found = section.stability
    if found is None:
        return []
    return [
        _lines_grid(section, found),
        *([_pairs_grid(section, pairs)] if (pairs := _shown(section)) else []),
    ]


def _lines_grid(section: Section, found: Stability) -> Grid:
    each = found.divisions if len(found.divisions) <= MOST_DIVISIONS else ()
    lines = []
    for one in found.lines:
        known = [accuracy for accuracy in one.accuracies if accuracy is not None]
        cells = [ABSENT if accuracy is None else percent(accuracy) for accuracy in one.accuracies]
        lines.append(
            (
                section.label(one.line),
                seeds_text(one.seeds),
                *(cells if each else ()),
                percent(sum(known) / len(known)),
                percent(min(known)),
                percent(max(known)),
                _ranks(one.ranks),
            )
        )
    return Grid(
        caption=(
            f"Pooled accuracy % under {len(found.divisions)} divisions of the subjects of {section.title}; "
            "rank: median (best to worst)"
        ),
        header=("Row", "Seeds", *each, "Mean", "Lowest", "Highest", "Rank"),
        rows=tuple(lines),
        left_columns=2,
    )


def _pairs_grid(section: Section, pairs: Sequence[DividedPair]) -> Grid:
    return Grid(
        caption=(
            f"Order over divisions x seeds on {section.title}; difference: mean (lowest to highest "
            "division); equal: within 1 point"
        ),
        header=(
            "Row",
            "Compared with",
            "Above",
            "Share %",
            "95 % CI of share",
            "Difference (points)",
            "P better / equal / worse",
        ),
        rows=tuple(
            (
                section.label(pair.first.line),
                section.label(pair.second.line),
                times_text(pair.order),
                f"{100 * pair.order.share:.0f}",
                interval(pair.order.interval),
                _difference(pair.order),
                _probability(pair),
            )
            for pair in pairs
        ),
        left_columns=2,
    )


def times_text(order: OrderStability) -> str:
    """`5 of 6`, `4 of 6 (1 tied)`."""
    tied = f" ({order.tied} tied)" if order.tied else ""
    return f"{order.above} of {order.count}{tied}"


def stability_notes(section: Section) -> list[str]:
    """How often each line is above the reference, and what that shows; none without further divisions."""
    found = section.stability
    pairs = (
        [] if found is None else _with_reference(found, section.comparisons.reference) or list(found.pairs)
    )
    if found is None or not pairs:
        return []
    more = len(pairs) - MOST_IN_A_NOTE
    return [
        f"Order under {len(found.divisions)} divisions of the same subjects ({', '.join(found.divisions)}), "
        f"counted over divisions x seeds: {_above(section, pairs[:MOST_IN_A_NOTE])}"
        f"{f', and {more} more' if more > 0 else ''}. {SAME_PEOPLE} --parts {STABILITY} shows each division."
    ]


def order_sentences(section: Section) -> tuple[str, ...]:
    """One sentence for the end of a command; none without further divisions."""
    found = section.stability
    pairs = _with_reference(found, section.comparisons.reference) if found else []
    if found is None or not pairs:
        return ()
    return (
        f"Over {len(found.divisions)} divisions of the same subjects x seeds, "
        f"{_above(section, pairs[:MOST_IN_A_SENTENCE])}; this says nothing of other people.",
    )


def _above(section: Section, pairs: Sequence[DividedPair]) -> str:
    """`FMPN is above CNN in 5 of 6, CNN (no mask loss) in 2 of 6 (1 tied)`; another second line is named."""
    said, before = [], None
    for pair in pairs:
        above = "" if pair.second is before else f" is above {section.label(pair.second.line)}"
        said.append(f"{section.label(pair.first.line)}{above} in {times_text(pair.order)}")
        before = pair.second
    return ", ".join(said)


def stability_record(section: Section) -> dict[str, Any] | None:
    """Divisions, lines and all pairs under the keys of JSON; None without further divisions."""
    found = section.stability
    if found is None:
        return None
    return {
        "divisions": list(found.divisions),
        "lines": [_line_record(section, one) for one in found.lines],
        "pairs": pair_records(section),
    }


def pair_records(section: Section) -> list[dict[str, Any]]:
    """A record for each pair of lines, of CSV and JSON. Shares in [0, 1]."""
    return (
        [] if section.stability is None else [_pair_record(section, pair) for pair in section.stability.pairs]
    )


def _line_record(section: Section, one: DividedLine) -> dict[str, Any]:
    return {
        "row": section.label(one.line),
        "seeds": list(one.seeds),
        "pooled_accuracy": [rounded(accuracy) for accuracy in one.accuracies],
        **_rank_facts("", one.ranks),
    }


def _pair_record(section: Section, pair: DividedPair) -> dict[str, Any]:
    order, probability = pair.order, pair.probability
    return {
        "dataset": section.dataset,
        "first": section.label(pair.first.line),
        "second": section.label(pair.second.line),
        "divisions": order.division_count,
        "seeds": order.seed_count,
        "first_above": order.above,
        "tied": order.tied,
        "second_above": order.below,
        "first_above_share": rounded(order.share),
        "first_above_share_95_percent_low": None if order.interval is None else rounded(order.interval.low),
        "first_above_share_95_percent_high": None if order.interval is None else rounded(order.interval.high),
        "difference": rounded(order.difference),
        "difference_of_lowest_division": rounded(order.lowest),
        "difference_of_highest_division": rounded(order.highest),
        "probability_better": None if probability is None else rounded(probability.better),
        "probability_equivalent": None if probability is None else rounded(probability.equivalent),
        "probability_worse": None if probability is None else rounded(probability.worse),
        **_rank_facts("first_", pair.first.ranks),
        **_rank_facts("second_", pair.second.ranks),
    }


def _rank_facts(whose: str, ranks: Ranks | None) -> dict[str, float | None]:
    return {
        f"{whose}best_rank": None if ranks is None else ranks.best,
        f"{whose}median_rank": None if ranks is None else ranks.median,
        f"{whose}worst_rank": None if ranks is None else ranks.worst,
    }


def _shown(section: Section) -> list[DividedPair]:
    """All pairs, or those with the reference where there are many."""
    found = section.stability
    assert found is not None
    of_reference = _with_reference(found, section.comparisons.reference)
    if of_reference and len(found.pairs) > MOST_PAIRS:
        return of_reference
    oriented = {frozenset((id(one.first), id(one.second))): one for one in of_reference}
    return [oriented.get(frozenset((id(one.first), id(one.second))), one) for one in found.pairs]


def _with_reference(found: Stability, reference: SeedGroup | None) -> list[DividedPair]:
    """The pairs of each line with the reference, the line first."""
    return [
        pair if pair.second.line is reference else pair.reversed()
        for pair in found.pairs
        if reference is not None and reference in (pair.first.line, pair.second.line)
    ]


def _ranks(ranks: Ranks | None) -> str:
    if ranks is None:
        return ABSENT
    return f"{ranks.median:g} ({ranks.best:g} to {ranks.worst:g})"


def _difference(order: OrderStability) -> str:
    ends = f"{100 * order.lowest:+.2f} to {100 * order.highest:+.2f}"
    return f"{100 * order.difference:+.2f} ({ends})"


def _probability(pair: DividedPair) -> str:
    found = pair.probability
    if found is None:
        return ABSENT
    return f"{found.better:.2f} / {found.equivalent:.2f} / {found.worse:.2f}"
