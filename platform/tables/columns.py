"""The registry of table columns, read by every format: screen, HTML, Markdown, LaTeX, CSV and JSON.

A new column is one entry of COLUMNS, placed where people should read it. A new metric of predictions is one
entry of `platform.evaluation.row_metrics.METRICS`; its column follows these. docs/table.md shows both.
"""

from __future__ import annotations

from collections.abc import Iterable

from platform.evaluation import row_metrics, unit_metrics
from platform.evaluation.accuracy_interval import METHOD
from platform.tables import stored_facts
from platform.tables.column import (
    ALL,
    HTML,
    LATEX,
    MARKDOWN,
    NARROW,
    READ,
    SCREEN,
    STORED,
    WIDE,
    Column,
    PerLine,
)
from platform.tables.formatting import (
    ABSENT,
    comparison_text,
    difference_text,
    folds_text,
    gap_text,
    images_and_subjects,
    masks_text,
    mean_reported_difference,
    method_text,
    p_value_text,
    reported_difference,
    reported_measures,
    reported_rule,
    reported_source,
    reported_title,
    reported_value,
    scored_units,
    seed_count_text,
    seeds_difference_text,
    seeds_gap_text,
    seeds_method_text,
    seeds_source_text,
    source_text,
)
from platform.tables.score_columns import (
    accuracy,
    count,
    deviation,
    metric_column,
    percentage_interval,
    unit_metric_column,
)
from platform.tables.stored_facts import rounded

_INTERVAL = (
    f"95 % CI: confidence interval of the accuracy for new subjects ({METHOD}; docs/statistics.md). With "
    "several seeds it is that of their mean, for new subjects and new seeds; with one seed it does not "
    "include the variation between training seeds."
)
_DIFFERENCE = (
    "vs. reference: pooled accuracy minus that of the reference on the same images, in points, with its "
    "paired 95 % CI over subjects (and seeds, where there are several). *: differs, corrected p < 0.05. p: "
    "exact sign-flip test over subjects; with several seeds the larger of that of the sums over seeds and of "
    "the interval's, which is for new subjects and new seeds. With one seed, p and interval say nothing of "
    "other trainings of the same method. P(better), P(equivalent), P(worse): by more than 1 point, within 1 "
    "point, worse by more than 1 point, by a correlated t test over folds."
)

