"""Published accuracies as reported, with their protocol and source.

Paper: Chen et al., Facial Motion Prior Networks for Facial Expression Recognition, VCIP 2019,
arXiv 1902.08788, Table I. Released code: donydchen/FMPN-FER.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["sequence-based", "image-based"]
Statistic = Literal["mean of ten folds", "one 9:1 split", "not stated"]

TABLE_1 = "FMPN paper (arXiv 1902.08788), Table I"


@dataclass(frozen=True, kw_only=True)
class ReportedResult:
    """One cell of a published table."""

    method: str
    """The method's name in the field."""
    dataset: str
    """Our registry name of the data set."""
    accuracy_percent: float
    protocol: Protocol
    """What was scored: whole sequences or single images."""
    statistic: Statistic
    """How folds were averaged, where the paper or the released code shows it."""
    selection_rule: str
    """`paper`: fixed settings and the last epoch, as in the released code; else `not stated`."""
    classes: str
    """Number of classes, or `not stated`."""
    frames: str
    """Which frames of a sequence are images, or `not stated`."""
    folds: str
    """How subjects or images were divided, or `not stated`."""
    our_method: str | None
    """Registry name of our corresponding method, which is compared with this number; None without one."""
    source: str = TABLE_1


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
_OWN_PROTOCOL = {
    "ckplus": {"classes": "7", "frames": "last 3 of each sequence", "folds": "10, by subject"},
    "mmi": {"classes": "6", "frames": "3 around each sequence's centre", "folds": "10, by subject"},
    "affectnet": {"classes": "7", "frames": "single photographs", "folds": "one random 9:1 split"},
}
_NOT_STATED = dict.fromkeys(("classes", "frames", "folds"), "not stated")

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


def reported_results(dataset: str) -> list[ReportedResult]:
    """The rows of Table I for a data set, in the table's order; empty for other data sets."""
    if dataset not in _DATASETS:
        return []
    column = _DATASETS.index(dataset)
    results = []
    for method, protocol, cells in _TABLE_1_CELLS:
        accuracy = cells[column]
        if accuracy is None:
            continue
        own = method in _OWN_ROWS
        statistic: Statistic = "not stated"
        if own:
            statistic = "one 9:1 split" if dataset == "affectnet" else "mean of ten folds"
        results.append(
            ReportedResult(
                method=method,
                dataset=dataset,
                accuracy_percent=accuracy,
                protocol=protocol,
                statistic=statistic,
                selection_rule="paper" if own else "not stated",
                our_method=_OWN_ROWS.get(method),
                **(_OWN_PROTOCOL[dataset] if own else _NOT_STATED),
            )
        )
    return results


def reported_counterpart(method: str, dataset: str) -> ReportedResult | None:
    """The reported result that corresponds to our `method`; None where Table I has none."""
    return next((result for result in reported_results(dataset) if result.our_method == method), None)
