"""Table I of the FMPN paper, and the accuracies of its released folds.

Paper: Chen et al., Facial Motion Prior Networks for Facial Expression Recognition, VCIP 2019,
arXiv 1902.08788, Table I. Released code: donydchen/FMPN-FER.
"""

from __future__ import annotations

from platform.evaluation.reported.result import NOT_STATED, Paper, Protocol, ReportedResult, Statistic

PAPER = Paper(name="FMPN paper", reference="arXiv 1902.08788", place="Table I")

_DATASETS = ("ckplus", "mmi", "affectnet")
# Accuracy in % on CK+, MMI and AffectNet; None where the table has no number.
_TABLE_1_CELLS: tuple[tuple[str, Protocol, tuple[float | None, ...]], ...] = (
    ("LBP-TOP", "sequence-based", (88.99, 59.51, None)),
    ("HOG 3D", "sequence-based", (91.44, 60.89, None)),
    ("DTAGN(Joint)", "sequence-based", (97.25, 70.24, None)),
    ("STM-ExpLet", "sequence-based", (94.19, 75.12, None)),
    ("IACNN", "image-based", (95.37, 71.55, None)),
    ("DeRL (printed: DeRF)", "image-based", (97.30, 73.23, None)),
    ("CNN (baseline)", "image-based", (90.78, 68.81, 60.86)),
    ("CNN (no mask loss)", "image-based", (91.82, 63.10, 60.01)),
    ("FMPN", "image-based", (98.06, 82.74, 61.52)),
)
# Rows that the paper's authors ran, to our names of the methods. The protocols of the other rows, which the
# paper quotes, are not stated. Only FMPN's averaging is verified against released folds.
_OWN_ROWS = {"CNN (baseline)": "cnn", "CNN (no mask loss)": "cnn_no_mask_loss", "FMPN": "fmpn"}
_CLASSES = {"ckplus": 7, "mmi": 6, "affectnet": 7}
_FRAMES_AND_FOLDS = {
    "ckplus": ("last 3 of each sequence", "10, by subject"),
    "mmi": ("3 around each sequence's centre", "10, by subject"),
    "affectnet": ("single photographs", "one random 9:1 split"),
}

RELEASED_FOLD_ACCURACIES: dict[str, tuple[float, ...]] = {
    "ckplus": (0.885, 1.0, 0.921, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "mmi": (0.778, 0.731, 0.667, 0.744, 0.857, 0.855, 0.958, 0.889, 1.000, 0.795),
}
"""FMPN's released accuracy of folds 0 to 9, three decimals."""

RELEASED_TEST_SIZES: dict[str, tuple[int, ...]] = {
    "ckplus": (78, 72, 114, 90, 90, 93, 111, 108, 114, 111),
    "mmi": (63, 108, 90, 39, 63, 69, 72, 27, 15, 78),
}
"""Number of test images of folds 0 to 9."""


def _result(method: str, dataset: str, accuracy: float, protocol: Protocol) -> ReportedResult:
    """A row that the authors ran; of one that the paper quotes, the protocol is not stated."""
    if method not in _OWN_ROWS:
        return ReportedResult(
            paper=PAPER,
            method=method,
            dataset=dataset,
            accuracy_percent=accuracy,
            protocol=protocol,
            statistic="not stated",
            selection_rule=NOT_STATED,
            class_count=None,
            frames=NOT_STATED,
            folds=NOT_STATED,
        )
    statistic: Statistic = "one 9:1 split" if dataset == "affectnet" else "mean of ten folds"
    frames, folds = _FRAMES_AND_FOLDS[dataset]
    return ReportedResult(
        paper=PAPER,
        method=method,
        dataset=dataset,
        accuracy_percent=accuracy,
        protocol=protocol,
        statistic=statistic,
        selection_rule="paper",
        class_count=_CLASSES[dataset],
        frames=frames,
        folds=folds,
        our_method=_OWN_ROWS[method],
    )


RESULTS: tuple[ReportedResult, ...] = tuple(
    _result(method, dataset, accuracy, protocol)
    for column, dataset in enumerate(_DATASETS)
    for method, protocol, cells in _TABLE_1_CELLS
    if (accuracy := cells[column]) is not None
)
"""Of each data set in the table's order."""