COLUMNS: tuple[Column, ...] = (
    Column(
        key="title",
        formats=(SCREEN, HTML, MARKDOWN, *STORED),
        heading="Method",
        text=PerLine(row=method_text, seeds=seeds_method_text, reported=lambda result: result.title),
        record=PerLine(
            row=lambda row: {"title": row.title},
            seeds=lambda group: {"title": group.first.title},
            reported=lambda result: {"title": result.title},
        ),
        left=True,
        width=20,
        marks_best=True,
        brief=True,
    ),
    Column(
        key="title_in_latex",  # which has no column for the source
        formats=(LATEX,),
        heading="Method",
        text=PerLine(
            row=method_text,
            seeds=seeds_method_text,
            reported=reported_title,
        ),
        left=True,
        marks_best=True,
    ),
    Column(
        key="source",
        formats=(MARKDOWN, *STORED),
        heading="Source",
        text=PerLine(
            row=source_text,
            seeds=seeds_source_text,
            reported=reported_source,
        ),
        record=PerLine(
            row=lambda row: {"source": "ours"},
            seeds=lambda group: {"source": "ours, mean over seeds"},
            reported=lambda result: {"source": "reported"},
        ),
        left=True,
    ),
    Column(
        key="net",
        formats=READ,
        heading="Backbone",
        text=PerLine(row=lambda row: row.net, seeds=lambda group: group.first.net),
        left=True,
        width=13,
        brief=True,
    ),
    Column(
        key="selection_rule",
        formats=ALL,
        heading="Selected by",
        text=PerLine(
            row=lambda row: row.selection_rule,
            seeds=lambda group: group.first.selection_rule,
            reported=reported_rule,
        ),
        record=PerLine(
            row=lambda row: {"selection_rule": row.selection_rule},
            seeds=lambda group: {"selection_rule": group.first.selection_rule},
            reported=lambda result: {"selection_rule": result.selection_rule},
        ),
        left=True,
        if_various=True,
    ),
    Column(
        key="masks",
        formats=(MARKDOWN, *STORED),
        heading="Masks",
        text=PerLine(row=masks_text, seeds=lambda group: masks_text(group.first)),
        record=PerLine(
            row=lambda row: {"masks": row.masks}, seeds=lambda group: {"masks": group.first.masks}
        ),
        left=True,
        identifies=True,
    ),
    Column(
        key="images_and_subjects",
        formats=NARROW,
        heading="Images / subjects",
        text=PerLine(
            row=images_and_subjects,
            seeds=lambda group: images_and_subjects(group.first),
            reported=scored_units,
        ),
        brief=True,
    ),
    count("images", "Images", lambda scores: scores.image_count, formats=(*WIDE, *STORED), of_images=True),
    count("sequences", "Sequences", lambda scores: scores.sequence_count, formats=(MARKDOWN, *STORED)),
    count("subjects", "Subjects", lambda scores: scores.subject_count, formats=(*WIDE, *STORED)),
    Column(
        key="folds_seeds_and_repeats",
        formats=NARROW,
        heading="Folds / seeds / repeats",
        text=PerLine(
            row=lambda row: f"{folds_text(row)}/1/{row.repeat_count}",
            seeds=lambda group: (
                f"{folds_text(group.first)}/{seed_count_text(group)}/{group.first.repeat_count}"
            ),
        ),
    ),
    Column(
        key="folds",
        formats=(*WIDE, *STORED),
        heading="Folds",
        text=PerLine(row=folds_text, seeds=lambda group: folds_text(group.first)),
        record=PerLine(row=stored_facts.folds, seeds=lambda group: {"fold_count": group.first.fold_count}),
    ),
    Column(
        key="seeds",
        formats=(*WIDE, *STORED),
        heading="Seeds",
        text=PerLine(row=lambda row: "1", seeds=seed_count_text),
        record=PerLine(
            row=lambda row: {"seed_count": 1},
            seeds=lambda group: {"seeds": list(group.seeds), "seed_count": len(group.seeds)},
        ),
    ),
    Column(
        key="repeats",
        formats=(*WIDE, *STORED),
        heading="Repeats",
        text=PerLine(
            row=lambda row: str(row.repeat_count), seeds=lambda group: str(group.first.repeat_count)
        ),
        record=PerLine(
            row=lambda row: {"repeat_count": row.repeat_count},
            seeds=lambda group: {"repeat_count": group.first.repeat_count},
        ),
    ),
    accuracy(
        "mean_of_folds_image_accuracy",
        "Mean of folds %",
        lambda scores: scores.mean_of_folds,
        seeds=lambda group: group.mean_of_folds,
        sequence_key="mean_of_folds_sequence_accuracy",
        reported=reported_value,
        definition="Mean of folds: unweighted mean of the folds' image accuracies, the FMPN paper's number.",
    ),
    percentage_interval(
        "mean_of_folds",
        "95 % CI of mean of folds",
        lambda scores: scores.mean_of_folds_interval,
        seeds=lambda group: group.mean_of_folds_interval,
        formats=(MARKDOWN, *STORED),
        definition=_INTERVAL,
    ),
    deviation(
        "fold_standard_deviation",
        "Fold SD (points)",
        lambda scores: scores.fold_standard_deviation,
        formats=(MARKDOWN, *STORED),
        definition="Fold SD: standard deviation of the fold accuracies (n - 1), not a standard error.",
    ),
    Column(
        key="mean_of_folds_minus_reported",
        formats=ALL,
        heading="vs. reported (points)",
        text=PerLine(row=difference_text, seeds=seeds_difference_text),
        record=PerLine(
            row=lambda row: {"mean_of_folds_minus_reported": rounded(reported_difference(row))},
            seeds=lambda group: {"mean_of_folds_minus_reported": rounded(mean_reported_difference(group))},
        ),
        beside_reported=True,
        definition="vs. reported: our mean of folds minus the reported accuracy of the same method, points; "
        "a dash for a row with other settings than the published ones, or with another number of classes.",
        brief=True,
    ),
    accuracy(
        "pooled_image_accuracy",
        "Pooled images %",
        lambda scores: scores.pooled_image_accuracy,
        seeds=lambda group: group.pooled_image_accuracy,
        marks_best=True,
        of_images=True,
        definition="Pooled images: share of all tested images that are predicted correctly.",
    ),
    percentage_interval(
        "pooled_image",
        "95 % CI of pooled images",
        lambda scores: scores.pooled_image_interval,
        narrow_heading="95 % CI of pooled",
        seeds=lambda group: group.pooled_interval,
        definition=_INTERVAL,
        brief=True,
        of_images=True,
    ),
    Column(
        key="difference",
        formats=READ,
        heading="vs. reference (points)",
        narrow_heading="vs. ref. (points)",
        text=PerLine(compared=comparison_text),
        width=14,
        brief_width=24,
        definition=_DIFFERENCE,
        of_differences=True,
        of_one_seed=True,
        marks_reference=True,
        brief=True,
    ),
    Column(
        key="holm_p",
        formats=(HTML, *WIDE),
        heading="p (Holm)",
        text=PerLine(compared=lambda comparison: p_value_text(comparison.holm_p_value)),
        definition="p (Holm): of the difference from the reference, corrected over all differences that are "
        "tested on the data set: those from the reference, the ablation's, and those of the highest row.",
        of_differences=True,
        of_one_seed=True,
    ),
    count(
        "image_errors",
        "Errors (images)",
        lambda scores: scores.error_count,
        formats=(MARKDOWN, *STORED),
        of_images=True,
    ),
    accuracy(
        "pooled_sequence_accuracy",
        "Pooled sequences %",
        lambda scores: scores.pooled_sequence_accuracy,
        seeds=lambda group: group.pooled_sequence_accuracy,
        narrow_heading="Pooled seq. %",
        brief_for_sequences=True,
        definition=(
            "Pooled sequences: share of sequences that are predicted correctly, each by the mean of its "
            "images' class scores."
        ),
    ),
    percentage_interval(
        "pooled_sequence",
        "95 % CI of pooled sequences",
        lambda scores: scores.pooled_image_interval,  # of the row's unit
        seeds=lambda group: group.pooled_interval,
        definition=_INTERVAL,
        for_sequences=True,
    ),
    Column(
        key="optimism_gap",
        formats=ALL,
        heading="Optimism gap (points)",
        text=PerLine(row=gap_text, seeds=seeds_gap_text),
        record=PerLine(row=stored_facts.optimism, seeds=stored_facts.mean_optimism),
        width=12,
        if_filled=True,
        definition=(
            "Optimism gap: the validation accuracy that selected the configuration minus the mean of the "
            f"test folds, in points; {ABSENT} where no score selected it or the score was not stored."
        ),
    ),
    Column(
        key="reported_measures",
        formats=(HTML, *WIDE),
        heading="Reported precision / recall / F1 %",
        text=PerLine(reported=reported_measures),
        definition="Reported precision / recall / F1: as the paper defines them (a note says how).",
        if_reported=True,
    ),
    *stored_facts.FACTS,
    stored_facts.COMPARED,
)
"""In reading order; columns for CSV and JSON alone come last. `records.KEY_ORDER` orders the stored keys."""


