"""What the columns of a table are: the definitions of those that a form shows, and of no others."""

from __future__ import annotations

from collections.abc import Iterable

from platform.evaluation.accuracy_interval import METHOD
from platform.tables.formatting import ABSENT

_PARAGRAPHS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        (
            "mean of folds",
            "Mean of folds: unweighted mean of the folds' image accuracies (what the FMPN paper prints).",
        ),
        ("pooled images", "Pooled images: share of all tested images."),
        (
            "seq",
            "Pooled sequences: share of sequences, each answered by the mean of its images' class scores.",
        ),
        ("macro f1", "Macro F1: unweighted mean over classes, of pooled images."),
    ),
    (
        (
            "95 %",
            f"95 % interval: of the pooled image accuracy, for new subjects; {METHOD} (docs/statistics.md). "
            "It does not contain the variance between training seeds.",
        ),
    ),
    (
        (
            "minus reported",
            "Minus reported: our mean of folds minus the reported accuracy of the same method, in points.",
        ),
        (
            "optimism gap",
            "Optimism gap: the mean accuracy by which the configuration was chosen minus the mean of the "
            f"test folds, in points; {ABSENT} where nothing chose it, or where its score was not stored.",
        ),
    ),
)
"""Paragraphs of (what a column's name has in it, in lower case; the sentence)."""


def definitions(columns: Iterable[str] | None = None) -> tuple[str, ...]:
    """The paragraphs that define these columns, by their headings; None: all that there are."""
    headings = None if columns is None else " | ".join(columns).replace("\n", " ").lower()
    paragraphs = (
        " ".join(sentence for name, sentence in sentences if headings is None or name in headings)
        for sentences in _PARAGRAPHS
    )
    return tuple(filter(None, paragraphs))
