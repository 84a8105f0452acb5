"""Three sentences on an experiment's main data set: the winner, how it was selected, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.table_row import TableRow
from platform.config.settings_source import OWN_SEARCH
from platform.evaluation.accuracy_interval import Interval
from platform.evaluation.paired_interval import difference_interval
from platform.evaluation.paired_tests import holm, sign_flip_test
from platform.tables.formatting import LEAKAGE, folds_text, interval, p_value_text, percent, row_label
from platform.tables.gap_note import gap_points

BOOTSTRAP_SEED = 0
SIGNIFICANT = 0.05
"""Holm-corrected p below which a difference is called unlikely to be chance."""


def conclusions(aggregated: Sequence[AggregatedRow]) -> tuple[str, ...]:
    """Three sentences on the complete rows of the first row's data set; none without a complete row.

    aggregated: all rows of one experiment, in its order.
    """
    rows = _of_one_unit(
        [
            one
            for one in aggregated
            if one.row.dataset == aggregated[0].row.dataset and one.row.complete and one.images is not None
        ]
    )
    if not rows:
        return ()
    winner = max(rows, key=_pooled_accuracy)
    others = [one.row for one in rows[1:]]
    return (_of_winner(winner, rows), _of_selection(rows[0].row, others), _of_sample(winner.row, rows))


def _of_one_unit(rows: list[AggregatedRow]) -> list[AggregatedRow]:
    """The rows as they are, or with their numbers of sequences where some score images and others
    sequences."""
    if len({one.row.unit for one in rows}) < 2:
        return rows
    return [
        replace(one, row=_by_sequence(one.row), images=one.sequences)
        for one in rows
        if one.sequences is not None
    ]


def _by_sequence(row: TableRow) -> TableRow:
    """The row with each sequence predicted by the mean of its images' scores."""
    scores = row.scores
    if row.scores_sequences or scores is None:
        return row
    counted = replace(
        scores,
        image_count=scores.sequence_count,
        pooled_image_accuracy=scores.pooled_sequence_accuracy,
        pooled_image_interval=None,  # only that of images is known
    )
    return replace(row, unit="sequence", scores=counted)


@dataclass(frozen=True, kw_only=True)
class _Lead:
    """What the winner has over the best other row on the same images."""

    second: AggregatedRow
    difference: float
    interval: Interval | None
    """95 % CI over subjects; None with one subject."""
    p_value: float
    """Sign-flip test over subjects, Holm-corrected over all other rows."""


def _of_winner(winner: AggregatedRow, rows: Sequence[AggregatedRow]) -> str:
    scores = winner.row.scores
    assert scores is not None
    of_sequences = " of sequences" if winner.row.scores_sequences else ""
    accuracy = f"{percent(scores.pooled_image_accuracy)} % pooled accuracy{of_sequences}"
    classes = sum(score.true_count > 0 for score in scores.classes)
    chance = f"chance {100 / classes:.1f} %"
    name, place = _name(winner, rows), winner.row.dataset
    lead = _lead(winner, rows)
    if lead is None:
        whole = scores.pooled_image_interval
        own = "" if whole is None else f"95 % CI {interval(whole)}, "
        return (
            f"{name} has {accuracy} on {place} ({own}{chance}); no other row was tested on the same "
            f"{winner.row.unit}s."
        )
    if lead.interval is None:
        certainty, meaning = "no interval", "but with one subject nothing can be concluded"
    else:
        ends = f"{100 * lead.interval.low:+.1f} to {100 * lead.interval.high:+.1f}"
        certainty = f"95 % CI {ends}, corrected p = {p_value_text(lead.p_value)}"
        clear = lead.p_value < SIGNIFICANT and lead.interval.low > 0
        meaning = "more than chance would explain" if clear else "so which of the two is better remains open"
    return (
        f"{name} has the highest score on {place}, {accuracy} ({chance}): {100 * lead.difference:.2f} points "
        f"above {_name(lead.second, rows)} ({certainty}), {meaning}."
    )