def all_columns() -> tuple[Column, ...]:
    """COLUMNS, and one for each metric of `row_metrics.METRICS` and `unit_metrics.UNIT_METRICS`."""
    metrics = (
        *map(metric_column, row_metrics.METRICS),
        *map(unit_metric_column, unit_metrics.UNIT_METRICS),
    )
    return (*COLUMNS, *metrics)


def columns_of(
    form: str, *, reported: bool = True, sequences: bool = False, differences: bool = True
) -> tuple[Column, ...]:
    """The columns that `form` shows, text before numbers.

    reported: whether numbers are reported for one of our methods; without them, `beside_reported` columns are
    left out of the formats for people. sequences: whether a row scores sequences; without one,
    `for_sequences` columns are left out of those formats. differences: whether lines are compared with a
    reference; without, `of_differences` columns are left out.
    """
    shown = [
        column
        for column in all_columns()
        if form in column.formats
        and (reported or not column.beside_reported or form in STORED)
        and (sequences or not column.for_sequences or form in STORED)
        and (differences or not column.of_differences or form in STORED)
    ]
    return tuple(sorted(shown, key=lambda column: not column.left))


def definitions(columns: Iterable[Column]) -> tuple[str, ...]:
    """The definitions of `columns`, each once, in their order."""
    return tuple(dict.fromkeys(column.definition for column in columns if column.definition))
