"""What the paper on generative-contrastive networks reports on CK+, MMI and Oulu-CASIA.

Paper: Kim et al., Deep generative-contrastive networks for facial expression recognition, arXiv 1703.07140,
third version of 2019. No public code. Facts: docs/methods.md, §4.
"""

from __future__ import annotations

from platform.evaluation.reported.result import UNKNOWN, Paper, ReportedResult

PAPER = Paper(
    name="DGCN paper",
    reference="arXiv 1703.07140, third version of 2019",
    remarks=(
        "read in the paper's figures and tables. S and R switch, as inferred from the context, the "
        "contrastive and the reconstruction loss. Trained on CK+ and tested on FER2013, it reports 40.19 %.",
    ),
)
_DATASETS = {"ckplus": 7, "mmi": 6, "oulu_casia": 6}
"""Data set to its number of classes, in the order of the cells."""
_FRAMES = {"oulu_casia": "visible light; which ones, unknown"}
# Accuracy in %. Its CNN is not that of the FMPN paper, which our `cnn` follows.
_CELLS: tuple[tuple[str, str | None, tuple[float, float, float]], ...] = (
    ("CNN baseline", None, (96.94, 77.68, 83.96)),
    ("DGCN S0R0", None, (97.08, 76.20, 84.65)),
    ("DGCN S1R0", None, (97.83, 78.86, 86.39)),
    ("DGCN S0R1", None, (97.53, 77.00, 85.83)),
    ("DGCN S1R1", "dgcn", (97.93, 81.53, 86.11)),
)

RESULTS: tuple[ReportedResult, ...] = tuple(
    ReportedResult(
        paper=PAPER,
        method=method,
        dataset=dataset,
        accuracy_percent=cells[column],
        protocol="image-based",
        statistic=UNKNOWN,
        selection_rule=UNKNOWN,
        class_count=class_count,
        frames=_FRAMES.get(dataset, UNKNOWN),
        folds=UNKNOWN,
        our_method=ours,
    )
    for column, (dataset, class_count) in enumerate(_DATASETS.items())
    for method, ours, cells in _CELLS
)
