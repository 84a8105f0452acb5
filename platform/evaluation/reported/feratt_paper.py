"""What the FERAtt paper reports on CK+ and BU-3DFE, of real images and of synthetic composites.

Paper: Marrero Fernández et al., FERAtt: Facial Expression Recognition with Attention Net, 2019,
arXiv 1902.03284. Released code: pedrodiamel/ferattention. Facts: docs/methods.md, §3.
"""

from __future__ import annotations

from typing import NamedTuple

from platform.evaluation.reported.result import COMPOSITES, UNKNOWN, Measures, Paper, ReportedResult

PAPER = Paper(
    name="FERAtt paper",
    reference="arXiv 1902.03284",
    remarks=(
        "numbers as printed in the paper; folds, selection rule and F1 as in its released code of November "
        "2018, which selects on composites of the test subjects: leakage, which ours does not repeat. F1 is "
        "the harmonic mean of macro precision and macro recall, not the mean of the classes' F1.",
        "rows on composites test segmented faces on random photographs, not the images of the data set: "
        "no row of ours is compared with them.",
    ),
)
REAL = "real images"


class _Numbers(NamedTuple):
    """In percent."""

    accuracy: float
    precision: float
    recall: float
    f1: float


# Each method on real images, then on composites.
_METHODS = (
    ("PreActResNet18", "preactresnet18"),
    ("FERAtt+Cls", "feratt_cls"),
    ("FERAtt+Rep+Cls", "feratt"),
)
_NUMBERS: dict[tuple[str, str], tuple[_Numbers, ...]] = {
    ("ckplus", REAL): (
        _Numbers(86.67, 81.62, 80.15, 80.87),
        _Numbers(85.42, 75.65, 78.79, 77.18),
        _Numbers(90.30, 83.64, 84.90, 84.25),
    ),
    ("ckplus", COMPOSITES): (
        _Numbers(77.63, 68.42, 68.56, 68.49),
        _Numbers(84.60, 74.94, 76.30, 75.61),
        _Numbers(85.15, 74.68, 77.45, 76.04),
    ),
    ("bu3dfe", REAL): (
        _Numbers(75.22, 77.58, 75.49, 76.52),
        _Numbers(80.41, 82.30, 80.79, 81.54),
        _Numbers(82.11, 83.72, 82.42, 83.06),
    ),
    ("bu3dfe", COMPOSITES): (
        _Numbers(69.37, 71.48, 69.56, 70.50),
        _Numbers(75.15, 77.34, 75.45, 76.38),
        _Numbers(77.90, 79.58, 78.05, 78.81),
    ),
}
# The seven of BU-3DFE are inferred: the data set's six expressions and neutral.
_CLASSES = {"ckplus": (8, "with neutral"), "bu3dfe": (7, "with neutral; inferred")}

RESULTS: tuple[ReportedResult, ...] = tuple(
    ReportedResult(
        paper=PAPER,
        method=method,
        dataset=dataset,
        accuracy_percent=numbers.accuracy,
        protocol="image-based",
        statistic=UNKNOWN,
        selection_rule="composites of the test subjects",
        class_count=_CLASSES[dataset][0],
        classes_remark=_CLASSES[dataset][1],
        frames=UNKNOWN,
        folds="10 consecutive subjects each",
        our_method=ours if items == REAL else None,
        test_items=items,
        measures=Measures(precision=numbers.precision, recall=numbers.recall, f1=numbers.f1),
    )
    for (dataset, items), of_methods in _NUMBERS.items()
    for (method, ours), numbers in zip(_METHODS, of_methods, strict=True)
)
"""On each data set real images first."""
