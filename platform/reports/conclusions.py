"""Three sentences on an experiment's main data set: the winner, how it was selected, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from platform.aggregation.aggregate import AggregatedRow
from platform.aggregation.comparisons import SIGNIFICANT, Comparison
from platform.aggregation.seeds import SeedGroup
from platform.aggregation.table_row import TableRow
from platform.config.settings_source import OWN_SEARCH
from platform.tables.comparison_notes import paired_seeds_text
from platform.tables.formatting import (
    LEAKAGE,
    difference_interval,
    folds_text,
    interval,
    p_value_text,
    percent,
    seeds_text,
)
from platform.tables.gap_note import gap_points
from platform.tables.table import Section, build_table


def conclusions(aggregated: Sequence[AggregatedRow], reference: str | None = None) -> tuple[str, ...]:
    """Three sentences on the complete lines of the first row's data set; none without a complete one.

    aggregated: all rows of one experiment, in its order. reference: as of `build_table`, whose family of
    tests the p value is of.
    """
    if not aggregated:
        return ()
    section = build_table(aggregated, reference).sections[0]
    lines = [line for line in section.lines if line.complete and line.images is not None]
    if not lines:
        return ()
    mixed = len({line.first.unit for line in lines}) > 1
    winner = max(lines, key=lambda line: _accuracy(line, mixed))
    others = [line.first for line in lines[1:]]
    return (
        _of_winner(section, winner, mixed),
        _of_selection(lines[0].first, others),
        _of_sample(winner, lines, mixed),
    )


def _accuracy(line: SeedGroup, mixed: bool) -> float:
    """Pooled, mean over seeds; of sequences where some lines score images and others sequences."""
    mean = line.pooled_sequence_accuracy if mixed else line.pooled_image_accuracy
    return mean.mean if mean else 0.0


def _of_winner(section: Section, winner: SeedGroup, mixed: bool) -> str:
    row = winner.first
    scores = row.scores
    assert scores is not None
    of_sequences = " of sequences" if mixed or row.scores_sequences else ""
    accuracy = f"{percent(_accuracy(winner, mixed))} % pooled accuracy{of_sequences}"
    classes = sum(score.true_count > 0 for score in scores.classes)
    chance = f"chance {100 / classes:.1f} %"
    name, place = _name(section, winner), row.dataset
    lead = _lead(section, mixed)
    if lead is None:
        return f"{name} has {accuracy} on {place} ({_own(winner, mixed)}{chance}); {_alone(winner, mixed)}."
    found = lead.found
    if found.interval is None:
        certainty, meaning = "no interval", "but with one subject nothing can be concluded"
    else:
        ends, p = difference_interval(found.interval), p_value_text(lead.holm_p_value)
        certainty = f"95 % CI {ends}, corrected p = {p}; {paired_seeds_text(lead)}"
        meaning = _meaning(lead)
    return (
        f"{name} has the highest score on {place}, {accuracy} ({chance}): {_ahead(lead)} "
        f"{_name(section, lead.second)} ({certainty}), {meaning}."
    )


def _ahead(lead: Comparison) -> str:
    """`3.20 points above`; below where only the seeds that both have are compared."""
    size = f"{100 * abs(lead.found.difference):.2f}"
    if not float(size):
        return "level with"
    return f"{size} points {'above' if lead.found.difference > 0 else 'below'}"


def _own(line: SeedGroup, mixed: bool) -> str:
    """The line's own interval; empty where only that of images is known."""
    scores = line.first.scores
    whole = line.pooled_interval if len(line.members) > 1 or scores is None else scores.pooled_image_interval
    if whole is None or mixed:
        return ""
    return f"95 % CI {interval(whole)}, {seeds_text(line.finished_seeds)}, "


def _alone(line: SeedGroup, mixed: bool) -> str:
    return f"no other row was tested on the same {'sequence' if mixed else line.first.unit}s"


def _meaning(lead: Comparison) -> str:
    found = lead.found
    if lead.differs and found.difference > 0:
        if found.seed_count == 1:
            return "more than the choice of subjects would explain; another training seed may give less"
        return "more than chance would explain"
    if found.smallest_p is not None and found.smallest_p >= SIGNIFICANT:
        differing = found.differing_subjects
        people = "1 subject differs" if differing == 1 else f"{differing} subjects differ"
        smallest = p_value_text(found.smallest_p)
        return f"and as {people}, p cannot be below {smallest}, so which of the two is better remains open"
    return "so which of the two is better remains open"


def _name(section: Section, line: SeedGroup) -> str:
    """The line's title; its whole label where several lines have that title."""
    alike = sum(other.first.title == line.first.title for other in section.lines)
    return line.first.title if alike == 1 else section.label(line)


def _lead(section: Section, mixed: bool) -> Comparison | None:
    """The winner minus the best other line on the same images; None where no other one tested these."""
    found = section.comparisons.of_highest
    return max(found, key=lambda one: _accuracy(one.second, mixed)) if found else None


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


def _of_sample(line: SeedGroup, lines: Sequence[SeedGroup], mixed: bool) -> str:
    row, scores = line.first, line.first.scores
    assert scores is not None
    seeds = sorted({seed for one in lines for seed in one.finished_seeds})
    count = "one training seed" if len(seeds) == 1 else f"{len(seeds)} training seeds"
    trained = f"{count} ({', '.join(map(str, seeds))})"
    people = "1 subject" if scores.subject_count == 1 else f"{scores.subject_count} subjects"
    if row.chosen_of:
        folds = f"folds {folds_text(row)}"
    else:
        folds = "one split" if row.fold_count == 1 else f"{row.fold_count} folds"
    tested = f"{scores.sequence_count} test sequence" if mixed else f"{scores.image_count} test {row.unit}"
    described = "the intervals describe new subjects and exclude the variation between seeds"
    if any(len(one.members) > 1 for one in lines):
        described = "the intervals of several seeds describe new subjects and new seeds"
    return f"The result is based on {tested}s of {people}, {folds} and {trained}; {described}."