def _name(one: AggregatedRow, rows: Sequence[AggregatedRow]) -> str:
    """The row's title, with net and masks where several rows have that title."""
    alike = sum(other.row.title == one.row.title for other in rows)
    return one.row.title if alike == 1 else row_label(one.row)


def _lead(winner: AggregatedRow, rows: Sequence[AggregatedRow]) -> _Lead | None:
    """None where no other row tested the same images."""
    first = winner.images
    assert first is not None
    others = [
        (one, one.images)
        for one in rows
        if row_label(one.row) != row_label(winner.row)  # equal labels differ in the seed alone
        and one.images is not None
        and one.images.tested == first.tested
    ]
    if not others:
        return None
    tests = [sign_flip_test(first.correct, images.correct, first.subject) for _, images in others]
    adjusted = holm([test.p_value for test in tests])
    best = max(range(len(others)), key=lambda place: _pooled_accuracy(others[place][0]))
    second, images = others[best]
    return _Lead(
        second=second,
        difference=tests[best].difference,
        interval=difference_interval(
            first.correct, images.correct, first.subject, np.random.default_rng(BOOTSTRAP_SEED)
        )
        if tests[best].subject_count > 1
        else None,
        p_value=adjusted[best],
    )


def _of_selection(row: TableRow, others: Sequence[TableRow]) -> str:
    """row: the experiment's first row, whose configuration a search selected, if a search ran."""
    gap = "" if row.optimism_gap is None else f" (optimism gap {gap_points(row)})"
    shared = _of_others(row, others)
    if row.leaks:
        return (
            f"{row.title} was {LEAKAGE}; its accuracy shows only the optimism gap and is no estimate for new "
            "subjects."
        )
    if row.chosen_elsewhere:
        return (
            f"{row.title} was tuned on another data set (rule `{row.selection_rule}`), so no subject of "
            f"{row.dataset} took part in the choice."
        )
    if row.selection_rule == "inner":
        return (
            f"{row.title} was tuned on validation splits{gap}{shared}; test subjects of one fold validate in "
            "others, so the choice is not fully independent of them."
        )
    if row.selection_rule == "nested":
        return (
            f"{row.title} was tuned for each fold on its training subjects alone{gap}{shared}; no test "
            "subject took part in the choice for its own fold."
        )
    return "The settings were fixed beforehand (rule `paper`), so nothing was tuned in this experiment."


def _of_others(row: TableRow, others: Sequence[TableRow]) -> str:
    """Whose settings the other rows ran with. Before rows said so, none but the first was ever searched."""
    if not others:
        return ""
    if any(one.settings.whose != OWN_SEARCH for one in others):
        presets = any(one.settings.preset for one in others)
        return ", and the other rows use its settings" + (" as far as they share them" if presets else "")
    counts = " or ".join(str(count) for count in sorted({one.settings.trials for one in others}))
    own = row.settings.trials
    return f" in a search of {own} trials, and every other row in a search of its own of {counts}"


def _of_sample(row: TableRow, rows: Sequence[AggregatedRow]) -> str:
    scores = row.scores
    assert scores is not None
    seeds = sorted({one.row.seed for one in rows if one.row.seed is not None})
    trained = f"one training seed ({seeds[0]})" if len(seeds) == 1 else f"{len(seeds)} training seeds"
    people = "1 subject" if scores.subject_count == 1 else f"{scores.subject_count} subjects"
    if row.chosen_of:
        folds = f"folds {folds_text(row)}"
    else:
        folds = "one split" if row.fold_count == 1 else f"{row.fold_count} folds"
    return (
        f"The result is based on {scores.image_count} test {row.unit}s of {people}, {folds} and {trained}; "
        "the intervals describe new subjects and exclude the variation between seeds."
    )


def _pooled_accuracy(one: AggregatedRow) -> float:
    return one.row.scores.pooled_image_accuracy if one.row.scores else 0.0
