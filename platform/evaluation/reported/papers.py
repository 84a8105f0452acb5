"""All reported numbers by data set, and the one that corresponds to a method of ours.

A further paper is a module with its results, and one entry of RESULTS.
"""

from __future__ import annotations

from platform.evaluation.reported import dgcn_paper, feratt_paper, fmpn_paper
from platform.evaluation.reported.result import ReportedResult

RESULTS: tuple[ReportedResult, ...] = (*fmpn_paper.RESULTS, *feratt_paper.RESULTS, *dgcn_paper.RESULTS)
"""One paper after the other."""


def reported_results(dataset: str) -> list[ReportedResult]:
    """The reported rows of a data set, paper by paper; empty where none is known."""
    return [result for result in RESULTS if result.dataset == dataset]


def reported_counterpart(method: str, dataset: str) -> ReportedResult | None:
    """The reported result that corresponds to our `method`; None where no paper has one."""
    return next((result for result in reported_results(dataset) if result.our_method == method), None)
